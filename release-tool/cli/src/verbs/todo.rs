//! `vrel todo`.

pub(crate) mod change;
mod show;

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use change::Change;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use vrel_engine::Site;
use vrel_model::Version;
use vrel_process::Policies;
use vrel_todo::{EditError, Finding, Match, Place, PlanBox, Planned, Tagged, Wanted, Weight};
use vrel_world::{ErrorKind, World};

/// Show the living plan, and change it in place.
///
/// Without a command it shows the next release: its goals, what blocks it, and how far the checklist is. The others change
/// single lines of the file in the work tree and leave every other byte alone. GOAL and ISSUE are a line's text, the start
/// of it or a part of it, or `line N`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel todo\n  vrel todo tick Wayland compositor\n  vrel todo tick line 108 --commit\n  \
                        vrel todo add-goal 0.7.0 audio\n  vrel todo plan 0.10.0 --when \"2027 Q3\" --title Networking\n  \
                        vrel todo block add --release 0.6.0 \"the loader hangs (#12)\"\n  vrel todo check"
)]
pub(crate) struct Todo {
    /// What to do.
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tick a goal, a checklist item or a blocking issue.
    #[command(
        after_help = "Examples:\n  vrel todo tick vpkg in user space\n  vrel todo tick --in checklist all tests pass\n  \
                            vrel todo tick line 108 --commit"
    )]
    Tick(Tick),
    /// Clear a box.
    #[command(after_help = "Examples:\n  vrel todo untick vpkg in user space\n  vrel todo untick line 108")]
    Untick(Tick),
    /// Add a goal to a release of the roadmap.
    #[command(
        after_help = "Examples:\n  vrel todo add-goal 0.7.0 audio\n  vrel todo add-goal 0.7.0 \"basic desktop\" --commit"
    )]
    AddGoal {
        /// The release.
        version: Version,
        /// The goal.
        #[arg(required = true, value_name = "TEXT")]
        text: Vec<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Add an issue that blocks releases, or take one out.
    #[command(subcommand)]
    Block(Block),
    /// Add a known issue, or say that one is fixed.
    #[command(subcommand)]
    Known(Known),
    /// Plan a release: a new entry on the roadmap, or another time or theme for an open one.
    #[command(
        after_help = "Examples:\n  vrel todo plan 0.10.0 --when \"2027 Q3\" --title Networking\n  \
                            vrel todo plan 0.6.0 --when 2027-02 --commit"
    )]
    Plan {
        /// The final version.
        version: Version,
        /// When it is to come: `2027 Q1`, `2027-03`, `2027-03-31`, `after 2028 Q1` or `later`.
        #[arg(long, value_name = "TIME")]
        when: Option<String>,
        /// Its theme.
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Check that the plan agrees with itself and with the repository's tags.
    ///
    /// Every finding has its line. The exit code is 3 where one of them is an error, and 0 where there are only warnings.
    #[command(after_help = "Examples:\n  vrel todo check\n  vrel todo check --json")]
    Check,
}

#[derive(Debug, Args)]
struct Tick {
    /// The line's text, the start of it or a part of it, or `line N`.
    #[arg(required = true)]
    goal: Vec<String>,
    /// Only boxes of this kind.
    #[arg(long, value_enum, value_name = "KIND")]
    r#in: Option<Kind>,
    /// Only goals and blocking issues of this release. Goals of releases that are out count only when named like this, or
    /// by their line.
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,
    #[command(flatten)]
    change: Change,
}

/// A kind of box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Goals of releases.
    Goals,
    /// The pre-release checklist.
    Checklist,
    /// Blocking issues.
    Blocking,
}

#[derive(Debug, Subcommand)]
enum Block {
    /// Add an issue that stops a release, or every release.
    #[command(after_help = "Examples:\n  vrel todo block add --release 0.6.0 \"the loader hangs (#12)\"")]
    Add {
        /// The issue.
        #[arg(required = true, value_name = "TEXT")]
        text: Vec<String>,
        /// The release that it stops; every release when not given.
        #[arg(long, value_name = "VERSION")]
        release: Option<Version>,
        #[command(flatten)]
        change: Change,
    },
    /// Take an issue out of the plan. `vrel todo tick` keeps it there as solved.
    #[command(after_help = "Examples:\n  vrel todo block remove the loader hangs")]
    Remove {
        /// The issue's text, the start of it or a part of it, or `line N`.
        #[arg(required = true)]
        issue: Vec<String>,
        #[command(flatten)]
        change: Change,
    },
}

