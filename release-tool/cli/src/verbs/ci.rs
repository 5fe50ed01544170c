//! `vrel ci`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::path::{Path, PathBuf};
use vrel_documents::ci::{CiFile, CiKind};
use vrel_engine::{CiDrift, ci_drift, ci_files, write_ci_files};
use vrel_process::plan_ci;

/// Write what runs the pipeline by itself: for cron, systemd and hosted CI.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel ci generate\n  vrel ci generate --check\n  vrel ci generate --only workflows --output \
                        .github"
)]
pub(crate) struct Ci {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a crontab, systemd units and workflows from vrel.toml and channels/.
    ///
    /// They test every change, hold commits to the rules of their branch, make the nightly of each day and tell when the
    /// channel of nightlies is stale or failing. The same policy files give the same bytes. Files that an earlier run wrote
    /// and that nothing asks for any more are removed; files that the tool did not write stay. Nothing is installed.
    #[command(
        after_help = "Examples:\n  vrel ci generate\n  vrel ci generate --check   # 3 when a file is not what policy says\n  \
                            vrel ci generate --only workflows --output .github"
    )]
    Generate(Generate),
}

#[derive(Debug, Args)]
struct Generate {
    /// Write nothing; say where the files that are there differ, by file and line, and fail when they do.
    #[arg(long)]
    check: bool,
    /// Only the files for this program.
    #[arg(long, value_enum, value_name = "PROGRAM")]
    only: Vec<Only>,
    /// The directory of the files [default: ci, in the repository]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output: Option<PathBuf>,
}

/// Whom files are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Only {
    /// cron.
    Crontab,
    /// systemd.
    Systemd,
    /// Hosted CI, in the language of GitHub Actions.
    Workflows,
}

impl From<Only> for CiKind {
    fn from(only: Only) -> Self {
        match only {
            Only::Crontab => Self::Crontab,
            Only::Systemd => Self::Systemd,
            Only::Workflows => Self::Workflows,
        }
    }
}

impl Ci {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let Command::Generate(generate) = self.command;
        generate.run(app)
    }
}

impl Generate {
    fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let plan = plan_ci(&policies).map_err(|findings| Failure::from_findings(&findings))?;
        let only: Vec<CiKind> = self.only.iter().copied().map(CiKind::from).collect();
        let files = ci_files(&plan, &only)?;
        let dir = self.output.unwrap_or_else(|| site.root().join("ci"));
        let drift = ci_drift(&app.world, &dir, &files)?;
        if self.check {
            return check(app, &dir, &files, &drift);
        }
        if drift.is_empty() {
            let message = format!("{} files in {} are what policy says", files.len(), dir.display());
            return Err(Failure::new(FailureKind::NothingToDo, message));
        }
        write_ci_files(&app.world, &dir, &files, &drift)?;
        if app.global.json {
            return output::print_json(&serde_json::json!({"directory": dir, "changed": drift}));
        }
        let lines = drift.iter().map(|drift| match drift {
            CiDrift::LeftOver { path } => format!("removed {}\n", dir.join(path).display()),
            CiDrift::Missing { path } | CiDrift::Differs { path, .. } => {
                format!("wrote {}\n", dir.join(path).display())
            }
        });
        output::print(&lines.collect::<String>())
    }
}

fn check(app: &App, dir: &Path, files: &[CiFile], drift: &[CiDrift]) -> Outcome {
    if app.global.json {
        output::print_json(&serde_json::json!({"directory": dir, "drift": drift}))?;
    } else if drift.is_empty() {
        output::print(&format!(
            "{} files in {} are what policy says.\n",
            files.len(),
            dir.display()
        ))?;
    }
    if drift.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::told(FailureKind::Policy)
        .hint("write them anew with `vrel ci generate`, and commit them with the change of policy");
    failure.messages = drift.iter().map(|drift| describe(dir, drift)).collect();
    Err(failure)
}

fn describe(dir: &Path, drift: &CiDrift) -> String {
    let name = |path: &str| dir.join(path).display().to_string();
    let quoted = |text: &Option<String>| match text {
        Some(text) => format!("`{}`", text.escape_debug()),
        None => "the end of the file".to_owned(),
    };
    match drift {
        CiDrift::Missing { path } => format!("{} is missing", name(path)),
        CiDrift::LeftOver { path } => format!("{} is left over: nothing asks for it any more", name(path)),
        CiDrift::Differs {
            path,
            line,
            expected,
            found,
        } => format!(
            "{}:{line}: expected {}, found {}",
            name(path),
            quoted(expected),
            quoted(found)
        ),
    }
}
