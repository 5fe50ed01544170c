//! Picks, made from trees and commits without a work tree. New objects are loose: a pick makes a handful, git has to see
//! them at once when it merges, and what no ref comes to name is collected as garbage.

mod commit;
mod conflict;
mod merge;

use super::Interrupt;
use super::git::{RealGit, failed, find_commit, identity, oid};
use super::process::RealProcesses;
use crate::{
    ConflictState, ConflictTree, ErrorKind, Pick, PickList, Picked, PickedList, Picking, Processes, Result,
    WorldError,
};
use git2::{Commit, Oid, Repository, Sort};
use merge::Merged;
use std::path::Path;
use vrel_model::{TrialMerge, UtcTime};

#[derive(Debug, Default)]
pub(super) struct RealPicking {
    interrupt: Interrupt,
}

/// What a pick's change is taken against.
fn base_of<'r>(commit: &Commit<'r>, mainline: Option<u32>) -> Result<Option<Commit<'r>>> {
    let wrong = |reason: String| {
        Err(WorldError::new(
            "pick",
            commit.id().to_string(),
            ErrorKind::Other,
            reason,
        ))
    };
    let parents = commit.parent_count();
    let number = match mainline {
        None if parents > 1 => {
            return wrong("it is a merge; say against which of its parents its change is taken".to_owned());
        }
        None if parents == 0 => return Ok(None),
        None => 1,
        Some(number) if parents > 1 && number >= 1 && number as usize <= parents => number,
        Some(number) => return wrong(format!("it has no parent {number} to take its change against")),
    };
    commit
        .parent(number as usize - 1)
        .map(Some)
        .map_err(|error| failed("read the parent of", commit.id().to_string(), &error))
}

fn open(repo: &Path) -> Result<Repository> {
    Repository::open(repo).map_err(|error| failed("open the repository", repo.display().to_string(), &error))
}

impl RealPicking {
    pub(super) fn new(interrupt: Interrupt) -> Self {
        Self { interrupt }
    }

    fn processes(&self) -> RealProcesses {
        RealProcesses::new(self.interrupt.clone(), None)
    }

    fn pick_one(&self, repo: &Repository, onto: Oid, pick: &Pick, time: UtcTime) -> Result<Picked> {
        let commit = find_commit(repo, &pick.commit)?;
        let ours = repo
            .find_commit(onto)
            .map_err(|error| failed("read the commit", onto.to_string(), &error))?;
        let base = base_of(&commit, pick.mainline)?;
        let tree_id = |commit: &Commit<'_>| commit.tree_id();
        let plain = match &base {
            Some(base) => merge::plain(repo, tree_id(base), tree_id(&ours), tree_id(&commit))?,
            None => None,
        };
        let merged = match plain {
            Some(tree) => Merged::Tree(tree),
            None => {
                let base = base.as_ref().map(tree_id);
                merge::by_git(&self.processes(), repo, base, tree_id(&ours), tree_id(&commit))?
            }
        };
        match merged {
            Merged::Conflict(paths) => Ok(Picked::Conflict { paths }),
            Merged::Tree(tree) if tree == ours.tree_id() => Ok(Picked::Empty),
            Merged::Tree(tree) => {
                let made = commit::carry_over(repo, &commit, onto, tree, time, pick.moved)?;
                Ok(Picked::Commit(made.to_string()))
            }
        }
    }
}

impl Picking for RealPicking {
    fn pick(&self, repo: &Path, list: &PickList<'_>) -> Result<PickedList> {
        let repo = open(repo)?;
        let mut tip = oid(list.onto)?;
        let mut picked = Vec::new();
        for pick in list.picks {
            self.interrupt.check()?;
            let one = self.pick_one(&repo, tip, pick, list.time)?;
            if let Picked::Commit(made) = &one {
                tip = oid(made)?;
            }
            let stop = list.stop_at_conflict && matches!(one, Picked::Conflict { .. });
            picked.push(one);
            if stop {
                break;
            }
        }
        Ok(PickedList {
            tip: tip.to_string(),
            picked,
        })
    }

