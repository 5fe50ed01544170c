//! A repository that stays open. To open one takes as long as many a question that is put to it: configuration, packs and
//! refs are found anew. Whoever reads objects and refs may use one that was opened before, because libgit2 looks again for an
//! object that it does not know and for refs that changed.

use git2::Repository;
use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The repository that was read last, unless somebody reads it now.
#[derive(Default)]
pub(super) struct LastRead(Mutex<Option<(PathBuf, Repository)>>);

impl LastRead {
    /// The repository at a path, if it is the one.
    pub(super) fn take(&self, path: &Path) -> Option<Repository> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(kept, _)| kept != path) {
            return None;
        }
        last.take().map(|(_, repository)| repository)
    }
}

impl fmt::Debug for LastRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LastRead")
    }
}

/// A repository for reading, which is kept when it is not used any more.
pub(super) struct Reading<'g> {
    /// There until it is dropped.
    repository: Option<Repository>,
    path: PathBuf,
    last: &'g LastRead,
}

impl<'g> Reading<'g> {
    pub(super) fn new(repository: Repository, path: &Path, last: &'g LastRead) -> Self {
        Self {
            repository: Some(repository),
            path: path.to_owned(),
            last,
        }
    }
}

impl Deref for Reading<'_> {
    type Target = Repository;

    fn deref(&self) -> &Repository {
        match &self.repository {
            Some(repository) => repository,
            None => unreachable!("it is taken when this is dropped"),
        }
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut last = self.last.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = self
            .repository
            .take()
            .map(|repository| (std::mem::take(&mut self.path), repository));
    }
}
