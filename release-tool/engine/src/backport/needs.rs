//! What a commit needs before it can be picked.
//!
//! The commits that changed the same files on the development branch and that the line lacks are tried in memory: first
//! each alone, then all together with what they need themselves, from which is left out whatever is not needed. What is
//! named has been tried, and a file that has another name on the line is not followed.

use super::{BackportQueue, Candidate, LineBranches};
use crate::EngineError;
use std::collections::{BTreeSet, HashMap};
use vrel_world::{Pick, PickList, Picked};

/// How many commits are tried alone, and how many make a set.
const MOST: usize = 64;
/// How many sets are tried.
const ATTEMPTS: usize = 200;

/// What a commit needs before it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// With these picked before it, oldest first, it applies.
    Commits(Vec<Candidate>),
    /// None were found that help.
    Unknown,
}

struct Trial<'q, 'a> {
    queue: &'q BackportQueue<'a>,
    branches: &'q LineBranches,
    order: HashMap<&'q str, usize>,
    onto: &'q str,
    target: &'q Pick,
    left: usize,
}

impl BackportQueue<'_> {
    /// Finds what a pick in conflict needs.
    pub(super) fn needs(
        &self,
        branches: &LineBranches,
        onto: &str,
        target: &Pick,
        paths: &[String],
    ) -> Result<Needs, EngineError> {
        let mut trial = Trial {
            queue: self,
            branches,
            order: branches.order(),
            onto,
            target,
            left: ATTEMPTS,
        };
        let all = trial.candidates(onto, &target.commit, paths)?;
        for alone in all.iter().rev().take(MOST) {
            if trial.helps(std::slice::from_ref(alone))?.is_ok() {
                return trial.named(vec![*alone]);
            }
        }
        match trial.closed(all)? {
            Some(set) => trial.smallest(set).and_then(|set| trial.named(set)),
            None => Ok(Needs::Unknown),
        }
    }
}

/// Which of a set of commits conflicted (`None`: the target), and in which files.
type Conflict = (Option<usize>, Vec<String>);

impl Trial<'_, '_> {
    /// The commits before one that changed its files, which the line lacks, by their place in the history.
    fn candidates(&self, onto: &str, commit: &str, paths: &[String]) -> Result<Vec<usize>, EngineError> {
        let queue = self.queue;
        let Some(before) = queue.git().first_parent(queue.root(), commit)? else {
            return Ok(Vec::new());
        };
        let hidden = [onto, self.branches.tip.as_str()];
        let found = queue.picking().touching(queue.root(), &hidden, &before, paths)?;
        let ids: Vec<&str> = found.iter().map(String::as_str).collect();
        let present = queue.present(self.branches, &ids)?;
        let missing = ids.iter().zip(present).filter(|(_, present)| present.is_none());
        Ok(missing
            .filter_map(|(id, _)| self.order.get(id).copied())
            .collect())
    }

    fn pick(&self, place: usize) -> Pick {
        Pick::of(&self.branches.ahead[place].id)
    }

    /// Picks a set and then the target: fine, or which of them conflicted where.
    fn helps(&mut self, set: &[usize]) -> Result<Result<(), Conflict>, EngineError> {
        self.left = self.left.saturating_sub(1);
        let mut picks: Vec<Pick> = set.iter().map(|place| self.pick(*place)).collect();
        picks.push(self.target.clone());
        let list = PickList {
            onto: self.onto,
            picks: &picks,
            time: self.queue.world.now(),
            stop_at_conflict: true,
        };
        let done = self.queue.picking().pick(self.queue.root(), &list)?;
        Ok(match done.picked.last() {
            Some(Picked::Conflict { paths }) => Err((set.get(done.picked.len() - 1).copied(), paths.clone())),
            _ => Ok(()),
        })
    }

    /// A set that helps: the given one with what its members need.
    fn closed(&mut self, all: Vec<usize>) -> Result<Option<Vec<usize>>, EngineError> {
        let mut set: BTreeSet<usize> = all.into_iter().collect();
        while !set.is_empty() && set.len() <= MOST && self.left > 0 {
            let list: Vec<usize> = set.iter().copied().collect();
            match self.helps(&list)? {
                Ok(()) => return Ok(Some(list)),
                Err((None, _)) => return Ok(None),
                Err((Some(place), paths)) => {
                    let before = set.len();
                    let commit = self.branches.ahead[place].id.clone();
                    set.extend(self.candidates(self.onto, &commit, &paths)?);
                    if set.len() == before {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Leaves out, from the newest on, what is not needed.
    fn smallest(&mut self, mut set: Vec<usize>) -> Result<Vec<usize>, EngineError> {
        let mut at = set.len();
        while at > 0 && self.left > 0 {
            at -= 1;
            let mut fewer = set.clone();
            fewer.remove(at);
            if self.helps(&fewer)?.is_ok() {
                set = fewer;
            }
        }
        Ok(set)
    }

    fn named(&self, set: Vec<usize>) -> Result<Needs, EngineError> {
        let commits = set.iter().map(|place| &self.branches.ahead[*place]);
        Ok(Needs::Commits(commits.map(Candidate::from).collect()))
    }
}
