//! Carrying commits from one branch to another.

use crate::Result;
use std::path::Path;
use vrel_model::{TrialMerge, UtcTime};

/// A commit to carry over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The commit.
    pub commit: String,
    /// For a merge, the parent that its change is taken against, from 1; `None` for every other commit.
    pub mainline: Option<u32>,
    /// Whether the message stays as it is, because the commit is a pick already that moves to a newer tip; otherwise it
    /// gets the line that `git cherry-pick -x` adds.
    pub moved: bool,
}

impl Pick {
    /// A commit that is no merge.
    #[must_use]
    pub fn of(commit: impl Into<String>) -> Self {
        Self {
            commit: commit.into(),
            mainline: None,
            moved: false,
        }
    }
}

/// What became of a pick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// It is this new commit.
    Commit(String),
    /// It changes nothing there: its change is in already.
    Empty,
    /// It cannot be applied.
    Conflict {
        /// The files that it conflicts in, sorted.
        paths: Vec<String>,
    },
}

/// A list of commits to carry over.
#[derive(Clone, Copy, Debug)]
pub struct PickList<'a> {
    /// The commit that the first one goes onto.
    pub onto: &'a str,
    /// The commits, in their order.
    pub picks: &'a [Pick],
    /// The committer's time of the new commits.
    pub time: UtcTime,
    /// Whether a conflict ends the work; otherwise the commit is left out and the next one is tried.
    pub stop_at_conflict: bool,
}

/// What became of a list of picks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickedList {
    /// The last new commit; what the picks went onto when there is none.
    pub tip: String,
    /// What became of each pick that was tried, in order.
    pub picked: Vec<Picked>,
}

/// How far a person is with a conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConflictState {
    /// These files still have conflicts.
    Unresolved {
        /// Sorted.
        paths: Vec<String>,
    },
    /// All conflicts are resolved, but these files differ from what was staged.
    Unstaged {
        /// Sorted.
        paths: Vec<String>,
    },
    /// What is staged is the resolution.
    Staged,
    /// The person committed it.
    Committed {
        /// The commit.
        commit: String,
    },
    /// The person gave the pick up, or resolved it to nothing.
    GivenUp,
}

/// A pick's conflict in a work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictTree<'a> {
    /// The work tree's directory.
    pub dir: &'a Path,
    /// The commit that the pick goes onto.
    pub onto: &'a str,
    /// What is picked.
    pub pick: &'a Pick,
}

/// Carrying commits over, without a work tree unless there is a conflict. Works on bare repositories.
pub trait Picking: Send + Sync {
    /// Makes the new commits and nothing that names them. Each has the original's author, date and message; the committer is the configured user. The trees are those that `git cherry-pick`
    /// makes.
    ///
    /// # Errors
    /// When a commit cannot be read or written, is a merge without a mainline, or git is older than 2.38.
    fn pick(&self, repo: &Path, list: &PickList<'_>) -> Result<PickedList>;

    /// What would come of merging a commit, as `git merge` does it. Neither a ref nor a work tree changes.
    ///
    /// # Errors
    /// When a commit cannot be read, or git is older than 2.38.
    fn try_merge(&self, repo: &Path, ours: &str, theirs: &str) -> Result<TrialMerge>;

    /// The commits without merges that can be reached from `to` but from none of `hidden` and change one of the files,
    /// oldest first in topological order.
    ///
    /// # Errors
    /// When the history cannot be read.
    fn touching(&self, repo: &Path, hidden: &[&str], to: &str, paths: &[String]) -> Result<Vec<String>>;

    /// Makes a work tree in which the pick stands as `git cherry-pick -x` leaves it when it stops, for ordinary git tools
    /// to work on. A work tree that is there already stays as it is.
    ///
    /// # Errors
    /// When it cannot be made.
    fn prepare_conflict(&self, repo: &Path, conflict: &ConflictTree<'_>) -> Result<()>;

    /// How far a person is with it; `None` when there is no such work tree.
    ///
    /// # Errors
    /// When it cannot be read.
    fn look_at_conflict(&self, conflict: &ConflictTree<'_>) -> Result<Option<ConflictState>>;

    /// Makes the new commit from what is staged in the work tree, or from what the person committed there.
    ///
    /// # Errors
    /// When conflicts are left.
    fn finish_conflict(&self, repo: &Path, conflict: &ConflictTree<'_>, time: UtcTime) -> Result<Picked>;

    /// Removes the work tree; fine when there is none.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove_conflict(&self, repo: &Path, dir: &Path) -> Result<()>;

    /// Moves the branch that is checked out in the main work tree forward, with the work tree.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Rejected`] when the commit does not follow it, or the work tree has changes in the way.
    fn fast_forward(&self, repo: &Path, to: &str) -> Result<()>;

    /// In whose name commits are made, `Name <mail>`.
    ///
    /// # Errors
    /// When no name and mail address are configured.
    fn committer(&self, repo: &Path) -> Result<String>;
}
