//! Landing what was picked: each commit is checked, the branch moves once, the records follow.

use super::{BackportQueue, Candidate, FoundConflict, LineBranches, Needs, PickPlan, PlannedPick, refused};
use crate::EngineError;
use std::path::PathBuf;
use vrel_model::{BackportEvent, BackportState, Backports};
use vrel_process::short;
use vrel_world::{ErrorKind, PushRef};

/// What the checks of one commit said.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// It builds, and its tests pass.
    Passed,
    /// This check failed, with the end of what it said.
    Failed {
        /// The check.
        check: String,
        /// What it said.
        said: String,
    },
}

/// How picks land.
pub struct Landing<'a> {
    /// Checks a commit.
    pub check: &'a mut dyn FnMut(&PlannedPick) -> Result<CheckResult, EngineError>,
    /// Why they land without checks.
    pub unchecked: Option<&'a str>,
}

/// What landed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Landed {
    /// Where the line's branch is now, when it moved.
    pub tip: Option<String>,
    /// What is on the line now.
    pub picks: Vec<PlannedPick>,
    /// What did not pass, and why.
    pub failed: Vec<(PlannedPick, CheckResult)>,
    /// What could not follow in this repository although it landed.
    pub behind: Option<String>,
}

impl BackportQueue<'_> {
    /// Checks and lands what a plan picks, and records what became of everything in it.
    ///
    /// # Errors
    /// When somebody else moved the branch meanwhile (nothing has landed then, and what was picked is kept), when the
    /// remote cannot be reached, or when a check cannot be run.
    pub fn land(
        &self,
        branches: &LineBranches,
        plan: &PickPlan,
        landing: &mut Landing<'_>,
    ) -> Result<Landed, EngineError> {
        let mut landed = Landed::default();
        self.keep(Some(&plan.to), &branches.tip)?;
        landed.picks = self.checked(branches, plan, landing, &mut landed.failed)?;
        if let Some(last) = landed.picks.last() {
            let tip = last.made.clone();
            self.keep(Some(&tip), &branches.tip)?;
            self.publish(branches, &tip)?;
            landed.behind = self.follow(branches, &tip)?;
            landed.tip = Some(tip);
        }
        self.record_picks(plan, &landed, landing.unchecked)?;
        self.keep(None, &branches.tip)?;
        Ok(landed)
    }

    /// Notes what was picked, so that an interrupted run finds it again; with `None`, or when it is the line's tip, that
    /// there is nothing.
    fn keep(&self, chain: Option<&str>, tip: &str) -> Result<(), EngineError> {
        let (git, root, name) = (self.git(), self.root(), self.chain_ref());
        let found = git.resolve(root, &name)?;
        match (chain.filter(|chain| *chain != tip), &found) {
            (Some(chain), found) if found.as_deref() != Some(chain) => {
                git.set_ref(root, &name, chain, found.as_deref())?;
            }
            (None, Some(found)) => git.delete_ref(root, &name, found)?,
            _ => {}
        }
        Ok(())
    }

    /// Checks each commit; what does not pass is taken out, and the rest moves down.
    fn checked(
        &self,
        branches: &LineBranches,
        plan: &PickPlan,
        landing: &mut Landing<'_>,
        failed: &mut Vec<(PlannedPick, CheckResult)>,
    ) -> Result<Vec<PlannedPick>, EngineError> {
        if landing.unchecked.is_some() {
            return Ok(plan.picks.clone());
        }
        let mut open = plan.picks.clone();
        let mut passed: Vec<PlannedPick> = Vec::new();
        while !open.is_empty() {
            self.world.check_interrupt()?;
            let one = open.remove(0);
            match self.check(&one, landing)? {
                CheckResult::Passed => passed.push(one),
                result => {
                    failed.push((one, result));
                    let onto = passed.last().map_or(branches.tip.as_str(), |last| &last.made);
                    open = self.moved(onto, open)?;
                }
            }
        }
        Ok(passed)
    }

    /// Checks a commit once: one that passed does so again after an interruption.
    fn check(&self, pick: &PlannedPick, landing: &mut Landing<'_>) -> Result<CheckResult, EngineError> {
        let mark = self.passed_mark(&pick.made);
        if self.world.fs().metadata(&mark)?.is_some() {
            return Ok(CheckResult::Passed);
        }
        let result = (landing.check)(pick)?;
        if result == CheckResult::Passed {
            self.world.fs().create_dir_all(&self.dir().join("passed"))?;
            self.world.fs().write(&mark, b"", 0o644)?;
        }
        Ok(result)
    }

    fn passed_mark(&self, commit: &str) -> PathBuf {
        self.dir().join("passed").join(commit)
    }

    /// Where the sources of a commit are put to be checked.
    #[must_use]
    pub fn check_dir(&self) -> PathBuf {
        self.dir().join("src")
    }

    /// Moves the branch on the remote, if it is still where the plan saw it.
    fn publish(&self, branches: &LineBranches, tip: &str) -> Result<(), EngineError> {
        if !self.has_remote()? {
            return Ok(());
        }
        let (git, root, remote) = (self.git(), self.root(), &self.config.git.remote);
        let name = format!("refs/heads/{}", branches.branch);
        let to = PushRef {
            name: name.clone(),
            expected: branches.remote.clone(),
        };
        let Err(error) = git.push_commit(root, remote, tip, &to) else {
            return Ok(());
        };
        // The push may have arrived, and only its answer was lost.
        let Ok(refs) = git.ls_remote(root, remote) else {
            return Err(error.into());
        };
        let found = refs.get(&name);
        if found.is_some_and(|found| found == tip) {
            return Ok(());
        }
        if found == branches.remote.as_ref() {
            return Err(error.into());
        }
        Err(refused(
            format!(
                "somebody else moved `{}` on {remote} to {} meanwhile; nothing has landed",
                branches.branch,
                found.map_or("nothing", |found| short(found))
            ),
            "run the same command again: it goes on from there, with what was picked already",
        ))
    }

    /// Moves what this repository knows of the branch; what stays behind is said, when the remote has it anyway.
    fn follow(&self, branches: &LineBranches, tip: &str) -> Result<Option<String>, EngineError> {
        let (git, root) = (self.git(), self.root());
        let has_remote = self.has_remote()?;
        if has_remote {
            let tracking = format!("refs/remotes/{}/{}", self.config.git.remote, branches.branch);
            let seen = git.resolve(root, &tracking)?;
            if seen.as_deref() != Some(tip) {
                git.set_ref(root, &tracking, tip, seen.as_deref())?;
            }
        }
        let moved = if git.head(root)?.branch.as_ref() == Some(&branches.branch) {
            self.picking().fast_forward(root, tip)
        } else {
            let name = format!("refs/heads/{}", branches.branch);
            git.set_ref(root, &name, tip, branches.local.as_deref())
        };
        match moved {
            Err(error) if error.kind == ErrorKind::Rejected && has_remote => Ok(Some(error.reason)),
            moved => {
                moved?;
                Ok(None)
            }
        }
    }

    fn record_picks(
        &self,
        plan: &PickPlan,
        landed: &Landed,
        unchecked: Option<&str>,
    ) -> Result<(), EngineError> {
        let mut events: Vec<(Candidate, BackportEvent)> = Vec::new();
        for pick in &landed.picks {
            let mut event = self.event(BackportState::Picked)?;
            event.commit = Some(pick.made.clone());
            event.unchecked = unchecked.map(str::to_owned);
            events.push((pick.source.clone(), event));
        }
        for one in &plan.present {
            let mut event = self.event(BackportState::Picked)?;
            event.commit.clone_from(&one.commit);
            event.reason = Some("its change was on the line already".to_owned());
            events.push((one.source.clone(), event));
        }
        for conflict in &plan.conflicts {
            events.push((conflict.source.clone(), self.conflict_event(conflict)?));
        }
        let message = format!("chore(backport): pick {} for {}\n", events.len(), self.line);
        self.change(&message, &mut |queue| {
            let is_news =
                |(source, event): &&(Candidate, BackportEvent)| is_news(queue, &source.commit, event);
            Ok(events.iter().filter(is_news).cloned().collect())
        })
    }

    fn conflict_event(&self, conflict: &FoundConflict) -> Result<BackportEvent, EngineError> {
        let mut event = self.event(BackportState::Conflict)?;
        event.paths.clone_from(&conflict.paths);
        if let Needs::Commits(commits) = &conflict.needs {
            event.needs = commits.iter().map(|one| one.commit.clone()).collect();
        }
        Ok(event)
    }
}

/// Whether an event says something that the queue does not: a conflict that was found before is none.
fn is_news(queue: &Backports, commit: &str, event: &BackportEvent) -> bool {
    let Some(backport) = queue.find(commit) else {
        return false;
    };
    let last = backport.last();
    match (last.state, event.state) {
        (BackportState::Picked, _) => false,
        (BackportState::Conflict, BackportState::Conflict) => {
            (&last.paths, &last.needs) != (&event.paths, &event.needs)
        }
        // Somebody rejected it while it was tried.
        (BackportState::Rejected, BackportState::Conflict) => false,
        _ => true,
    }
}
