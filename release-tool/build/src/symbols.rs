//! The archive of debugging information of an architecture.
//!
//! Kernel and programs are ELF files with a build id. The loader is not among them: it is shipped as a PE file, in
//! which debuggers look for a reference to another format that no Rust tool on the project's machines writes; and it
//! is gone when the kernel runs.

use crate::BuildError;
use crate::strip::build_id;
use std::path::Path;
use vrel_pack::symbols::{DebugFile, Symbols};
use vrel_world::World;

/// A file as it was linked, with everything in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unstripped<'a> {
    /// Its package.
    pub name: &'a str,
    /// Where it is.
    pub path: &'a Path,
}

/// Writes the archive of these files' debugging information to `path`.
///
/// # Errors
/// When a file is not an ELF file with a build id, when two files have the same one, and when an effect fails.
pub fn write(
    world: &dyn World,
    path: &Path,
    symbols: &Symbols<'_>,
    files: &[Unstripped<'_>],
) -> Result<(), BuildError> {
    let mut found = Vec::new();
    for file in files {
        let elf = world.fs().read(file.path)?;
        found.push(DebugFile {
            name: file.name,
            build_id: build_id(&elf, file.name)?,
            path: file.path,
        });
    }
    Ok(vrel_pack::symbols::write(world, path, symbols, &found)?)
}
