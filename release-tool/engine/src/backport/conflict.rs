//! The work tree of a conflict: made, found again, finished, given up.

use super::{BackportQueue, Candidate, LineBranches, refused};
use crate::EngineError;
use std::path::PathBuf;
use vrel_model::is_commit_id;
use vrel_process::short;
use vrel_world::{ConflictState, ConflictTree, Pick, Picked};

/// A conflict that a person is to resolve.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OpenConflict {
    /// The commit that is picked.
    pub commit: String,
    /// The work tree.
    pub dir: PathBuf,
}

impl BackportQueue<'_> {
    /// The conflict of this line that waits in a work tree; `None` when there is none.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn open_conflict(&self) -> Result<Option<OpenConflict>, EngineError> {
        let fs = self.world.fs();
        if fs.metadata(&self.dir())?.is_none() {
            return Ok(None);
        }
        let entries = fs.list(&self.dir())?;
        let found = entries.into_iter().find(|entry| is_commit_id(&entry.name));
        Ok(found.map(|entry| OpenConflict {
            dir: self.dir().join(&entry.name),
            commit: entry.name,
        }))
    }

    /// Makes the work tree in which a person resolves a conflict, on top of what was picked so far.
    ///
    /// # Errors
    /// When another conflict of the line is open, or it cannot be made.
    pub fn prepare(&self, branches: &LineBranches, source: &Candidate) -> Result<OpenConflict, EngineError> {
        if let Some(open) = self.open_conflict()?.filter(|open| open.commit != source.commit) {
            return Err(self.is_open(&open));
        }
        let onto = self.git().resolve(self.root(), &self.chain_ref())?;
        let onto = match onto {
            Some(onto) => onto,
            None => {
                self.git()
                    .set_ref(self.root(), &self.chain_ref(), &branches.tip, None)?;
                branches.tip.clone()
            }
        };
        let open = OpenConflict {
            commit: source.commit.clone(),
            dir: self.dir().join(&source.commit),
        };
        let pick = Pick {
            mainline: source.mainline,
            ..Pick::of(&source.commit)
        };
        let tree = ConflictTree {
            dir: &open.dir,
            onto: &onto,
            pick: &pick,
        };
        self.picking().prepare_conflict(self.root(), &tree)?;
        Ok(open)
    }

    /// That a conflict is open, as an error.
    #[must_use]
    pub fn is_open(&self, open: &OpenConflict) -> EngineError {
        refused(
            format!(
                "the conflict of {} waits in {}",
                short(&open.commit),
                open.dir.display()
            ),
            format!(
                "resolve it there and run `vrel backport pick --to {0} --continue`; `--skip` leaves this commit out, \
                 `--abort` gives up everything that has not landed",
                self.line
            ),
        )
    }

    /// Takes what a person made of the open conflict as the next commit of what was picked, and removes the work tree.
    ///
    /// # Errors
    /// When no conflict is open, or it is not resolved.
    pub fn resume(&self) -> Result<OpenConflict, EngineError> {
        let (open, onto) = self.must_be_open()?;
        let queue = self.read()?;
        let backport = queue.find(&open.commit);
        let pick = Pick {
            mainline: backport.and_then(|backport| backport.mainline),
            ..Pick::of(&open.commit)
        };
        let tree = ConflictTree {
            dir: &open.dir,
            onto: &onto,
            pick: &pick,
        };
        let dir = open.dir.display();
        match self.picking().look_at_conflict(&tree)? {
            Some(ConflictState::Unresolved { paths }) => {
                return Err(refused(
                    format!("{dir} still has conflicts in {}", paths.join(", ")),
                    "edit them, then `git add` them there",
                ));
            }
            Some(ConflictState::Unstaged { paths }) => {
                return Err(refused(
                    format!("in {dir} not staged: {}", paths.join(", ")),
                    "run `git add` there with what belongs to the resolution, and `git restore` with the rest",
                ));
            }
            Some(ConflictState::GivenUp) => {
                return Err(refused(
                    format!("{dir} has no change: the pick was given up there, or resolved to nothing"),
                    format!("leave it out with `vrel backport pick --to {} --skip`", self.line),
                ));
            }
            Some(ConflictState::Staged | ConflictState::Committed { .. }) | None => {}
        }
        let now = self.world.now();
        if let Picked::Commit(made) = self.picking().finish_conflict(self.root(), &tree, now)? {
            self.git()
                .set_ref(self.root(), &self.chain_ref(), &made, Some(&onto))?;
        }
        self.picking().remove_conflict(self.root(), &open.dir)?;
        Ok(open)
    }

    fn must_be_open(&self) -> Result<(OpenConflict, String), EngineError> {
        let none = || {
            refused(
                format!("no conflict of {} is open", self.line),
                format!("`vrel backport status --to {}` shows the queue", self.line),
            )
        };
        let open = self.open_conflict()?.ok_or_else(none)?;
        let onto = self
            .git()
            .resolve(self.root(), &self.chain_ref())?
            .ok_or_else(none)?;
        Ok((open, onto))
    }

    /// Leaves the commit of the open conflict out.
    ///
    /// # Errors
    /// When none is open.
    pub fn skip(&self) -> Result<OpenConflict, EngineError> {
        let (open, _) = self.must_be_open()?;
        self.picking().remove_conflict(self.root(), &open.dir)?;
        Ok(open)
    }

    /// Gives up the open conflict and everything that was picked and has not landed; `false` when there is nothing.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn abort(&self) -> Result<bool, EngineError> {
        let open = self.open_conflict()?;
        if let Some(open) = &open {
            self.picking().remove_conflict(self.root(), &open.dir)?;
        }
        let chain = self.git().resolve(self.root(), &self.chain_ref())?;
        if let Some(chain) = &chain {
            self.git().delete_ref(self.root(), &self.chain_ref(), chain)?;
        }
        Ok(open.is_some() || chain.is_some())
    }
}
