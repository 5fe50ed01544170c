//! Directories in which packers work.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use vrel_world::{ErrorKind, Lock, LockGuard, World, WorldError};

/// The directories of one action. Both exist when it begins, and so do the directories in which outputs lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Each output is written here, under its name.
    pub outputs: PathBuf,
    /// For what is needed on the way.
    pub scratch: PathBuf,
}

/// How often a name is drawn before something must be wrong.
const ATTEMPTS: usize = 16;

/// The workspaces of one run: a directory beside a lock file. What a killed run leaves behind is removed by the next one
/// that can take its lock.
pub(crate) struct Workspaces<'w> {
    world: &'w dyn World,
    dir: PathBuf,
    lock_file: PathBuf,
    lock: Mutex<Option<Box<dyn LockGuard>>>,
    next: AtomicU64,
}

fn lock_file(dir: &Path) -> PathBuf {
    dir.with_extension("lock")
}

impl<'w> Workspaces<'w> {
    /// A new directory in `work`. It is not made before it is needed.
    pub(crate) fn open(world: &'w dyn World, work: &Path) -> Result<Self, WorldError> {
        let fs = world.scratch();
        fs.create_dir_all(work)?;
        sweep(world, work)?;
        for _ in 0..ATTEMPTS {
            let mut id = [0; 8];
            world.random(&mut id)?;
            let dir = work.join(format!("{:016x}", u64::from_be_bytes(id)));
            let lock_file = lock_file(&dir);
            if let Lock::Held(lock) = fs.lock(&lock_file, "a build")? {
                // A world with predictable randomness may have used the name before.
                fs.remove_dir_all(&dir)?;
                return Ok(Self {
                    world,
                    dir,
                    lock_file,
                    lock: Mutex::new(Some(lock)),
                    next: AtomicU64::new(0),
                });
            }
        }
        let reason = "every name that was drawn is in use";
        Err(WorldError::new(
            "make a directory in",
            work.display().to_string(),
            ErrorKind::Other,
            reason,
        ))
    }

    /// A path that nothing has.
    pub(crate) fn fresh(&self) -> Result<PathBuf, WorldError> {
        self.world.scratch().create_dir_all(&self.dir)?;
        Ok(self
            .dir
            .join(self.next.fetch_add(1, Ordering::Relaxed).to_string()))
    }

    /// A workspace for these outputs.
    pub(crate) fn make(&self, outputs: &[String]) -> Result<Workspace, WorldError> {
        let dir = self.fresh()?;
        let workspace = Workspace {
            outputs: dir.join("out"),
            scratch: dir.join("scratch"),
        };
        let fs = self.world.scratch();
        fs.create_dir_all(&workspace.scratch)?;
        fs.create_dir_all(&workspace.outputs)?;
        for output in outputs {
            if let Some((parent, _)) = output.rsplit_once('/') {
                fs.create_dir_all(&workspace.outputs.join(parent))?;
            }
        }
        Ok(workspace)
    }

    pub(crate) fn remove(&self, workspace: &Workspace) -> Result<(), WorldError> {
        let dir = workspace.scratch.parent().unwrap_or(&workspace.scratch);
        self.world.scratch().remove_dir_all(dir)
    }
}

impl Drop for Workspaces<'_> {
    fn drop(&mut self) {
        let fs = self.world.scratch();
        // What cannot be removed now is removed by the next run.
        drop(
            fs.remove_dir_all(&self.dir)
                .and_then(|()| fs.remove_file(&self.lock_file)),
        );
        if let Ok(lock) = self.lock.get_mut() {
            drop(lock.take());
        }
    }
}

/// Removes what dead runs left behind. Others may be sweeping too, and what they remove first is not missed.
fn sweep(world: &dyn World, work: &Path) -> Result<(), WorldError> {
    let fs = world.scratch();
    for entry in fs.list(work)? {
        let Some(name) = entry.name.strip_suffix(".lock") else {
            continue;
        };
        let dir = work.join(name);
        let file = work.join(&entry.name);
        if let Ok(Lock::Held(lock)) = fs.lock(&file, "a clean-up") {
            drop(fs.remove_dir_all(&dir).and_then(|()| fs.remove_file(&file)));
            drop(lock);
        }
        world.check_interrupt()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use vrel_world::RealWorld;

    #[test]
    fn what_a_dead_run_left_is_removed_and_what_a_living_one_uses_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let world = RealWorld::default();
        fs::create_dir(dir.path().join("0123")).unwrap();
        fs::write(dir.path().join("0123/half"), "x").unwrap();
        fs::write(dir.path().join("0123.lock"), "a build").unwrap();
        let living = Workspaces::open(&world, dir.path()).unwrap();
        assert!(!dir.path().join("0123").exists() && !dir.path().join("0123.lock").exists());
        let workspace = living.make(&["a/b/c".to_owned()]).unwrap();
        assert!(workspace.scratch.is_dir() && workspace.outputs.join("a/b").is_dir());
        let other = Workspaces::open(&world, dir.path()).unwrap();
        assert!(workspace.scratch.is_dir());
        living.remove(&workspace).unwrap();
        assert!(!workspace.scratch.exists());
        drop((living, other));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
