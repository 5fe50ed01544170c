//! What people decided and what a machine must not forget, as plain files on a branch of its own.
//!
//! The branch has its own root commit, so that main's history and freezes have nothing to do with it. The remote's branch
//! is the truth where there is a remote: a change is a commit that is pushed first, with the remote's tip as expected, and
//! only then does the local branch follow. So whoever loses a race loses no commit and leaves no trace: the change is made
//! again on what the winner left. A reply that got lost is found out by looking.

use crate::{EngineError, Site};
use vrel_model::{Config, UtcTime};
use vrel_world::{ErrorKind, FileEdit, FilesCommit, PushRef, World, WorldError};

/// How often a change is made again because somebody else was faster.
const ATTEMPTS: usize = 8;

/// The records of one repository.
pub struct Records<'a> {
    world: &'a dyn World,
    site: &'a Site,
    config: &'a Config,
}

/// The records as they were at one moment.
pub struct RecordsView<'a> {
    world: &'a dyn World,
    repo: &'a std::path::Path,
    tip: Option<String>,
}

/// Where the newest records that this repository has come from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RecordsState {
    /// The commit; `None` when nothing was ever recorded.
    pub tip: Option<String>,
    /// When that commit was made.
    pub time: Option<UtcTime>,
    /// Whether it is known to be on the remote, as far as this repository knows the remote.
    pub pushed: bool,
}

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The commit that was added; `None` when the records said so already.
    pub commit: Option<String>,
    /// Whether the remote got something: this commit, or earlier ones that it lacked.
    pub pushed: bool,
}

impl Changed {
    /// Whether the end state held already.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// The tips of both branches; at least one is up to date with the other, or they have nothing in common.
struct Tips {
    local: Option<String>,
    remote: Option<String>,
}

/// How publishing a commit ended.
enum Published {
    Done,
    /// Somebody else was faster.
    Outrun,
}

impl<'a> RecordsView<'a> {
    /// The records in a commit of a repository, which may be bare; `None` when there are none.
    #[must_use]
    pub fn new(world: &'a dyn World, repo: &'a std::path::Path, tip: Option<String>) -> Self {
        Self { world, repo, tip }
    }

    /// The commit; `None` when nothing was recorded.
    #[must_use]
    pub fn tip(&self) -> Option<&str> {
        self.tip.as_deref()
    }

    /// A file's content; `None` when there is no such file.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, EngineError> {
        match &self.tip {
            Some(tip) => Ok(self.world.git().file_at(self.repo, tip, path)?),
            None => Ok(None),
        }
    }

    /// A file's text; `None` when there is no such file.
    ///
    /// # Errors
    /// When the repository cannot be read, or the file is not UTF-8.
    pub fn read_text(&self, path: &str) -> Result<Option<String>, EngineError> {
        let Some(bytes) = self.read(path)? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes).map_err(|_| EngineError::Policy {
            path: path.into(),
            reason: "this file of the records is not UTF-8 text".to_owned(),
        })?;
        Ok(Some(text))
    }

    /// The paths of all files under a directory (`""`: all), sorted.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn list(&self, dir: &str) -> Result<Vec<String>, EngineError> {
        match &self.tip {
            Some(tip) => Ok(self.world.git().paths_at(self.repo, tip, dir)?),
            None => Ok(Vec::new()),
        }
    }
}

impl<'a> Records<'a> {
    /// The records of the repository at `site`, on the branch that `config` names.
    #[must_use]
    pub fn new(world: &'a dyn World, site: &'a Site, config: &'a Config) -> Self {
        Self { world, site, config }
    }

