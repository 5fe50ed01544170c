//! Core libraries for bare-metal targets, built once from the compiler's own sources and kept.
//!
//! The libraries lie in a directory whose name is derived from everything that they depend on, and beside them a list of
//! their digests, by which each use recognises a directory that was damaged. Such a directory is built anew. A directory gets its
//! name only when it is complete, so a build that is killed leaves nothing that could be taken for a result.

use crate::compile::{cargo_command, run_compiler};
use crate::{BuildError, Line, Toolchain, digest_of};
use std::path::{Path, PathBuf};
use vrel_world::{ErrorKind, World};

/// What the libraries are built from and with, apart from the toolchain: part of the directory's name, to be changed with
/// anything below that changes their bytes.
const RECIPE: &str = "core alloc compiler_builtins; mem; opt-level=s; embed-bitcode; 1";

/// How the progress of building them is labelled.
const SOURCE: &str = "core libraries";

/// Libraries that bare-metal programs need.
const LIBRARIES: [&str; 3] = ["alloc", "compiler_builtins", "core"];

/// Name of the list of digests.
const SUMS: &str = "SHA256SUMS";

/// The directory for rustc's `--sysroot` with the core libraries for all of `targets`, under `cache`. What is missing is
/// built, in one go, so that cargo can use all processors.
///
/// # Errors
/// When the libraries cannot be built, with the compiler's message, or not be stored.
pub(crate) fn prepare(
    world: &dyn World,
    toolchain: &Toolchain,
    cache: &Path,
    targets: &[String],
    on_line: &mut dyn FnMut(Line<'_>),
) -> Result<PathBuf, BuildError> {
    let key = digest_of(&[toolchain.identity().as_bytes(), RECIPE.as_bytes()]).to_string();
    let sysroots = cache.join("sysroots");
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
    let result = build(world, toolchain, &building, &missing, on_line).and_then(|()| {
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
    toolchain: &Toolchain,
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

    let source = toolchain.library_source();
    let flags = [
        // The libraries take part in link-time optimisation, for which they must hold their intermediate form as well.
        "-Cembed-bitcode=yes".to_owned(),
        format!("--remap-path-prefix={}=/rust/library", source.display()),
        format!("--remap-path-prefix={}=/rust/sysroot", dir.display()),
    ];
    let mut command = cargo_command(toolchain, &flags)
        .dir(&package)
        // Building the standard library is a feature of nightly compilers; distributions make stable ones do it so.
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
