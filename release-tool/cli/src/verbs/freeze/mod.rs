//! `vrel freeze`.

mod show;

use crate::agree::Agree;
use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::{Args, Subcommand, ValueHint};
use std::collections::BTreeMap;
use vrel_engine::freeze::{self, ExceptRequest, StartRequest};
use vrel_engine::records::{Changed, Records};
use vrel_engine::{Locked, Site, look_at_remote, take_lock};
use vrel_model::freeze::{Excepted, FreezeFile, FreezeState, Risk};
use vrel_model::{BranchName, Config, Day, Line, PathGlob, Person, UtcTime, Version};
use vrel_world::World;

/// Freeze a line of releases: only fixes may land on its branch.
///
/// Everything that is decided is kept on the branch of records, which is pushed. A repository with `vrel hook install` holds
/// pushes to it, hosted CI does with `vrel check commits`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel freeze plan 0.6\n  vrel freeze start 0.6 --at 2026-12-01 --until 2026-12-14 --reason \
                        \"the way to 0.6.0\"\n  vrel freeze except 0.6 3f2a1c9d --reason \"needed by the installer\" --risk low \\\n    \
                        --approver \"Ada Lovelace <ada@example.org>\" --until 2026-12-05\n  vrel freeze status\n  vrel freeze end \
                        0.6 --reason \"0.6.0 is out\""
)]
pub(crate) struct Freeze {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what `start` would do, and do nothing. Needs no network.
    Plan(Start),
    /// Freeze a line: record it, make and push the release branch, write the announcement's draft.
    ///
    /// With `--at` in the future the freeze is announced; it holds from that moment on, and `start` on that day makes the
    /// branch. Starting again finishes what was interrupted.
    Start(StartNow),
    /// Say how freezes stand: since when, the exceptions, and what has landed since.
    Status(Status),
    /// Let something land all the same.
    Except(Except),
    /// End a freeze, or call off one that is announced.
    End(End),
}

#[derive(Clone, Debug, Args)]
struct Start {
    /// The line, for example 0.6, or a version on it.
    #[arg(value_name = "LINE", value_parser = line)]
    line: Line,
    /// From when on: a day, or a time as 2026-12-01T08:00:00Z [default: now].
    #[arg(long, value_name = "DATE", value_parser = from_moment)]
    at: Option<UtcTime>,
    /// The last day, or the time at which it ends [default: when it is ended].
    #[arg(long, value_name = "DATE", value_parser = until_moment)]
    until: Option<UtcTime>,
    /// Freeze this branch too, for example main. Can be given several times.
    #[arg(long, value_name = "BRANCH")]
    also: Vec<BranchName>,
    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = text)]
    reason: Option<String>,
}

#[derive(Clone, Debug, Args)]
struct StartNow {
    #[command(flatten)]
    start: Start,
    #[command(flatten)]
    agree: Agree,
}

#[derive(Clone, Debug, Args)]
struct Status {
    /// The line, for example 0.6, or a version on it [default: all lines].
    #[arg(value_name = "LINE", value_parser = line)]
    line: Option<Line>,
    /// Ask the remote for newer records and release branches first.
    #[arg(long)]
    fetch: bool,
}

#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["commit", "path", "subject"]))]
struct Except {
    /// The line, for example 0.6, or a version on it.
    #[arg(value_name = "LINE", value_parser = line)]
    line: Line,
    /// This commit, and its cherry-picks that say so (`git cherry-pick -x`).
    #[arg(value_name = "COMMIT")]
    commit: Option<String>,
    /// Commits that change nothing but such paths, for example 'os/installer/**'.
    #[arg(long, value_name = "GLOB", value_hint = ValueHint::AnyPath)]
    path: Option<PathGlob>,
    /// Commits with this first line.
    #[arg(long, value_name = "TEXT", value_parser = text)]
    subject: Option<String>,
    /// Why it cannot wait.
    #[arg(long, value_name = "TEXT", value_parser = text)]
    reason: String,
    /// What could go wrong.
    #[arg(long, value_name = "RISK", value_parser = clap::builder::PossibleValuesParser::new(["low", "medium", "high"]))]
    risk: String,
    /// Who agreed: "Name <mail>".
    #[arg(long, value_name = "PERSON", value_hint = ValueHint::EmailAddress)]
    approver: Person,
    /// The last day on which it holds.
    #[arg(long, value_name = "DAY")]
    until: Day,
    #[command(flatten)]
    agree: Agree,
}