#[derive(Debug, Subcommand)]
enum Known {
    /// Add an issue that does not stop a release: its notes list it.
    #[command(
        after_help = "Examples:\n  vrel todo known add --release 0.6.0 \"no sound\" --workaround \"use the serial line\""
    )]
    Add {
        /// What does not work.
        #[arg(required = true, value_name = "TEXT")]
        text: Vec<String>,
        /// The release that has it; every release when not given.
        #[arg(long, value_name = "VERSION")]
        release: Option<Version>,
        /// What to do about it until then.
        #[arg(long, value_name = "TEXT")]
        workaround: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Say that an issue is fixed: its box is ticked, and notes list it no more.
    #[command(after_help = "Examples:\n  vrel todo known fix no sound")]
    Fix {
        /// The issue's text, the start of it or a part of it, or `line N`.
        #[arg(required = true)]
        issue: Vec<String>,
        #[command(flatten)]
        change: Change,
    },
}

impl Todo {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let plan = LivingPlan::open(app)?;
        match self.command {
            None => show::show(app, &plan),
            Some(Command::Tick(tick)) => tick.run(app, &plan, true),
            Some(Command::Untick(tick)) => tick.run(app, &plan, false),
            Some(Command::AddGoal {
                version,
                text,
                change,
            }) => {
                let (goal, text) = (text.join(" "), plan.parse()?);
                let subject = format!("add a goal to {version}: {goal}");
                change.make(app, &plan, &subject, text.add_goal(&version, &goal))
            }
            Some(Command::Block(block)) => block.run(app, &plan),
            Some(Command::Known(known)) => known.run(app, &plan),
            Some(Command::Plan {
                version,
                when,
                title,
                change,
            }) => {
                let planned = Planned {
                    when: when.as_deref(),
                    title: title.as_deref(),
                };
                let what = when
                    .as_ref()
                    .map_or_else(String::new, |when| format!(" for {when}"));
                let new = plan.parse()?.plan_release(&version, &planned);
                change.make(app, &plan, &format!("plan {version}{what}"), new)
            }
            Some(Command::Check) => check(app, &plan),
        }
    }
}

impl Tick {
    fn run(self, app: &App, plan: &LivingPlan, ticked: bool) -> Outcome {
        let wanted = wanted(&self.goal);
        let release = self.release.as_ref().map(Version::final_version);
        let todo = plan.parse()?;
        // The goals of what is out are many and ticked: nobody means them by a word.
        let named = matches!(wanted, Wanted::Line(_)) || release.is_some();
        let out: Vec<&Version> = todo
            .roadmap()
            .filter(|entry| entry.released && !named)
            .map(|entry| &entry.version)
            .collect();
        let among = |found: &PlanBox| {
            let kind = match found.place {
                Place::Goal(_) => Kind::Goals,
                Place::Checklist(_) => Kind::Checklist,
                Place::Blocking(_) => Kind::Blocking,
            };
            let of = match &found.place {
                Place::Goal(version) => Some(version),
                Place::Blocking(version) => version.as_ref(),
                Place::Checklist(_) => None,
            };
            let history = matches!(&found.place, Place::Goal(version) if out.contains(&version));
            !history
                && self.r#in.is_none_or(|wanted| wanted == kind)
                && release.as_ref().is_none_or(|release| of == Some(release))
        };
        let found = todo.tick(&wanted, among, ticked);
        let verb = if ticked { "tick" } else { "untick" };
        let subject = match &found {
            Ok((found, _)) => format!("{verb} \"{}\"", found.text),
            Err(_) => String::new(),
        };
        self.change.make(app, plan, &subject, found.map(|(_, text)| text))
    }
}

impl Block {
    fn run(self, app: &App, plan: &LivingPlan) -> Outcome {
        match self {
            Self::Add {
                text,
                release,
                change,
            } => {
                let issue = text.join(" ");
                let new = plan.parse()?.add_blocking(release.as_ref(), &issue);
                change.make(app, plan, &format!("{}: {issue}", blocked(release.as_ref())), new)
            }
            Self::Remove { issue, change } => {
                let wanted = wanted(&issue);
                match plan.parse()?.remove_blocking(&wanted) {
                    // What is to be gone is gone.
                    Err(error @ EditError::NoMatch { .. }) => {
                        let mut failure = plan.refused(&error);
                        failure.kind = FailureKind::NothingToDo;
                        Err(failure)
                    }
                    removed => {
                        let subject = match &removed {
                            Ok((found, _)) => format!("drop the blocking issue \"{}\"", found.text),
                            Err(_) => String::new(),
                        };
                        change.make(app, plan, &subject, removed.map(|(_, text)| text))
                    }
                }
            }
        }
    }
}

impl Known {
    fn run(self, app: &App, plan: &LivingPlan) -> Outcome {
        match self {
            Self::Add {
                text,
                release,
                workaround,
                change,
            } => {
                let issue = text.join(" ");
                let new = plan
                    .parse()?
                    .add_known(release.as_ref(), &issue, workaround.as_deref());
                change.make(app, plan, &format!("know of an issue: {issue}"), new)
            }
            Self::Fix { issue, change } => {
                let fixed = plan.parse()?.fix_known(&wanted(&issue));
                let subject = match &fixed {
                    Ok((found, _)) => format!("the issue \"{}\" is fixed", found.text),
                    Err(_) => String::new(),
                };
                change.make(app, plan, &subject, fixed.map(|(_, text)| text))
            }
        }
    }
}

