//! `vrel backport pick`.

use super::ToLine;
use crate::agree::Agree;
use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::progress::Reporter;
use crate::session::{ReleaseOptions, cargo_home, lock};
use crate::verbs::man::pages;
use clap::Args;
use vrel_engine::EngineError;
use vrel_engine::backport::{
    BackportQueue, Candidate, CheckResult, Checks, FoundConflict, Landed, Landing, LineBranches, Needs,
    OpenConflict, PickPlan, Which,
};
use vrel_engine::{Progress, ProgressEvent};
use vrel_process::short;

/// Carry accepted commits over, check them and land them.
///
/// Picks in memory, in the order of the development branch, shows what comes of it, and asks. Then each pick is built and
/// tested as `[backport]` of the line's vrel.toml says; what fails is left out. Last the line's branch moves once, if it is
/// where it was, here and on the remote. Run again after an interruption: what was picked and what passed is kept.
///
/// A named commit that conflicts is left in a work tree for a person; `--continue` takes the result.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel backport pick --all --to 0.6\n  vrel backport pick 3f2a1c --to 0.6\n  \
                        vrel backport pick --continue --to 0.6 --yes"
)]
pub(super) struct Pick {
    /// Commits of the queue, as for `nominate`.
    #[arg(value_name = "COMMIT", required_unless_present_any = ["all", "resume", "skip", "abort"])]
    commits: Vec<String>,
    #[command(flatten)]
    line: ToLine,
    /// Everything that is accepted; what conflicts is said, and the rest lands.
    #[arg(long, conflicts_with = "commits")]
    all: bool,
    /// Take what was made of the conflict in the work tree, and land it.
    #[arg(long = "continue", conflicts_with_all = ["commits", "all", "skip", "abort"])]
    resume: bool,
    /// Leave the commit in conflict out.
    #[arg(long, conflicts_with_all = ["commits", "all", "abort"])]
    skip: bool,
    /// Give up the conflict and all picks that have not landed.
    #[arg(long, conflicts_with_all = ["commits", "all"])]
    abort: bool,
    /// Land without building and testing; the reason is recorded.
    #[arg(long, value_name = "REASON")]
    no_check: Option<String>,
    #[command(flatten)]
    agree: Agree,
    #[command(flatten)]
    release: ReleaseOptions,
}

impl Pick {
    pub(super) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let command = format!("vrel backport pick --to {}", self.line.to);
        let _lock = lock(app, &site, &self.release, &command)?;
        let queue = BackportQueue::new(&app.world, &site, &policies.config, self.line.to);
        if self.abort {
            return abort(app, &queue);
        }
        if self.skip {
            let open = queue.skip()?;
            return tell(app, "skipped", &open);
        }
        queue.refresh()?;
        let branches = queue.branches()?;
        let named = self.named(&queue, &branches)?;
        let which = if self.all {
            Which::All
        } else {
            Which::These(&named)
        };
        let plan = queue.plan(&branches, which)?;
        if plan.is_empty() {
            let message = format!("nothing to pick for {}", self.line.to);
            return Err(Failure::new(FailureKind::NothingToDo, message));
        }
        if self.agree.dry_run && app.global.json {
            return output::print_json(&plan);
        }
        let text = describe(&plan);
        if self.agree.dry_run {
            return output::print(&text);
        }
        output::say(text.trim_end());
        if !plan.picks.is_empty() {
            self.agree.ask(&format!("Land this on {}?", plan.branch))?;
        }
        let landed = self.land(app, &queue, &branches, &plan)?;
        self.report(app, &queue, &plan, &landed)
    }

    /// The commits that are picked: those that were named, or the one whose conflict was resolved.
    fn named(&self, queue: &BackportQueue<'_>, branches: &LineBranches) -> Result<Vec<Candidate>, Failure> {
        if self.resume {
            if self.agree.dry_run {
                return Err(Failure::new(
                    FailureKind::Usage,
                    "`--continue` takes the work tree's result, which is no dry run",
                ));
            }
            let done = queue.resume()?;
            return Ok(queue.candidates(branches, &[done.commit])?);
        }
        if let Some(open) = queue.open_conflict()? {
            return Err(queue.is_open(&open).into());
        }
        Ok(queue.candidates(branches, &self.commits)?)
    }

    fn land(
        &self,
        app: &App,
        queue: &BackportQueue<'_>,
        branches: &LineBranches,
        plan: &PickPlan,
    ) -> Result<Landed, Failure> {
        let (site, _) = app.site()?;
        let reporter = Reporter::new(app.global.json, app.global.verbose);
        let checks = Checks {
            jobs: self.release.jobs(),
            tool_pages: &pages()?,
            cache: &self.release.cache(&site),
            cargo_home: &cargo_home()?,
            progress: &reporter,
        };
        let mut number = 0;
        let mut check = |pick: &vrel_engine::backport::PlannedPick| -> Result<CheckResult, EngineError> {
            number += 1;
            reporter.event(&ProgressEvent::StepStarted {
                step: "check",
                summary: &format!("{} {}", short(&pick.source.commit), pick.source.subject),
                index: number,
                total: plan.picks.len(),
            });
            let result = checks.run(queue, pick)?;
            reporter.event(&ProgressEvent::StepFinished {
                step: "check",
                skipped: false,
                note: short(&pick.source.commit),
            });
            Ok(result)
        };
        let landed = queue.land(
            branches,
            plan,
            &mut Landing {
                check: &mut check,
                unchecked: self.no_check.as_deref(),
            },
        );
        reporter.clear();
        Ok(landed?)
    }

    fn report(&self, app: &App, queue: &BackportQueue<'_>, plan: &PickPlan, landed: &Landed) -> Outcome {
        // Whoever named a commit wants it: a conflict is prepared for them.
        let mut open = None;
        if let Some(conflict) = plan.conflicts.first().filter(|_| !self.all) {
            open = Some(queue.prepare(&queue.branches()?, &conflict.source)?);
        }
        if app.global.json {
            output::print_json(&serde_json::json!({
                "line": queue.line().to_string(), "landed": landed, "present": plan.present,
                "conflicts": plan.conflicts, "open-conflict": open,
            }))?;
        } else {
            for pick in &landed.picks {
                let (source, made) = (short(&pick.source.commit), short(&pick.made));
                output::print(&format!("{source} landed as {made}: {}\n", pick.source.subject))?;
            }
        }
        if let Some(reason) = &landed.behind {
            output::say(&format!(
                "warning: `{}` stays behind in this repository: {reason}",
                plan.branch
            ));
        }
        let mut failure = Failure {
            kind: FailureKind::Policy,
            messages: Vec::new(),
            hints: Vec::new(),
        };
        for (pick, result) in &landed.failed {
            if let CheckResult::Failed { check, said } = result {
                let commit = short(&pick.source.commit);
                failure
                    .messages
                    .push(format!("{commit} was not landed: `{check}` failed\n{said}"));
            }
        }
        failure.messages.extend(plan.conflicts.iter().map(conflict_text));
        failure.hints.extend(self.remedies(plan, open.as_ref()));
        if failure.messages.is_empty() {
            Ok(())
        } else {
            Err(failure)
        }
    }

    fn remedies(&self, plan: &PickPlan, open: Option<&OpenConflict>) -> Vec<String> {
        let line = self.line.to;
        if let Some(open) = open {
            let dir = open.dir.display();
            return vec![format!(
                "the conflict waits in {dir}: resolve it, `git add` there, then `vrel backport pick --continue --to {line}`"
            )];
        }
        let mut hints = Vec::new();
        for conflict in &plan.conflicts {
            hints.push(match &conflict.needs {
                Needs::Commits(commits) => {
                    let names: Vec<&str> = commits.iter().map(|one| short(&one.commit)).collect();
                    format!(
                        "nominate and accept {} for {line}, then pick again",
                        names.join(" ")
                    )
                }
                Needs::Unknown => format!(
                    "resolve it by hand: `vrel backport pick {} --to {line}`",
                    short(&conflict.source.commit)
                ),
            });
        }
        hints
    }
}