    /// A file's content in the newest records that this repository has, without asking the remote; `None` when there is no
    /// such file.
    ///
    /// # Errors
    /// When the repository cannot be read, or has two different histories of the records.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, EngineError> {
        self.view()?.read(path)
    }

    /// The paths of all files under a directory, sorted; otherwise as [`Records::read`].
    ///
    /// # Errors
    /// As [`Records::read`].
    pub fn list(&self, dir: &str) -> Result<Vec<String>, EngineError> {
        self.view()?.list(dir)
    }

    /// The newest records that this repository has: of the local branch or of what was last seen of the remote's.
    ///
    /// # Errors
    /// As [`Records::read`].
    pub fn view(&self) -> Result<RecordsView<'a>, EngineError> {
        let tip = self.newest(&self.tips()?)?;
        Ok(RecordsView::new(self.world, self.site.root(), tip))
    }

    /// Which records [`Records::view`] shows.
    ///
    /// # Errors
    /// As [`Records::read`].
    pub fn state(&self) -> Result<RecordsState, EngineError> {
        let tips = self.tips()?;
        let tip = self.newest(&tips)?;
        let root = self.site.root();
        let time = tip.as_deref().map(|tip| self.world.git().commit_time(root, tip));
        Ok(RecordsState {
            time: time.transpose()?,
            pushed: tip == tips.remote,
            tip,
        })
    }

    /// Asks the remote for newer records. Without a remote there is nothing to ask.
    ///
    /// # Errors
    /// When the remote cannot be reached.
    pub fn refresh(&self) -> Result<(), EngineError> {
        if self.has_remote()? {
            self.fetch()?;
        }
        Ok(())
    }

    /// Changes the records: `edit` is given the newest ones and answers with the files to change; nothing, or what is there
    /// already, when its decision was taken before. The commit is pushed where there is a remote, as are earlier commits
    /// that the remote lacks. When somebody else changes the records meanwhile, `edit` is asked again with theirs.
    ///
    /// # Errors
    /// When the remote cannot be reached or refuses, when the repository has two different histories of the records, and
    /// what `edit` fails with; nothing has changed then.
    pub fn change(
        &self,
        message: &str,
        edit: &mut dyn FnMut(&RecordsView<'_>) -> Result<Vec<FileEdit>, EngineError>,
    ) -> Result<Changed, EngineError> {
        let has_remote = self.has_remote()?;
        for _ in 0..ATTEMPTS {
            if has_remote {
                self.fetch()?;
            }
            let tips = self.tips()?;
            let base = self.newest(&tips)?;
            let view = RecordsView::new(self.world, self.site.root(), base.clone());
            let edits = effective(&view, edit(&view)?)?;
            let commit = if edits.is_empty() {
                None
            } else {
                Some(self.write(base.as_deref(), &edits, message)?)
            };
            let Some(tip) = commit.clone().or(base) else {
                return Ok(Changed::default());
            };
            let pushed = has_remote && tips.remote.as_ref() != Some(&tip);
            if pushed && matches!(self.push(&tip, tips.remote)?, Published::Outrun) {
                continue;
            }
            if matches!(self.follow(&tip, tips.local, has_remote)?, Published::Outrun) {
                continue;
            }
            return Ok(Changed { commit, pushed });
        }
        let branch = &self.config.git.records_branch;
        Err(EngineError::Refused {
            message: format!(
                "`{branch}` changed {ATTEMPTS} times while this change was made; nothing was recorded"
            ),
            hint: Some("run the command again".to_owned()),
        })
    }

    fn has_remote(&self) -> Result<bool, EngineError> {
        let remote = &self.config.git.remote;
        Ok(self.world.git().remote_url(self.site.root(), remote)?.is_some())
    }

    fn local_name(&self) -> String {
        self.config.git.records_branch.full()
    }

    fn tracking_name(&self) -> String {
        let git = &self.config.git;
        format!("refs/remotes/{}/{}", git.remote, git.records_branch)
    }

    fn fetch(&self) -> Result<(), EngineError> {
        let (git, root) = (self.world.git(), self.site.root());
        let tracking = self.tracking_name();
        let spec = format!("+{}:{tracking}", self.local_name());
        match git.fetch(root, &self.config.git.remote, &[&spec]) {
            Err(error) if error.kind == ErrorKind::NotFound => {
                // What was seen of it there is not there any more. Commits are not lost with it: the local branch has them.
                if let Some(seen) = git.resolve(root, &tracking)? {
                    self.keep(&seen)?;
                    git.delete_ref(root, &tracking, &seen)?;
                }
                Ok(())
            }
            fetched => Ok(fetched?),
        }
    }

    /// Makes the local branch contain a commit that was only known from the remote.
    fn keep(&self, seen: &str) -> Result<(), EngineError> {
        let tips = self.tips()?;
        if self.newest(&tips)?.as_deref() == Some(seen) && tips.local.as_deref() != Some(seen) {
            let name = self.local_name();
            let git = self.world.git();
            git.set_ref(self.site.root(), &name, seen, tips.local.as_deref())?;
        }
        Ok(())
    }

    fn tips(&self) -> Result<Tips, EngineError> {
        let resolve = |name: &str| self.world.git().resolve(self.site.root(), name);
        Ok(Tips {
            local: resolve(&self.local_name())?,
            remote: resolve(&self.tracking_name())?,
        })
    }

    fn newest(&self, tips: &Tips) -> Result<Option<String>, EngineError> {
        let (Some(local), Some(remote)) = (&tips.local, &tips.remote) else {
            return Ok(tips.local.clone().or_else(|| tips.remote.clone()));
        };
        let is_ancestor = |a: &str, b: &str| self.world.git().is_ancestor(self.site.root(), a, b);
        if is_ancestor(remote, local)? {
            return Ok(Some(local.clone()));
        }
        if is_ancestor(local, remote)? {
            return Ok(Some(remote.clone()));
        }
        let git = &self.config.git;
        let (branch, remote) = (&git.records_branch, &git.remote);
        Err(EngineError::Refused {
            message: format!(
                "`{branch}` has commits here that `{remote}/{branch}` lacks, and the other way round; nothing was changed"
            ),
            hint: Some(format!(
                "look at `git log --left-right {remote}/{branch}...{branch}`, then run `git rebase {remote}/{branch} \
                 {branch}` and the command again"
            )),
        })
    }

    fn write(&self, base: Option<&str>, edits: &[FileEdit], message: &str) -> Result<String, EngineError> {
        let commit = FilesCommit {
            parent: base,
            edits,
            message,
            time: self.world.now(),
        };
        Ok(self.world.git().write_commit(self.site.root(), &commit)?)
    }

    fn push(&self, tip: &str, expected: Option<String>) -> Result<Published, EngineError> {
        let (git, root, remote) = (self.world.git(), self.site.root(), &self.config.git.remote);
        let to = PushRef {
            name: self.local_name(),
            expected: expected.clone(),
        };
        let Err(error) = git.push_commit(root, remote, tip, &to) else {
            return Ok(Published::Done);
        };
        // It may have arrived all the same; and who was outrun sees that the remote's branch is another one now.
        if error.kind == ErrorKind::Interrupted || self.fetch().is_err() {
            return Err(error.into());
        }
        match self.tips()?.remote {
            Some(now) if git.is_ancestor(root, tip, &now)? => Ok(Published::Done),
            now if now != expected => Ok(Published::Outrun),
            _ => Err(self.refused(error)),
        }
    }

    fn refused(&self, error: WorldError) -> EngineError {
        if error.kind != ErrorKind::Rejected {
            return error.into();
        }
        EngineError::Refused {
            message: format!("{error}; nothing was recorded"),
            hint: Some(format!(
                "`{}` must be allowed to push the branch `{}`; ask whoever looks after the remote",
                self.config.git.remote, self.config.git.records_branch
            )),
        }
    }

    /// Moves the branches of this repository to what is published.
    fn follow(&self, tip: &str, local: Option<String>, has_remote: bool) -> Result<Published, EngineError> {
        let (git, root) = (self.world.git(), self.site.root());
        if has_remote {
            let tracking = self.tracking_name();
            let seen = git.resolve(root, &tracking)?;
            let contains = match &seen {
                Some(seen) => git.is_ancestor(root, tip, seen)?,
                None => false,
            };
            if !contains {
                ignore_rejected(git.set_ref(root, &tracking, tip, seen.as_deref()))?;
            }
        }
        if local.as_deref() == Some(tip) {
            return Ok(Published::Done);
        }
        let moved = git.set_ref(root, &self.local_name(), tip, local.as_deref());
        if has_remote {
            // Everybody has it. A local branch that somebody has checked out, or has moved just now, may stay behind:
            // reading takes the newer one.
            ignore_rejected(moved)?;
            return Ok(Published::Done);
        }
        match moved {
            Err(error) if error.kind == ErrorKind::Rejected && self.tips()?.local != local => {
                Ok(Published::Outrun)
            }
            moved => {
                moved?;
                Ok(Published::Done)
            }
        }
    }
}

fn ignore_rejected(moved: Result<(), WorldError>) -> Result<(), WorldError> {
    match moved {
        Err(error) if error.kind == ErrorKind::Rejected => Ok(()),
        moved => moved,
    }
}

/// The edits that change something.
fn effective(view: &RecordsView<'_>, edits: Vec<FileEdit>) -> Result<Vec<FileEdit>, EngineError> {
    let mut left = Vec::new();
    for edit in edits {
        let there = view.read(edit.path())?;
        let wanted = match &edit {
            FileEdit::Write { content, .. } => Some(content),
            FileEdit::Remove { .. } => None,
        };
        if there.as_ref() != wanted {
            left.push(edit);
        }
    }
    Ok(left)
}
