//! The content of the cache's files, named by digest.

use crate::cache::fan_out;
use crate::workspace::Workspaces;
use crate::{CachedFile, Damage, GraphError};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use vrel_model::Sha256Digest;
use vrel_trust::{Measured, sha256_files};
use vrel_world::{FileKind, World};

/// Objects are not to be written again, by nobody.
const MODE: u32 = 0o444;

/// What this run knows of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It wrote the object itself, and hashed it for that.
    Written,
    /// It has hashed the object.
    Checked,
    /// It has found the object damaged, and dropped it.
    Damaged(Damage),
}

/// The objects of a cache, as one run sees them: each is hashed at most once, before its first use.
pub(crate) struct Objects<'w> {
    world: &'w dyn World,
    dir: PathBuf,
    known: Mutex<BTreeMap<Sha256Digest, Known>>,
}

impl<'w> Objects<'w> {
    pub(crate) fn new(world: &'w dyn World, dir: PathBuf) -> Self {
        Self {
            world,
            dir,
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Sha256Digest, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where an object lies, if it is there.
    pub(crate) fn path(&self, digest: Sha256Digest) -> PathBuf {
        fan_out(&self.dir, digest)
    }

    /// Takes a file into the cache; its digests are those of its content. What had the name before, whole or damaged, is
    /// replaced.
    pub(crate) fn store(&self, file: &Path, digests: CachedFile) -> Result<(), GraphError> {
        let fs = self.world.scratch();
        let path = self.path(digests.sha256);
        fs.create_dir_all(path.parent().unwrap_or(&self.dir))?;
        fs.set_mode(file, MODE)?;
        fs.rename(file, &path)?;
        self.known().insert(digests.sha256, Known::Written);
        Ok(())
    }

    /// Whether this run has written the object.
    pub(crate) fn is_written(&self, digest: Sha256Digest) -> bool {
        self.known().get(&digest) == Some(&Known::Written)
    }

    /// What is wrong with an object as far as can be seen without reading it.
    pub(crate) fn look(&self, file: &CachedFile) -> Result<Option<Damage>, GraphError> {
        if let Some(Known::Damaged(damage)) = self.known().get(&file.sha256) {
            return Ok(Some(*damage));
        }
        let found = self.world.scratch().metadata(&self.path(file.sha256))?;
        Ok(match found {
            Some(found) if found.kind != FileKind::File => Some(Damage::Gone),
            Some(found) if found.len != file.length => Some(Damage::Length {
                expected: file.length,
                found: found.len,
            }),
            Some(_) => None,
            None => Some(Damage::Gone),
        })
    }

    /// Hashes those of the objects that this run has not hashed yet, and returns those that are damaged.
    ///
    /// # Errors
    /// [`GraphError::Unstable`] when one that this run wrote is gone or has another length.
    pub(crate) fn check(
        &self,
        files: &[CachedFile],
        threads: NonZeroUsize,
    ) -> Result<Vec<(CachedFile, Damage)>, GraphError> {
        let mut damaged = Vec::new();
        let mut unread: Vec<CachedFile> = Vec::new();
        for file in files {
            let known = self.known().get(&file.sha256).copied();
            match (self.look(file)?, known) {
                (None, Some(Known::Written | Known::Checked)) => {}
                (None, _) => unread.push(*file),
                (Some(damage), Some(Known::Written)) => return Err(self.unstable(file, damage)),
                (Some(damage), _) => damaged.push((*file, damage)),
            }
        }
        unread.sort();
        unread.dedup();
        let paths: Vec<PathBuf> = unread.iter().map(|file| self.path(file.sha256)).collect();
        let digests = sha256_files(self.world, &paths, threads)?;
        for (file, digests) in unread.into_iter().zip(digests) {
            if let Err(damage) = self.compare(&file, digests) {
                damaged.push((file, damage));
            } else {
                // Somebody else's write of the same content does not make it ours.
                self.known().entry(file.sha256).or_insert(Known::Checked);
            }
        }
        Ok(damaged)
    }

    /// Whether content that was read from an object is what it should be.
    pub(crate) fn compare(&self, expected: &CachedFile, (length, found): Measured) -> Result<(), Damage> {
        if length != expected.length {
            return Err(Damage::Length {
                expected: expected.length,
                found: length,
            });
        }
        if found == expected.sha256 {
            return Ok(());
        }
        Err(Damage::Content {
            expected: expected.sha256,
            found,
        })
    }

    /// Drops a damaged object. It is looked at once more under another name: another process may have put a whole one in
    /// its place, and that one goes back.
    pub(crate) fn drop_damaged(
        &self,
        file: &CachedFile,
        damage: Damage,
        aside: &Workspaces<'_>,
    ) -> Result<(), GraphError> {
        let fs = self.world.scratch();
        let path = self.path(file.sha256);
        if fs
            .metadata(&path)?
            .is_some_and(|found| found.kind == FileKind::File)
        {
            let moved = aside.fresh()?;
            fs.rename(&path, &moved)?;
            let again = sha256_files(self.world, std::slice::from_ref(&moved), NonZeroUsize::MIN)?;
            if again.iter().all(|(_, found)| *found == file.sha256) {
                fs.rename(&moved, &path)?;
                self.known().remove(&file.sha256);
                return Ok(());
            }
            fs.remove_file(&moved)?;
        }
        self.known().insert(file.sha256, Known::Damaged(damage));
        Ok(())
    }

    /// That an object of this run is no longer what it was.
    pub(crate) fn unstable(&self, file: &CachedFile, damage: Damage) -> GraphError {
        let path = self.path(file.sha256);
        GraphError::Unstable { path, damage }
    }
}