fn abort(app: &App, queue: &BackportQueue<'_>) -> Outcome {
    if !queue.abort()? {
        let message = format!("nothing of {} is open", queue.line());
        return Err(Failure::new(FailureKind::NothingToDo, message));
    }
    if app.global.json {
        return output::print_json(&serde_json::json!({"aborted": queue.line().to_string()}));
    }
    output::print(&format!(
        "what was picked for {} and had not landed is given up\n",
        queue.line()
    ))
}

fn tell(app: &App, word: &str, open: &OpenConflict) -> Outcome {
    if app.global.json {
        return output::print_json(&serde_json::json!({word: open.commit}));
    }
    output::print(&format!("{word} {}\n", short(&open.commit)))
}

fn conflict_text(conflict: &FoundConflict) -> String {
    let source = &conflict.source;
    let mut text = format!(
        "{} {}: conflicts in {}",
        short(&source.commit),
        source.subject,
        conflict.paths.join(", ")
    );
    match &conflict.needs {
        Needs::Commits(commits) => {
            for one in commits {
                text.push_str(&format!(
                    "\n  needs {} first: {}",
                    short(&one.commit),
                    one.subject
                ));
            }
        }
        Needs::Unknown => text.push_str("\n  no commits were found that would help"),
    }
    text
}

/// What a pick would do, for a person.
fn describe(plan: &PickPlan) -> String {
    let mut text = format!("{} is at {}", plan.branch, short(&plan.from));
    if plan.picks.is_empty() {
        text.push_str(" and stays there\n");
    } else {
        text.push_str(&format!(" and moves to {}", short(&plan.to)));
        match &plan.remote {
            Some(remote) => text.push_str(&format!(", here and on {remote}\n")),
            None => text.push_str("; there is no remote\n"),
        }
    }
    if plan.unpushed > 0 {
        text.push_str(&format!(
            "  with {} commits of this repository that were not pushed\n",
            plan.unpushed
        ));
    }
    for pick in &plan.picks {
        text.push_str(&format!(
            "  pick {} {}\n",
            short(&pick.source.commit),
            pick.source.subject
        ));
    }
    for one in &plan.present {
        text.push_str(&format!(
            "  there already: {} {}\n",
            short(&one.source.commit),
            one.source.subject
        ));
    }
    for conflict in &plan.conflicts {
        text.push_str(&format!("  {}\n", conflict_text(conflict)));
    }
    text
}