#[derive(Clone, Debug, Args)]
struct End {
    /// The line, for example 0.6, or a version on it.
    #[arg(value_name = "LINE", value_parser = line)]
    line: Line,
    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = text)]
    reason: String,
    #[command(flatten)]
    agree: Agree,
}

fn line(text: &str) -> Result<Line, String> {
    if let Ok(version) = text.parse::<Version>() {
        return Ok(version.line());
    }
    text.parse()
        .map_err(|error: vrel_model::LineError| error.to_string())
}

fn text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it says nothing".to_owned());
    }
    Ok(text.trim().to_owned())
}

fn from_moment(text: &str) -> Result<UtcTime, String> {
    moment(text, Day::start)
}

fn until_moment(text: &str) -> Result<UtcTime, String> {
    moment(text, Day::end)
}

fn moment(text: &str, of_day: fn(Day) -> UtcTime) -> Result<UtcTime, String> {
    let day = text.parse::<Day>().map(of_day);
    day.or_else(|_| text.parse())
        .map_err(|_| format!("`{text}` is neither a day as 2026-12-01 nor a time as 2026-12-01T08:00:00Z"))
}

impl Freeze {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let config = &policies.config;
        match self.command {
            Command::Plan(start) => {
                let plan = freeze::plan_start(&app.world, &site, config, &start.request(), None)?;
                show::plan(app, &plan)?;
                if plan.is_done() {
                    Err(show::nothing(&plan))
                } else {
                    Ok(())
                }
            }
            Command::Start(start) => start.run(app, &site, config),
            Command::Status(status) => status.run(app, &site, config),
            Command::Except(except) => except.run(app, &site, config),
            Command::End(end) => end.run(app, &site, config),
        }
    }
}

impl Start {
    fn request(&self) -> StartRequest {
        StartRequest {
            line: self.line,
            starts: self.at,
            ends: self.until,
            also: self.also.clone(),
            reason: self.reason.clone(),
        }
    }
}

/// Nobody else changes releases here meanwhile.
fn lock(app: &App, site: &Site, command: &str) -> Result<Locked, Failure> {
    let holder = format!(
        "`{command}`, process {}, since {}",
        std::process::id(),
        app.world.now()
    );
    Ok(take_lock(&app.world, site, &holder)?)
}

/// The remote's refs, where there is a remote.
fn remote_refs(app: &App, site: &Site, config: &Config) -> Result<Option<BTreeMap<String, String>>, Failure> {
    let remote = &config.git.remote;
    if app.world.git().remote_url(site.root(), remote)?.is_none() {
        return Ok(None);
    }
    Ok(Some(look_at_remote(&app.world, site, remote)?.refs))
}

impl StartNow {
    fn run(self, app: &App, site: &Site, config: &Config) -> Outcome {
        let request = self.start.request();
        let _lock = lock(app, site, "vrel freeze start")?;
        Records::new(&app.world, site, config).refresh()?;
        let refs = remote_refs(app, site, config)?;
        let plan = freeze::plan_start(&app.world, site, config, &request, refs.as_ref())?;
        if plan.is_done() {
            return Err(show::nothing(&plan));
        }
        if self.agree.dry_run {
            return show::plan(app, &plan);
        }
        output::say(&show::describe(&plan));
        self.agree.ask(&format!("Freeze {}?", plan.line))?;
        let done = freeze::apply_start(&app.world, site, config, &request, refs.as_ref())?;
        show::started(app, &done)
    }
}

