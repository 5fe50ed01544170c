//! `vrel backport nominate`, `accept` and `reject`.

use super::ToLine;
use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::Args;
use vrel_engine::backport::{BackportQueue, Candidate, Nominated};
use vrel_process::{Decision, Present, short};

/// Put commits into a line's queue.
///
/// Takes commits as git names them, ranges A..B (without their merges), and pull requests as #123, found by the subject of
/// their merge or squashed commit. A commit must be on the development branch. What the line has already, by the line that
/// `git cherry-pick -x` adds or by patch id, is said and not nominated.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel backport nominate 3f2a1c --to 0.6 --reason 'crashes on boot'\n  \
                        vrel backport nominate '#123' v0.6.0..main --to 0.6"
)]
pub(super) struct Nominate {
    /// Commits, ranges A..B, or #123.
    #[arg(required = true, value_name = "COMMIT")]
    commits: Vec<String>,
    #[command(flatten)]
    line: ToLine,
    /// Why the line needs it.
    #[arg(long)]
    reason: Option<String>,
}

/// Say that nominated commits are to be picked.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel backport accept 3f2a1c '#123' --to 0.6")]
pub(super) struct Accept {
    /// Commits of the queue, as for `nominate`.
    #[arg(required = true, value_name = "COMMIT")]
    commits: Vec<String>,
    #[command(flatten)]
    line: ToLine,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
}

/// Say that commits are not to be picked, and why.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel backport reject 3f2a1c --to 0.6 --reason 'changes the interface'")]
pub(super) struct Reject {
    /// Commits of the queue, as for `nominate`.
    #[arg(required = true, value_name = "COMMIT")]
    commits: Vec<String>,
    #[command(flatten)]
    line: ToLine,
    /// Why.
    #[arg(long)]
    reason: String,
}

impl Nominate {
    pub(super) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let queue = BackportQueue::new(&app.world, &site, &policies.config, self.line.to);
        queue.refresh()?;
        let branches = queue.branches()?;
        let candidates = queue.candidates(&branches, &self.commits)?;
        let outcome = queue.nominate(&branches, candidates, self.reason.as_deref())?;
        report(app, &queue, "nominated", &outcome)
    }
}

impl Accept {
    pub(super) fn run(self, app: &App) -> Outcome {
        decide(
            app,
            self.line,
            &self.commits,
            Decision::Accept,
            self.reason.as_deref(),
        )
    }
}

impl Reject {
    pub(super) fn run(self, app: &App) -> Outcome {
        decide(
            app,
            self.line,
            &self.commits,
            Decision::Reject,
            Some(&self.reason),
        )
    }
}

fn decide(app: &App, line: ToLine, commits: &[String], decision: Decision, reason: Option<&str>) -> Outcome {
    let (site, policies) = app.site()?;
    let queue = BackportQueue::new(&app.world, &site, &policies.config, line.to);
    queue.refresh()?;
    let candidates = queue.candidates(&queue.branches()?, commits)?;
    let outcome = queue.decide(&candidates, decision, reason)?;
    let word = if decision == Decision::Accept {
        "accepted"
    } else {
        "rejected"
    };
    report(app, &queue, word, &outcome)
}

fn named(candidate: &Candidate) -> String {
    format!("{} {}", short(&candidate.commit), candidate.subject)
}

fn report(app: &App, queue: &BackportQueue<'_>, word: &str, outcome: &Nominated) -> Outcome {
    let line = queue.line();
    if app.global.json {
        output::print_json(&serde_json::json!({"line": line.to_string(), "result": outcome}))?;
    } else {
        for candidate in &outcome.recorded {
            output::print(&format!("{word} for {line}: {}\n", named(candidate)))?;
        }
    }
    for candidate in &outcome.already {
        output::say(&format!("already in the queue of {line}: {}", named(candidate)));
    }
    for (candidate, present) in &outcome.present {
        output::say(&format!(
            "already on {line}{}: {}",
            how(present),
            named(candidate)
        ));
    }
    if outcome.recorded.is_empty() {
        return Err(Failure::new(
            FailureKind::NothingToDo,
            format!("nothing was {word}: there was nothing new"),
        ));
    }
    Ok(())
}

/// How a commit is on a line.
pub(super) fn how(present: &Present) -> String {
    match present {
        Present::Before => ", since before it began".to_owned(),
        Present::Named { by } => format!(" as {}", short(by)),
        Present::Same { commit } => format!(" as {}, by patch id", short(commit)),
    }
}
