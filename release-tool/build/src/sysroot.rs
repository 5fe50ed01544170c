//! Core libraries for bare-metal targets, built once from the compiler's own sources and kept.
//!
//! The libraries lie in a directory whose name is derived from everything that they depend on, and beside
//! them a list of their digests, by which each use recognises a directory that was damaged. Such a directory
//! is built anew. A directory gets its name only when it is complete, so a build that is killed leaves
//! nothing that could be taken for a result.

use crate::compile::{Request, cargo_command, run_compiler};
use crate::{BuildError, Line, digest_of};
use std::path::{Path, PathBuf};
use vrel_world::{ErrorKind, World};

/// What the libraries are built from and with, apart from the toolchain: part of the directory's name, to be
/// changed with anything below that changes their bytes.
const RECIPE: &str = "core alloc compiler_builtins; mem; opt-level=s; embed-bitcode; frame-pointers; 1";

/// How the progress of building them is labelled.
const SOURCE: &str = "core libraries";

/// Libraries that bare-metal programs need.
const LIBRARIES: [&str; 3] = ["alloc", "compiler_builtins", "core"];

/// Name of the list of digests.
const SUMS: &str = "SHA256SUMS";

/// The directory for rustc's `--sysroot` with the core libraries for all of `targets`, in the request's
/// cache. What is missing is built, in one go, so that cargo can use all processors.
///
/// # Errors
/// When the libraries cannot be built, with the compiler's message, or not be stored.
pub(crate) fn prepare(
    world: &dyn World,
    request: &Request<'_>,
    targets: &[String],
    on_line: &mut dyn FnMut(Line<'_>),
) -> Result<PathBuf, BuildError> {
    let key = digest_of(&[request.toolchain.identity().as_bytes(), RECIPE.as_bytes()]).to_string();
    let sysroots = request.cache.join("sysroots");
    let root = sysroots.join(&key[..16]);
    let mut missing = Vec::new();
    for target in targets {
        if !is_intact(world, &target_dir(&root, target))? {
            missing.push(target.as_str());
        }
    }
    if missing.is_empty() {
        return Ok(root);
    }
    on_line(Line {
        source: SOURCE,
        text: &format!("building for {}", missing.join(", ")),
    });
    let mut random = [0; 8];
    world.random(&mut random)?;
    let building = sysroots.join(format!(".building-{:016x}", u64::from_le_bytes(random)));
    let result = build(world, request, &building, &missing, on_line).and_then(|()| {
        let publish = |target: &&str| publish(world, &building, target, &target_dir(&root, target));
        missing.iter().try_for_each(publish)
    });
    let cleaned = world.fs().remove_dir_all(&building);
    result?;
    cleaned?;
    Ok(root)
}

/// Where rustc looks for a target's libraries, without the last `lib`.
fn target_dir(root: &Path, target: &str) -> PathBuf {
    root.join("lib/rustlib").join(target)
}

fn build(
    world: &dyn World,
    request: &Request<'_>,
    dir: &Path,
    targets: &[&str],
    on_line: &mut dyn FnMut(Line<'_>),
) -> Result<(), BuildError> {
    let (fs, package) = (world.fs(), dir.join("package"));
    fs.create_dir_all(&package)?;
    let manifest = "[package]\nname = \"sysroot\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[lib]\npath = \"lib.rs\"\n\
                    [profile.release]\npanic = \"abort\"\nopt-level = \"s\"\ncodegen-units = 1\n[workspace]\n";
    fs.write(&package.join("Cargo.toml"), manifest.as_bytes(), 0o644)?;
    fs.write(&package.join("lib.rs"), b"#![no_std]\n", 0o644)?;

    let source = request.toolchain.library_source();
    let flags = [
        // The libraries take part in link-time optimisation, for which they must hold their intermediate form
        // as well.
        "-Cembed-bitcode=yes".to_owned(),
        // A kernel's backtrace leads through them.
        "-Cforce-frame-pointers=yes".to_owned(),
        format!("--remap-path-prefix={}=/rust/library", source.display()),
        format!("--remap-path-prefix={}=/rust/sysroot", dir.display()),
    ];
    let mut command = cargo_command(request, &flags)
        .dir(&package)
        // Building the standard library is a feature of nightly compilers; distributions make stable ones do
        // it so.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["build", "--release", "--target-dir"])
        .arg(dir.join("target").display().to_string())
        .arg("-Zbuild-std=core,alloc,compiler_builtins")
        .arg("-Zbuild-std-features=compiler-builtins-mem");
    for target in targets {
        command = command.args(["--target", target]);
    }
    let vendored = source.join("vendor");
    if world.fs().metadata(&vendored)?.is_some() {
        // The sources bring along what they depend on, so nothing has to be fetched.
        command = command
            .args([
                "--config",
                "source.crates-io.replace-with=\"library\"",
                "--config",
            ])
            .arg(format!(
                "source.library.directory={:?}",
                vendored.display().to_string()
            ));
    }
    run_compiler(
        world,
        &command,
        &format!("the core libraries for {}", targets.join(", ")),
        SOURCE,
        on_line,
    )
}

/// Moves one target's libraries out of the build directory to where they are found.
fn publish(world: &dyn World, building: &Path, target: &str, done: &Path) -> Result<(), BuildError> {
    let fs = world.fs();
    let built = building.join("target").join(target).join("release/deps");
    let entries = fs.list(&built)?;
    let ready = building.join("ready").join(target);
    fs.create_dir_all(&ready.join("lib"))?;
    let mut sums = String::new();
    for library in LIBRARIES {
        let prefix = format!("lib{library}-");
        let found: Vec<_> = entries
            .iter()
            .filter(|entry| entry.name.starts_with(&prefix) && entry.name.ends_with(".rlib"))
            .collect();
        let [entry] = found[..] else {
            return Err(BuildError::CoreLibrary {
                library,
                dir: built,
                found: found.len(),
            });
        };
        let content = fs.read(&built.join(&entry.name))?;
        sums.push_str(&format!("{}  lib/{}\n", digest_of(&[&content]), entry.name));
        fs.write(&ready.join("lib").join(&entry.name), &content, 0o644)?;
    }
    fs.write(&ready.join(SUMS), sums.as_bytes(), 0o644)?;
    if let Some(parent) = done.parent() {
        fs.create_dir_all(parent)?;
    }
    // What is there under the name is damaged, or else it would have been used.
    let moved = fs.remove_dir_all(done).and_then(|()| fs.rename(&ready, done));
    match moved {
        // Somebody else finished the same libraries in the meantime.
        Err(error) if error.kind == ErrorKind::Other && is_intact(world, done)? => Ok(()),
        moved => Ok(moved?),
    }
}

/// Whether the directory holds all libraries, unchanged since they were built.
fn is_intact(world: &dyn World, dir: &Path) -> Result<bool, BuildError> {
    let fs = world.fs();
    if fs.metadata(&dir.join(SUMS))?.is_none() {
        return Ok(false);
    }
    let sums = fs.read(&dir.join(SUMS))?;
    let mut count = 0;
    for line in String::from_utf8_lossy(&sums).lines() {
        let Some((digest, name)) = line.split_once("  ") else {
            return Ok(false);
        };
        let path = dir.join(name);
        if fs.metadata(&path)?.is_none() || digest_of(&[&fs.read(&path)?]).to_string() != digest {
            return Ok(false);
        }
        count += 1;
    }
    Ok(count == LIBRARIES.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeWorld, toolchain};
    use crate::{Targets, Toolchain};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use vrel_model::toml_file;
    use vrel_world::{Command, Exit};

    /// Does what cargo does as far as this module sees it.
    fn fake_cargo(command: &Command) -> (Exit, String) {
        let after = |flag: &str| {
            let at = command.args.iter().position(|arg| arg == flag).unwrap();
            command.args[at + 1].clone()
        };
        let target_dir = after("--target-dir");
        for pair in command.args.windows(2).filter(|pair| pair[0] == "--target") {
            let deps = Path::new(&target_dir).join(&pair[1]).join("release/deps");
            std::fs::create_dir_all(&deps).unwrap();
            for library in LIBRARIES {
                std::fs::write(deps.join(format!("lib{library}-1.rlib")), &pair[1]).unwrap();
            }
        }
        (Exit::Status(0), "Finished".to_owned())
    }

    struct Setup {
        dir: tempfile::TempDir,
        world: FakeWorld,
        toolchain: Toolchain,
        targets: Targets,
        fails: Arc<AtomicBool>,
    }

    fn setup() -> Setup {
        let dir = tempfile::tempdir().unwrap();
        let fails = Arc::new(AtomicBool::new(false));
        let failing = fails.clone();
        let world = FakeWorld::default().program(None, "/cargo", move |command| {
            if failing.load(Ordering::Relaxed) {
                return (
                    Exit::Status(101),
                    "error: no space in the compiler's head".to_owned(),
                );
            }
            fake_cargo(command)
        });
        let toolchain = toolchain();
        let targets = toml_file::parse(Path::new("targets.toml"), "").unwrap();
        Setup {
            dir,
            world,
            toolchain,
            targets,
            fails,
        }
    }

    impl Setup {
        fn prepare(&self, triples: &[&str]) -> Result<PathBuf, BuildError> {
            let request = Request {
                toolchain: &self.toolchain,
                targets: &self.targets,
                os: self.dir.path(),
                cache: self.dir.path(),
                cargo_home: self.dir.path(),
                arches: &[],
                programs: &[],
                jobs: 1,
            };
            let triples: Vec<_> = triples.iter().map(|&triple| triple.to_owned()).collect();
            prepare(&self.world, &request, &triples, &mut |_| {})
        }

        fn runs(&self) -> usize {
            self.world.ran.lock().unwrap().len()
        }

        /// What is left beside finished directories.
        fn litter(&self) -> Vec<String> {
            let entries = std::fs::read_dir(self.dir.path().join("sysroots")).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.filter(|name| name.starts_with('.')).collect()
        }
    }

    #[test]
    fn libraries_are_built_once_and_only_for_targets_that_lack_them() {
        let setup = setup();
        let root = setup.prepare(&["a", "b"]).unwrap();
        for target in ["a", "b"] {
            let library = root.join("lib/rustlib").join(target).join("lib/libcore-1.rlib");
            assert_eq!(std::fs::read_to_string(library).unwrap(), target);
        }
        assert_eq!(setup.prepare(&["b"]).unwrap(), root);
        assert_eq!(setup.runs(), 1);
        assert_eq!(setup.prepare(&["a", "c"]).unwrap(), root);
        let args = setup.world.ran.lock().unwrap()[1].args.join(" ");
        assert!(
            args.contains("--target c") && !args.contains("--target a"),
            "{args}"
        );
        assert_eq!(setup.litter(), [""; 0]);
    }

    #[test]
    fn another_toolchain_gets_other_libraries() {
        let mut setup = setup();
        let one = setup.prepare(&["a"]).unwrap();
        setup.toolchain.linker_version = "LLD 2\n".to_owned();
        assert_ne!(one, setup.prepare(&["a"]).unwrap());
    }

    #[test]
    fn damaged_libraries_are_built_anew() {
        let setup = setup();
        let libraries = setup.prepare(&["a"]).unwrap().join("lib/rustlib/a");
        let damages: [&dyn Fn(); 4] = [
            &|| std::fs::write(libraries.join("lib/libcore-1.rlib"), b"b").unwrap(),
            &|| std::fs::remove_file(libraries.join("lib/liballoc-1.rlib")).unwrap(),
            &|| std::fs::write(libraries.join(SUMS), b"").unwrap(),
            &|| std::fs::remove_file(libraries.join(SUMS)).unwrap(),
        ];
        for (number, damage) in damages.iter().enumerate() {
            damage();
            setup.prepare(&["a"]).unwrap();
            assert_eq!(setup.runs(), number + 2);
            assert_eq!(std::fs::read(libraries.join("lib/libcore-1.rlib")).unwrap(), b"a");
        }
    }

    #[test]
    fn a_failed_build_leaves_nothing_and_has_the_compiler_s_words() {
        let setup = setup();
        setup.fails.store(true, Ordering::Relaxed);
        let error = setup.prepare(&["a"]).unwrap_err();
        assert!(error.to_string().contains("the core libraries for a"), "{error}");
        assert!(
            error.to_string().contains("no space in the compiler's head"),
            "{error}"
        );
        assert_eq!(setup.litter(), [""; 0]);
        setup.fails.store(false, Ordering::Relaxed);
        setup.prepare(&["a"]).unwrap();
    }
}