fn blocked(release: Option<&Version>) -> String {
    release.map_or_else(
        || "block every release".to_owned(),
        |version| format!("block {version}"),
    )
}

/// What the words on the command line name.
fn wanted(words: &[String]) -> Wanted {
    match words.join(" ").parse() {
        Ok(wanted) => wanted,
        Err(never) => match never {},
    }
}

/// The living plan of the work tree.
pub(crate) struct LivingPlan {
    /// The repository.
    pub(crate) site: Site,
    /// Its policy files.
    pub(crate) policies: Policies,
    /// The file, from the repository's top.
    pub(crate) name: String,
    /// The file.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
}

impl LivingPlan {
    /// Reads the file.
    ///
    /// # Errors
    /// When there is none, or it is not text.
    pub(crate) fn open(app: &App) -> Result<Self, Failure> {
        let (site, policies) = app.site()?;
        let name = policies.config.plan.file.to_string_lossy().into_owned();
        let path = site.root().join(&policies.config.plan.file);
        let bytes = app.world.fs().read(&path).map_err(|error| match error.kind {
            ErrorKind::NotFound => Failure::new(FailureKind::Policy, format!("{name}: this file is missing"))
                .hint("`plan.file` in vrel.toml says where the living plan is"),
            _ => error.into(),
        })?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Failure::new(
                FailureKind::Policy,
                format!("{name}: this file is not UTF-8 text"),
            )
        })?;
        Ok(Self {
            site,
            policies,
            name,
            path,
            text,
        })
    }

    /// The plan as it is now.
    ///
    /// # Errors
    /// When it has not the form that releases rely on.
    pub(crate) fn parse(&self) -> Result<vrel_todo::Todo, Failure> {
        vrel_todo::Todo::parse(&self.text).map_err(|error| {
            Failure::new(FailureKind::Policy, format!("{}: {error}", self.name)).hint(error.hint())
        })
    }

    /// Why the plan was not changed.
    fn refused(&self, error: &EditError) -> Failure {
        let failure = Failure::new(FailureKind::Policy, format!("{}: {error}", self.name));
        let failure = failure.hint(error.hint());
        const SHOWN: usize = 12;
        let choices = error.choices();
        let mut shown = choices
            .iter()
            .take(SHOWN)
            .map(Match::to_string)
            .collect::<Vec<_>>();
        if choices.len() > SHOWN {
            shown.push(format!(
                "and {} more: `vrel todo --json` has them all",
                choices.len() - SHOWN
            ));
        }
        shown.into_iter().fold(failure, Failure::hint)
    }
}

fn check(app: &App, plan: &LivingPlan) -> Outcome {
    let tags = app.world.git().tags(plan.site.root())?;
    let tagged = tags.into_iter().filter_map(|tag| {
        Some(Tagged {
            version: Version::from_tag(&tag.name)?,
            commit: tag.commit,
        })
    });
    let findings = vrel_todo::check(&plan.text, &tagged.collect::<Vec<_>>());
    if app.global.json {
        let findings: Vec<_> = findings.iter().map(finding_json).collect();
        output::print_json(&serde_json::json!({"file": plan.name, "findings": findings}))?;
    } else if findings.is_empty() {
        output::print(&format!("{}: nothing is wrong with it.\n", plan.name))?;
    } else {
        let text: String = findings
            .iter()
            .map(|finding| describe(&plan.name, finding))
            .collect();
        output::print(&text)?;
    }
    let errors = findings
        .iter()
        .filter(|finding| finding.weight == Weight::Error)
        .count();
    if errors == 0 {
        return Ok(());
    }
    // The findings are the result, and said already.
    Err(Failure {
        kind: FailureKind::Policy,
        messages: Vec::new(),
        hints: Vec::new(),
    })
}

fn describe(name: &str, finding: &Finding) -> String {
    let place = finding
        .line
        .map_or_else(|| name.to_owned(), |line| format!("{name}:{line}"));
    let weight = weight(finding.weight);
    format!(
        "{place}: {weight}: {} [{}]\n  hint: {}\n",
        finding.message, finding.check, finding.hint
    )
}

fn weight(weight: Weight) -> &'static str {
    match weight {
        Weight::Warning => "warning",
        Weight::Error => "error",
    }
}

fn finding_json(finding: &Finding) -> serde_json::Value {
    serde_json::json!({
        "line": finding.line, "check": finding.check, "weight": weight(finding.weight),
        "message": finding.message, "hint": finding.hint,
    })
}