impl Status {
    fn run(self, app: &App, site: &Site, config: &Config) -> Outcome {
        let records = Records::new(&app.world, site, config);
        if self.fetch {
            records.refresh()?;
        }
        let view = records.view()?;
        let lines = match self.line {
            Some(line) => vec![line],
            None => freeze::all_freezes(&view)?
                .iter()
                .map(|freezes| freezes.line)
                .collect(),
        };
        let mut reports = Vec::new();
        for line in lines {
            if self.fetch {
                freeze::fetch_branch(&app.world, site, config, line)?;
            }
            reports.extend(freeze::report(&app.world, site, config, &view, line)?);
        }
        show::status(app, self.line, &reports, &records.state()?)
    }
}

impl Except {
    fn run(self, app: &App, site: &Site, config: &Config) -> Outcome {
        let request = ExceptRequest {
            line: self.line,
            what: self.what(app, site)?,
            reason: self.reason,
            risk: self
                .risk
                .parse::<Risk>()
                .map_err(|error| Failure::new(FailureKind::Usage, error))?,
            approver: self.approver,
            until: self.until,
        };
        let shown = format!(
            "Exception to the freeze of {}, recorded in {}\n  for       {}\n  reason    {}\n  risk      {}\n  approver  {}\n  until     {}",
            request.line,
            FreezeFile::path(request.line),
            request.what,
            request.reason,
            request.risk,
            request.approver,
            request.until
        );
        let question = "Record it?";
        decide(app, site, self.agree, &shown, question, "recorded", || {
            Ok(freeze::except(&app.world, site, config, &request)?)
        })
    }

    fn what(&self, app: &App, site: &Site) -> Result<Excepted, Failure> {
        if let Some(glob) = &self.path {
            return Ok(Excepted::Path(glob.clone()));
        }
        if let Some(subject) = &self.subject {
            return Ok(Excepted::Subject(subject.clone()));
        }
        let text = self.commit.as_deref().unwrap_or_default();
        match app.world.git().revision(site.root(), text)? {
            Some(commit) => Ok(Excepted::Commit(commit)),
            None => Err(Failure::new(
                FailureKind::Policy,
                format!("`{text}` is no commit of this repository"),
            )
            .hint("fetch it first; paths are given with `--path`, first lines with `--subject`")),
        }
    }
}

impl End {
    fn run(self, app: &App, site: &Site, config: &Config) -> Outcome {
        let view = Records::new(&app.world, site, config).view()?;
        let file = freeze::read_freezes(&view, self.line)?;
        let current = file.as_ref().and_then(|(_, file)| file.current(app.world.now()));
        let how = match current.map(|(_, window)| window.state(app.world.now())) {
            Some(FreezeState::Announced) => "calls off the freeze that is announced for",
            _ => "ends the freeze of",
        };
        let shown = format!("This {how} {}\n  reason  {}", self.line, self.reason);
        decide(app, site, self.agree, &shown, "End it?", "ended", || {
            Ok(freeze::end(&app.world, site, config, self.line, &self.reason)?)
        })
    }
}

/// Shows a decision, asks, takes it, and says whether there was anything to do.
fn decide(
    app: &App,
    site: &Site,
    agree: Agree,
    shown: &str,
    question: &str,
    done: &str,
    act: impl FnOnce() -> Result<Changed, Failure>,
) -> Outcome {
    if agree.dry_run {
        return output::print(&format!("{shown}\n"));
    }
    let _lock = lock(app, site, "vrel freeze")?;
    output::say(shown);
    agree.ask(question)?;
    let changed = act()?;
    if changed.is_nothing() {
        return Err(Failure::new(
            FailureKind::NothingToDo,
            format!("this is {done} already"),
        ));
    }
    if app.global.json {
        return output::print_json(
            &serde_json::json!({done: true, "commit": changed.commit, "pushed": changed.pushed}),
        );
    }
    let pushed = if changed.pushed {
        ", and pushed"
    } else {
        "; there is no remote to push it to"
    };
    output::print(&format!("This is {done}{pushed}.\n"))
}
