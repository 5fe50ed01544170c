//! `vrel lts`.

use crate::agree::Agree;
use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::{Args, Subcommand};
use vrel_engine::lts::{LtsLines, LtsPlan};
use vrel_model::{Day, Line, LineChange, LineRecord, Support};
use vrel_process::Finding;
use vrel_world::World;

/// Say which release lines get long-term support, and until when.
///
/// A line's support is a record, `lines/X.Y/line.toml` on the records branch. What is promised of it (how long, how long two
/// lines overlap, how many there are at once) is `[support]` of channels/lts.toml, and is checked.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel lts create 1.1 --end-of-life 2029-12-31\n  vrel lts list --json\n  \
                        vrel lts eol 1.1 --date 2029-06-30 --reason 'nobody uses it'"
)]
pub(crate) struct Lts {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a line one of long-term support.
    Create(Create),
    /// List the lines and how they are supported today.
    List(List),
    /// Change the last day of a line's support.
    Eol(Eol),
}

/// Make a line one of long-term support.
///
/// The line needs a final release. Its branch, `git.release-branch` in vrel.toml, is made at that release where there is
/// none.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel lts create 1.1 --end-of-life 2029-12-31")]
struct Create {
    /// The line, for example 1.1.
    line: Line,
    /// The last day on which it gets fixes, YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    end_of_life: Day,
    /// Its first day [default: today]
    #[arg(long, value_name = "DATE")]
    since: Option<Day>,
    #[command(flatten)]
    agree: Agree,
}

/// List the lines and how they are supported today.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel lts list\n  vrel lts list --json")]
struct List {}

/// Change the last day of a line's support.
///
/// An earlier day than was promised needs a reason; what then breaks a rule is said, and recorded with the reason.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel lts eol 1.1 --date 2029-06-30 --reason 'nobody uses it'")]
struct Eol {
    /// The line, for example 1.1.
    line: Line,
    /// The last day, YYYY-MM-DD [default: today]
    #[arg(long, value_name = "DATE")]
    date: Option<Day>,
    /// Why, where it is earlier than was promised.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    agree: Agree,
}

impl Lts {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        match self.action {
            Action::Create(verb) => verb.run(app),
            Action::List(_) => list(app),
            Action::Eol(verb) => verb.run(app),
        }
    }
}

impl Create {
    fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let lines = LtsLines::new(&app.world, &site, &policies);
        lines.refresh()?;
        let since = self.since.unwrap_or_else(|| app.world.now().into());
        let plan = lines.plan(self.line, since, self.end_of_life)?;
        if !plan.is_done && plan.findings.iter().any(Finding::is_fatal) {
            return Err(Failure::from_findings(&plan.findings));
        }
        carry_out(app, &lines, &plan, LineChange::Created, None, self.agree)
    }
}

impl Eol {
    fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let lines = LtsLines::new(&app.world, &site, &policies);
        lines.refresh()?;
        let today: Day = app.world.now().into();
        let date = self.date.unwrap_or(today);
        let all = lines.all()?;
        let Some(record) = all.get(&self.line) else {
            let message = format!("{} is not a long-term support line", self.line);
            return Err(Failure::new(FailureKind::Policy, message).hint("`vrel lts list` shows them"));
        };
        if date < record.end_of_life && self.reason.is_none() {
            let message = format!(
                "{} was promised until {}; {date} is earlier",
                self.line, record.end_of_life
            );
            return Err(Failure::new(FailureKind::Policy, message).hint("say why with `--reason`"));
        }
        let plan = lines.plan(self.line, record.since, date)?;
        // Who says why may break a promise, knowing it.
        if self.reason.is_none() && !plan.is_done && plan.findings.iter().any(Finding::is_fatal) {
            return Err(Failure::from_findings(&plan.findings));
        }
        for finding in &plan.findings {
            output::say(&format!("warning: {finding}"));
        }
        carry_out(
            app,
            &lines,
            &plan,
            LineChange::EndOfLife,
            self.reason.as_deref(),
            self.agree,
        )
    }
}

fn carry_out(
    app: &App,
    lines: &LtsLines<'_>,
    plan: &LtsPlan,
    what: LineChange,
    reason: Option<&str>,
    agree: Agree,
) -> Outcome {
    let request = plan.request;
    if plan.is_done {
        let message = format!(
            "{} is supported until {} already",
            request.line, request.end_of_life
        );
        return Err(Failure::new(FailureKind::NothingToDo, message));
    }
    let mut text = format!(
        "{} is supported from {} to {}\n",
        request.line, request.since, request.end_of_life
    );
    if let Some((branch, commit)) = &plan.branch {
        text.push_str(&format!(
            "branch {branch} is made at {}\n",
            vrel_process::short(commit)
        ));
    }
    if agree.dry_run {
        return output::print(&text);
    }
    output::say(text.trim_end());
    agree.ask("Record this?")?;
    lines.apply(plan, what, reason)?;
    if app.global.json {
        return output::print_json(&serde_json::json!({
            "line": request.line.to_string(), "since": request.since, "end-of-life": request.end_of_life,
        }));
    }
    output::print(&format!(
        "recorded: {} until {}\n",
        request.line, request.end_of_life
    ))
}

fn list(app: &App) -> Outcome {
    let (site, policies) = app.site()?;
    let lines = LtsLines::new(&app.world, &site, &policies).all()?;
    let today: Day = app.world.now().into();
    if app.global.json {
        let all: Vec<_> = lines
            .iter()
            .map(|(line, record)| {
                serde_json::json!({
                    "line": line.to_string(), "support": record.support(today), "since": record.since,
                    "end-of-life": record.end_of_life, "days-left": today.days_until(record.end_of_life),
                    "events": record.events,
                })
            })
            .collect();
        return output::print_json(&all);
    }
    if lines.is_empty() {
        output::say("no line has long-term support; see `vrel lts create --help`");
    }
    let row = |line: &Line, record: &LineRecord| {
        vec![
            line.to_string(),
            format!("{} to {}", record.since, record.end_of_life),
            match record.support(today) {
                Support::Planned => "not yet".to_owned(),
                Support::Supported => {
                    format!("supported, {} days left", today.days_until(record.end_of_life))
                }
                Support::Ended => "ended".to_owned(),
            },
        ]
    };
    let rows: Vec<_> = lines.iter().map(|(line, record)| row(line, record)).collect();
    output::print(&output::table(&rows, &[]))
}
