//! `vrel agenda`.

use crate::app::App;
use crate::exit::Outcome;
use crate::output;
use crate::verbs::todo::LivingPlan;
use clap::Args;
use jiff::civil::Date;
use vrel_engine::collect_schedule;
use vrel_model::UtcTime;
use vrel_process::{Due, DueAt, agenda, start_of};
use vrel_world::World;

/// Say what is due this week, and what is late.
///
/// Late things come first, the latest of them at the top, then those of the coming days, then what has no date. Each names
/// the command that settles it. Its sources are those of `vrel calendar`. That nothing is due is an answer too: the exit
/// code is 0.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel agenda\n  vrel agenda --days 30\n  vrel agenda --date 2027-01-04 --json"
)]
pub(crate) struct Agenda {
    /// How many days to look ahead.
    #[arg(long, value_name = "N", default_value_t = 7)]
    days: u32,
    /// The day to look from, instead of now.
    #[arg(long, value_name = "DAY")]
    date: Option<Date>,
}

impl Agenda {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let plan = LivingPlan::open(app)?;
        let todo = plan.parse()?;
        let schedule = collect_schedule(&app.world, &plan.site, &plan.policies, &todo)?;
        let now = self.date.map_or_else(|| app.world.now(), start_of);
        let items = agenda(&schedule, now, self.days);
        if app.global.json {
            let until = now.plus_days(self.days).date();
            return output::print_json(&serde_json::json!({"from": now, "until": until, "items": items}));
        }
        output::print(&text(&items, now, self.days))
    }
}

fn text(items: &[Due], now: UtcTime, days: u32) -> String {
    let until = now.plus_days(days).date();
    if items.is_empty() {
        return format!("Nothing is late, and nothing is due until {until}.\n");
    }
    let late = |item: &Due| item.late_days.is_some();
    let open = |item: &Due| item.due == DueAt::Open;
    let mut text = String::new();
    for (title, fits) in [
        ("Late".to_owned(), &late as &dyn Fn(&Due) -> bool),
        (format!("Due until {until}"), &|item| !late(item) && !open(item)),
        ("Without a date".to_owned(), &open),
    ] {
        let rows: Vec<&Due> = items.iter().filter(|item| fits(item)).collect();
        if rows.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text += &format!("{title}\n");
        for item in rows {
            let when = match (item.due, item.late_days) {
                (DueAt::Open, _) => String::new(),
                (due, None) => format!("{due}  "),
                (due, Some(0)) => format!("{due}  for less than a day  "),
                (due, Some(1)) => format!("{due}  for 1 day  "),
                (due, Some(days)) => format!("{due}  for {days} days  "),
            };
            text += &format!("  {when}{}\n    {}\n", item.message, item.command);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_process::DueKind;

    fn item(due: DueAt, late_days: Option<u32>) -> Due {
        Due {
            kind: DueKind::Release,
            subject: "0.6.0".to_owned(),
            due,
            late_days,
            message: "v0.6.0 is planned for 2026 Q3".to_owned(),
            command: "vrel todo plan 0.6.0 --when TIME".to_owned(),
        }
    }

    #[test]
    fn an_agenda_reads_from_late_to_open() {
        let now: UtcTime = "2026-11-21T03:00:00Z".parse().unwrap();
        let day = DueAt::Day("2026-09-30".parse().unwrap());
        let items = [
            item(day, Some(51)),
            item(DueAt::Time(now), None),
            item(DueAt::Open, None),
        ];
        assert_eq!(
            text(&items, now, 7),
            "Late\n  2026-09-30  for 51 days  v0.6.0 is planned for 2026 Q3\n    vrel todo plan 0.6.0 --when TIME\n\n\
             Due until 2026-11-28\n  2026-11-21T03:00:00Z  v0.6.0 is planned for 2026 Q3\n    vrel todo plan 0.6.0 --when TIME\n\n\
             Without a date\n  v0.6.0 is planned for 2026 Q3\n    vrel todo plan 0.6.0 --when TIME\n"
        );
        assert_eq!(
            text(&[], now, 7),
            "Nothing is late, and nothing is due until 2026-11-28.\n"
        );
    }
}
