//! Where compiled crates are kept between builds.
//!
//! cargo takes what it compiled before for up to date when no source file is younger, and it does not notice
//! that the sources are now in another directory. Releases are built from directories of their own, so the
//! sources are copied to one place first, file by file where they differ. The copy and what was compiled from
//! it form a slot, which one build at a time uses.

use crate::BuildError;
use crate::compile::Request;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use vrel_world::{ErrorKind, FileKind, Fs, Lock, LockGuard, World, WorldError};

/// How many builds can run at the same time with one cache.
const MAX_SLOTS: u32 = 16;

/// What cargo writes when somebody calls it in the sources themselves.
const BUILD_OUTPUT: &str = "target";

/// A copy of the sources and what was compiled from it.
pub(crate) struct Slot {
    /// The copy.
    pub(crate) source: PathBuf,
    /// For compiled crates.
    pub(crate) target: PathBuf,
    // Only held; the mutex lets threads share the slot.
    _lock: Mutex<Box<dyn LockGuard>>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// The first slot that no other build uses, with the request's sources.
///
/// # Errors
/// When all are in use, when the sources hold something else than files and directories, and when an effect
/// fails.
pub(crate) fn take(world: &dyn World, request: &Request<'_>) -> Result<Slot, BuildError> {
    let fs = world.fs();
    let mut holders = Vec::new();
    for number in 0..MAX_SLOTS {
        let dir = request.cache.join("builds").join(number.to_string());
        fs.create_dir_all(&dir)?;
        match fs.lock(&dir.join("lock"), &format!("a build of {}", request.os.display()))? {
            Lock::Held(lock) => {
                let slot = Slot {
                    source: dir.join("source"),
                    target: dir.join("target"),
                    _lock: Mutex::new(lock),
                };
                copy_changes(world, request.os, &slot.source, &[BUILD_OUTPUT])?;
                return Ok(slot);
            }
            Lock::Busy(holder) => holders.push(holder),
        }
    }
    Err(BuildError::Busy {
        cache: request.cache.to_owned(),
        holders,
    })
}

/// Makes `to` the same as `from`, but for the names in `except`. Files that are the same already keep their
/// time.
fn copy_changes(world: &dyn World, from: &Path, to: &Path, except: &[&str]) -> Result<(), BuildError> {
    world.check_interrupt()?;
    let fs = world.fs();
    fs.create_dir_all(to)?;
    let mut entries = fs.list(from)?;
    entries.retain(|entry| !except.contains(&entry.name.as_str()));
    for old in fs.list(to)? {
        if !entries.contains(&old) {
            remove(fs, &to.join(&old.name), old.kind)?;
        }
    }
    for entry in entries {
        let (source, target) = (from.join(&entry.name), to.join(&entry.name));
        match entry.kind {
            FileKind::Directory => copy_changes(world, &source, &target, &[])?,
            FileKind::File => {
                let content = fs.read(&source)?;
                if fs.metadata(&target)?.is_none() || fs.read(&target)? != content {
                    fs.write(&target, &content, 0o644)?;
                }
            }
            FileKind::Other => {
                let reason = "expected only files and directories in the sources, got something else";
                let object = source.display().to_string();
                return Err(WorldError::new("build", object, ErrorKind::Other, reason).into());
            }
        }
    }
    Ok(())
}

fn remove(fs: &dyn Fs, path: &Path, kind: FileKind) -> Result<(), WorldError> {
    if kind == FileKind::Directory {
        fs.remove_dir_all(path)
    } else {
        fs.remove_file(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::toolchain;
    use crate::{Targets, Toolchain};
    use std::fs;
    use std::time::SystemTime;
    use vrel_model::toml_file;
    use vrel_world::RealWorld;

    struct Setup {
        dir: tempfile::TempDir,
        toolchain: Toolchain,
        targets: Targets,
    }

    fn setup() -> Setup {
        let dir = tempfile::tempdir().unwrap();
        let targets = toml_file::parse(Path::new("targets.toml"), "").unwrap();
        Setup {
            dir,
            toolchain: toolchain(),
            targets,
        }
    }

    impl Setup {
        fn put(&self, path: &str, text: &str) {
            let path = self.dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn take(&self, os: &str) -> Result<Slot, BuildError> {
            let cache = self.dir.path().join("cache");
            let request = Request {
                toolchain: &self.toolchain,
                targets: &self.targets,
                os: &self.dir.path().join(os),
                cache: &cache,
                cargo_home: &cache,
                arches: &[],
                programs: &[],
                jobs: 1,
            };
            take(&RealWorld::default(), &request)
        }
    }

    fn files(dir: &Path) -> Vec<(String, String, SystemTime)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files(&path));
            } else {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                let time = fs::metadata(&path).unwrap().modified().unwrap();
                found.push((name, fs::read_to_string(&path).unwrap(), time));
            }
        }
        found.sort();
        found
    }

    #[test]
    fn sources_from_another_directory_replace_exactly_what_differs() {
        let setup = setup();
        setup.put("one/Cargo.toml", "workspace");
        setup.put("one/kernel/main.rs", "first");
        setup.put("one/kernel/old.rs", "old");
        setup.put("one/user/target/x.rs", "not cargo's");
        setup.put("one/target/release/kernel", "compiled");
        let slot = setup.take("one").unwrap();
        let before = files(&slot.source);
        let names: Vec<_> = before.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["Cargo.toml", "main.rs", "old.rs", "x.rs"]);
        fs::create_dir_all(&slot.target).unwrap();
        let target = slot.target.clone();
        drop(slot);

        setup.put("two/Cargo.toml", "workspace");
        setup.put("two/kernel/main.rs", "second");
        setup.put("two/user/target/x.rs", "not cargo's");
        let slot = setup.take("two").unwrap();
        assert_eq!(slot.target, target);
        let after = files(&slot.source);
        let names: Vec<_> = after.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["Cargo.toml", "main.rs", "x.rs"]);
        assert_eq!((&after[0], &after[2]), (&before[0], &before[3]));
        assert_eq!(after[1].1, "second");
        assert!(after[1].2 >= before[1].2);
    }

    #[test]
    fn a_file_in_place_of_a_directory_and_the_reverse_are_replaced() {
        let setup = setup();
        setup.put("one/a", "file");
        setup.put("one/b/c", "file");
        drop(setup.take("one").unwrap());
        setup.put("two/a/x", "file");
        setup.put("two/b", "file");
        let slot = setup.take("two").unwrap();
        assert!(slot.source.join("a/x").is_file() && slot.source.join("b").is_file());
    }

    #[test]
    fn builds_at_the_same_time_get_slots_of_their_own() {
        let setup = setup();
        setup.put("one/a", "file");
        let mut slots: Vec<_> = (0..MAX_SLOTS).map(|_| setup.take("one").unwrap()).collect();
        let mut sources: Vec<_> = slots.iter().map(|slot| slot.source.clone()).collect();
        sources.dedup();
        assert_eq!(sources.len(), MAX_SLOTS as usize);
        let error = setup.take("one").map(|_| ()).unwrap_err();
        assert!(
            matches!(&error, BuildError::Busy { holders, .. } if holders.len() == 16),
            "{error}"
        );
        let freed = slots.remove(3).source;
        assert_eq!(setup.take("one").unwrap().source, freed);
    }

    #[test]
    fn a_symbolic_link_is_refused() {
        let setup = setup();
        setup.put("one/a", "file");
        std::os::unix::fs::symlink("a", setup.dir.path().join("one/link")).unwrap();
        let error = setup.take("one").map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("one/link"), "{error}");
    }
}
