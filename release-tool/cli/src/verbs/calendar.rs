//! `vrel calendar`.

mod ics;
mod list;

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::verbs::todo::LivingPlan;
use crate::verbs::todo::change::Change;
use clap::{Args, ValueEnum, ValueHint};
use jiff::civil::Date;
use std::path::{Path, PathBuf};
use vrel_engine::collect_schedule;
use vrel_model::{Line, UtcTime};
use vrel_process::{CalendarEvent, Schedule, calendar};
use vrel_world::World;

/// Write the calendar of releases, as text, Markdown or iCalendar.
///
/// Its sources are the living plan of the work tree, the origin's pointer and manifests, the records and the journals.
/// The same sources give the same bytes. A release that is planned for a quarter has all days of the quarter and is
/// tentative; events keep their identifiers, so that a calendar program that reads the file again moves them.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel calendar\n  vrel calendar --from 2027-01-01 --to 2027-12-31 --line 0.9\n  \
                        vrel calendar --format ics --output veridianos.ics\n  \
                        vrel calendar --format ics --check veridianos.ics\n  vrel calendar --update-plan"
)]
pub(crate) struct Calendar {
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Leave out what is over before this day.
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Leave out what begins after this day.
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// Only what concerns this line, for example 0.6.
    #[arg(long, value_name = "LINE")]
    line: Option<Line>,
    /// Write into this file, which is replaced in one step.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Say whether this file is the calendar as it would be written now.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "output")]
    check: Option<PathBuf>,
    /// Bring the table in the plan's section `## Calendar` in line with its roadmap.
    #[arg(long, conflicts_with_all = ["format", "from", "to", "line", "output", "check"])]
    update_plan: bool,
    #[command(flatten)]
    change: Change,
}

/// In which form a calendar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people.
    Text,
    /// A table in Markdown.
    Md,
    /// iCalendar (RFC 5545), for calendar programs.
    Ics,
}

impl Calendar {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let plan = LivingPlan::open(app)?;
        let todo = plan.parse()?;
        if self.update_plan {
            let subject = "bring the calendar in line with the roadmap";
            return self.change.make(app, &plan, subject, todo.update_calendar());
        }
        if self.change.is_asked_for() {
            return Err(Failure::new(
                FailureKind::Usage,
                "`--commit` is for `--update-plan`",
            ));
        }
        let schedule = collect_schedule(&app.world, &plan.site, &plan.policies, &todo)?;
        let mut events = calendar(&schedule);
        events.retain(|event| self.shows(event));
        let text = if app.global.json {
            list::json(&events)?
        } else {
            self.text(&plan, &schedule, &events)?
        };
        match (&self.check, &self.output) {
            (Some(path), _) => check(app, path, &text),
            (None, Some(path)) => write(app, path, &text),
            (None, None) => output::print(&text),
        }
    }

    fn shows(&self, event: &CalendarEvent) -> bool {
        let (first, last) = event.span.days();
        self.from.is_none_or(|from| from <= last)
            && self.to.is_none_or(|to| first <= to)
            && self.line.is_none_or(|line| event.line == Some(line))
    }

    fn text(
        &self,
        plan: &LivingPlan,
        schedule: &Schedule,
        events: &[CalendarEvent],
    ) -> Result<String, Failure> {
        match self.format {
            Format::Text => Ok(list::text(events)),
            Format::Md => Ok(list::markdown(events)),
            Format::Ics => ics::render(
                &plan.policies.config.product.name,
                &plan.policies.config.publish.public_url,
                events,
                schedule.as_of,
            ),
        }
    }
}

fn write(app: &App, path: &Path, text: &str) -> Outcome {
    let fs = app.world.fs();
    if fs.metadata(path)?.is_some() && fs.read(path)? == text.as_bytes() {
        let message = format!("{} is this calendar already", path.display());
        return Err(Failure::new(FailureKind::NothingToDo, message));
    }
    fs.write(path, text.as_bytes(), 0o644)?;
    output::say(&format!("wrote {}", path.display()));
    Ok(())
}

/// Compares a file with the calendar. Stamps do not count: they move with every commit.
fn check(app: &App, path: &Path, text: &str) -> Outcome {
    let found = String::from_utf8_lossy(&app.world.fs().read(path)?).into_owned();
    let (found, expected) = (without_stamps(&found), without_stamps(text));
    let differing = (1..)
        .zip(found.iter().zip(&expected))
        .find(|(_, (found, expected))| found != expected);
    let place = match differing {
        Some((line, (found, expected))) => format!("line {line}: expected `{expected}`, found `{found}`"),
        None if found.len() == expected.len() => {
            return output::print(&format!("{} is up to date.\n", path.display()));
        }
        None => format!("expected {} lines, found {}", expected.len(), found.len()),
    };
    let message = format!("{} is out of date: {place}", path.display());
    Err(Failure::new(FailureKind::Policy, message).hint("write it anew with `--output`"))
}

fn without_stamps(text: &str) -> Vec<&str> {
    let stamp = |line: &&str| line.starts_with("DTSTAMP:") || line.starts_with("SEQUENCE:");
    text.lines()
        .map(|line| if stamp(&line) { "" } else { line })
        .collect()
}

/// A time as iCalendar and people get it in a table.
fn moment(time: UtcTime) -> String {
    time.to_string().replace('T', " ").replace(":00Z", " UTC")
}
