//! What a pick would do: found out by doing it, in memory.

use super::{BackportQueue, Candidate, LineBranches, Needs, refused, subject};
use crate::EngineError;
use std::collections::BTreeSet;
use vrel_model::{Backport, BackportState, Backports, HistoryCommit, origins};
use vrel_process::{Present, short};
use vrel_world::{Pick, PickList, Picked};

/// Which commits of the queue are picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// All that are accepted, and those that conflicted before.
    All,
    /// These.
    These(&'a [Candidate]),
}

/// A commit that applies.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PlannedPick {
    /// What is picked.
    #[serde(flatten)]
    pub source: Candidate,
    /// The new commit.
    pub made: String,
}

/// A commit that is on the line already.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FoundPresent {
    /// The commit.
    #[serde(flatten)]
    pub source: Candidate,
    /// The commit on the line that has its change; `None` when its change is nothing there.
    pub commit: Option<String>,
}

/// A commit that does not apply.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FoundConflict {
    /// The commit.
    #[serde(flatten)]
    pub source: Candidate,
    /// The files.
    pub paths: Vec<String>,
    /// What it needs.
    pub needs: Needs,
}

/// What a pick would do. The new commits are there, but no branch has them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PickPlan {
    /// The line's branch.
    pub branch: String,
    /// Where it is.
    pub from: String,
    /// Where it would be.
    pub to: String,
    /// The remote that is pushed to.
    pub remote: Option<String>,
    /// Commits of this repository's branch that the remote lacks, and gets too.
    pub unpushed: usize,
    /// What is picked, in this order.
    pub picks: Vec<PlannedPick>,
    /// What is there already.
    pub present: Vec<FoundPresent>,
    /// What conflicts.
    pub conflicts: Vec<FoundConflict>,
}

impl PickPlan {
    /// Whether there is nothing to do and nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.picks.is_empty() && self.present.is_empty() && self.conflicts.is_empty()
    }
}

fn as_pick(source: &Candidate) -> Pick {
    Pick {
        commit: source.commit.clone(),
        mainline: source.mainline,
        moved: false,
    }
}

fn source_of(backport: &Backport) -> Candidate {
    Candidate {
        commit: backport.commit.clone(),
        subject: backport.subject.clone(),
        mainline: backport.mainline,
    }
}

/// Whether a backport waits to be picked.
fn is_wanted(backport: &Backport) -> bool {
    matches!(
        backport.state(),
        BackportState::Accepted | BackportState::Conflict
    )
}