    fn try_merge(&self, repo: &Path, ours: &str, theirs: &str) -> Result<TrialMerge> {
        self.interrupt.check()?;
        let repo = open(repo)?;
        let (ours, theirs) = (find_commit(&repo, ours)?.id(), find_commit(&repo, theirs)?.id());
        match repo.merge_base(ours, theirs) {
            Ok(_) => {}
            Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(TrialMerge::Unrelated),
            Err(error) => {
                return Err(failed(
                    "find the last common commit of",
                    theirs.to_string(),
                    &error,
                ));
            }
        }
        Ok(
            match merge::commits_by_git(&self.processes(), &repo, ours, theirs)? {
                Merged::Tree(_) => TrialMerge::Clean,
                Merged::Conflict(paths) => TrialMerge::Conflicts { paths },
            },
        )
    }

    fn touching(&self, repo: &Path, hidden: &[&str], to: &str, paths: &[String]) -> Result<Vec<String>> {
        let repo = open(repo)?;
        let mut found = Vec::new();
        for id in walk(&repo, hidden, to)? {
            self.interrupt.check()?;
            let commit = find_commit(&repo, &id.to_string())?;
            if commit.parent_count() <= 1 && touches(&commit, paths) {
                found.push(id.to_string());
            }
        }
        Ok(found)
    }

    fn prepare_conflict(&self, repo: &Path, conflict: &ConflictTree<'_>) -> Result<()> {
        conflict::prepare(&self.processes(), repo, conflict)
    }

    fn look_at_conflict(&self, conflict: &ConflictTree<'_>) -> Result<Option<ConflictState>> {
        conflict::look(&self.processes(), conflict)
    }

    fn finish_conflict(&self, repo: &Path, conflict: &ConflictTree<'_>, time: UtcTime) -> Result<Picked> {
        conflict::finish(&self.processes(), &open(repo)?, conflict, time)
    }

    fn remove_conflict(&self, repo: &Path, dir: &Path) -> Result<()> {
        conflict::remove(&self.processes(), repo, dir)
    }

    fn fast_forward(&self, repo: &Path, to: &str) -> Result<()> {
        let command = RealGit::command(repo).args(["merge", "--quiet", "--ff-only", "--", to]);
        self.processes().output(&command).map(drop).map_err(|error| {
            let reason = format!("the work tree cannot follow: {}", error.reason);
            WorldError::new("move", "the checked-out branch", ErrorKind::Rejected, reason)
        })
    }

    fn committer(&self, repo: &Path) -> Result<String> {
        let time = UtcTime::from_unix(0)
            .map_err(|error| WorldError::new("read", "the time", ErrorKind::Other, error.to_string()))?;
        let who = identity(&open(repo)?, time)?;
        Ok(format!(
            "{} <{}>",
            String::from_utf8_lossy(who.name_bytes()),
            String::from_utf8_lossy(who.email_bytes())
        ))
    }
}

/// The commits from `hidden` to `to`, oldest first.
fn walk(repo: &Repository, hidden: &[&str], to: &str) -> Result<Vec<Oid>> {
    let read = || {
        let mut walk = repo.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
        walk.push(Oid::from_str(to)?)?;
        for id in hidden {
            walk.hide(Oid::from_str(id)?)?;
        }
        walk.collect::<std::result::Result<Vec<_>, _>>()
    };
    read().map_err(|error: git2::Error| failed("walk the history of", to, &error))
}

/// Whether a commit changes one of the files, by the ids in the trees.
fn touches(commit: &Commit<'_>, paths: &[String]) -> bool {
    let entry = |commit: &Commit<'_>, path: &str| {
        let entry = commit.tree().ok()?.get_path(Path::new(path)).ok()?;
        Some((entry.filemode_raw(), entry.id()))
    };
    let parent = commit.parent(0).ok();
    paths
        .iter()
        .any(|path| entry(commit, path) != parent.as_ref().and_then(|parent| entry(parent, path)))
}