impl BackportQueue<'_> {
    /// Plans a pick. What an earlier run picked and did not land is part of it.
    ///
    /// # Errors
    /// When a commit is not accepted, or the repository cannot be read or written.
    pub fn plan(&self, branches: &LineBranches, which: Which<'_>) -> Result<PickPlan, EngineError> {
        let queue = self.read()?;
        let wanted = self.wanted(branches, &queue, which)?;
        let mut plan = self.start(branches)?;
        let chain = self.carried_on(branches, &queue)?;
        if let Some(last) = chain.last() {
            plan.to.clone_from(&last.made);
        }
        let in_chain: BTreeSet<String> = chain.iter().map(|pick| pick.source.commit.clone()).collect();
        plan.picks = chain;
        let ids: Vec<&str> = wanted.iter().map(|one| one.commit.as_str()).collect();
        let present = self.present(branches, &ids)?;
        let mut open = Vec::new();
        for (source, present) in wanted.into_iter().zip(present) {
            match present {
                Some(present) => plan.present.push(FoundPresent {
                    commit: present.commit().map(str::to_owned),
                    source,
                }),
                None if in_chain.contains(&source.commit) => {}
                None => open.push(source),
            }
        }
        self.try_all(branches, &mut plan, open)?;
        Ok(plan)
    }

    fn start(&self, branches: &LineBranches) -> Result<PickPlan, EngineError> {
        let remote = if self.has_remote()? {
            Some(self.config.git.remote.clone())
        } else {
            None
        };
        let unpushed = match (&remote, &branches.remote) {
            (Some(_), Some(seen)) => {
                let difference = self.git().difference(self.root(), &[&branches.tip], &[seen])?;
                difference.ours.len()
            }
            _ => 0,
        };
        Ok(PickPlan {
            branch: branches.branch.clone(),
            from: branches.tip.clone(),
            to: branches.tip.clone(),
            remote,
            unpushed,
            picks: Vec::new(),
            present: Vec::new(),
            conflicts: Vec::new(),
        })
    }

    /// The commits to pick, in the order in which the development branch got them.
    fn wanted(
        &self,
        branches: &LineBranches,
        queue: &Backports,
        which: Which<'_>,
    ) -> Result<Vec<Candidate>, EngineError> {
        let mut wanted: Vec<Candidate> = match which {
            Which::All => queue
                .list
                .iter()
                .filter(|one| is_wanted(one))
                .map(source_of)
                .collect(),
            Which::These(commits) => {
                let mut found = Vec::new();
                for one in commits {
                    match queue.find(&one.commit) {
                        Some(backport) if is_wanted(backport) => found.push(source_of(backport)),
                        Some(backport) if backport.state() == BackportState::Picked => {}
                        other => return Err(self.not_accepted(&one.commit, other)),
                    }
                }
                found
            }
        };
        let order = branches.order();
        wanted.sort_by_key(|one| order.get(one.commit.as_str()).copied().unwrap_or(usize::MAX));
        Ok(wanted)
    }

    fn not_accepted(&self, commit: &str, found: Option<&Backport>) -> EngineError {
        let (name, line) = (short(commit), self.line);
        match found {
            None => refused(
                format!("{name} is not in the queue of {line}"),
                format!("run `vrel backport nominate {name} --to {line}`, then have it accepted"),
            ),
            Some(backport) => refused(
                format!(
                    "{name} is {}, not accepted, since {} by {}",
                    backport.state(),
                    backport.last().at,
                    backport.last().by
                ),
                format!("run `vrel backport accept {name} --to {line}`"),
            ),
        }
    }

    /// What an earlier run picked and did not land, moved to the line's newest commit and without what nobody wants any
    /// more.
    fn carried_on(
        &self,
        branches: &LineBranches,
        queue: &Backports,
    ) -> Result<Vec<PlannedPick>, EngineError> {
        let (git, root) = (self.git(), self.root());
        let Some(chain) = git.resolve(root, &self.chain_ref())? else {
            return Ok(Vec::new());
        };
        let difference = git.difference(root, &[&chain], &[&branches.tip])?;
        let mut commits = difference.ours;
        commits.reverse();
        let planned = |commit: &HistoryCommit| {
            let origin = origins(&commit.message).last().copied()?.to_owned();
            let backport = queue.find(&origin).filter(|one| is_wanted(one))?;
            Some(PlannedPick {
                source: source_of(backport),
                made: commit.id.clone(),
            })
        };
        let standing: Vec<PlannedPick> = commits.iter().filter_map(planned).collect();
        if difference.theirs.is_empty() && standing.len() == commits.len() {
            return Ok(standing);
        }
        self.moved(&branches.tip, standing)
    }

    /// Picks once more onto another commit, with the messages as they are. What conflicts there is left out.
    pub(super) fn moved(&self, onto: &str, picks: Vec<PlannedPick>) -> Result<Vec<PlannedPick>, EngineError> {
        let list: Vec<Pick> = picks
            .iter()
            .map(|pick| Pick {
                moved: true,
                ..Pick::of(&pick.made)
            })
            .collect();
        let done = self.pick(onto, &list)?;
        let moved = picks.into_iter().zip(done.picked);
        Ok(moved
            .filter_map(|(pick, picked)| match picked {
                Picked::Commit(made) => Some(PlannedPick { made, ..pick }),
                Picked::Empty | Picked::Conflict { .. } => None,
            })
            .collect())
    }

    fn pick(&self, onto: &str, picks: &[Pick]) -> Result<vrel_world::PickedList, EngineError> {
        let list = PickList {
            onto,
            picks,
            time: self.world.now(),
            stop_at_conflict: false,
        };
        Ok(self.picking().pick(self.root(), &list)?)
    }

    /// Picks what is open onto what the plan has, and looks into what does not apply.
    fn try_all(
        &self,
        branches: &LineBranches,
        plan: &mut PickPlan,
        open: Vec<Candidate>,
    ) -> Result<(), EngineError> {
        let picks: Vec<Pick> = open.iter().map(as_pick).collect();
        let done = self.pick(&plan.to, &picks)?;
        for ((source, pick), picked) in open.into_iter().zip(&picks).zip(done.picked) {
            match picked {
                Picked::Commit(made) => {
                    plan.to.clone_from(&made);
                    plan.picks.push(PlannedPick { source, made });
                }
                Picked::Empty => plan.present.push(FoundPresent { source, commit: None }),
                Picked::Conflict { paths } => {
                    let needs = self.needs(branches, &plan.to, pick, &paths)?;
                    plan.conflicts.push(FoundConflict { source, paths, needs });
                }
            }
        }
        Ok(())
    }

    /// What of the queue is on the line, whatever the queue says, and what was picked here and has not landed: for
    /// `status`.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn standing(
        &self,
        branches: &LineBranches,
    ) -> Result<Vec<(Backport, Option<Present>, bool)>, EngineError> {
        let queue = self.read()?;
        let chain = match self.git().resolve(self.root(), &self.chain_ref())? {
            Some(chain) => {
                self.git()
                    .difference(self.root(), &[&chain], &[&branches.tip])?
                    .ours
            }
            None => Vec::new(),
        };
        let picked: BTreeSet<&str> = chain.iter().flat_map(|one| origins(&one.message)).collect();
        let ids: Vec<&str> = queue.list.iter().map(|one| one.commit.as_str()).collect();
        let present = self.present(branches, &ids)?;
        let rows = queue.list.iter().zip(present);
        Ok(rows
            .map(|(one, present)| (one.clone(), present, picked.contains(one.commit.as_str())))
            .collect())
    }

    /// The subject of a commit.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn subject_of(&self, commit: &str) -> Result<String, EngineError> {
        let parent = self.git().first_parent(self.root(), commit)?;
        let hidden: Vec<&str> = parent.iter().map(String::as_str).collect();
        let history = self.git().difference(self.root(), &[commit], &hidden)?.ours;
        let found = history.iter().find(|one| one.id == commit);
        Ok(found.map(|one| subject(&one.message)).unwrap_or_default())
    }
}
