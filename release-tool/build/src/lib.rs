//! Compiles the operating system and boots what is made of it.
//!
//! Every function here is given its paths, versions and times; all effects go through [`vrel_world::World`].
//! Equal inputs give equal bytes: compiled code neither knows where it was compiled nor which version it is (the version is
//! stamped in afterwards, see [`stamp::write_identity`]).

pub mod api_docs;
mod binary;
pub mod closure;
pub mod compile;
mod error;
#[cfg(test)]
mod fake;
pub mod flat;
pub mod function_names;
pub mod images;
pub mod installer;
pub mod machines;
pub mod man_pages;
pub mod mandoc;
pub mod measure;
pub mod qemu;
pub mod recipe;
mod slot;
pub mod stamp;
pub mod strip;
pub mod symbols;
mod sysroot;
pub mod targets;
pub mod toolchain;

pub use error::{BootFailure, BuildError};
pub use images::{Exchange, Image};
pub use machines::Machine;
pub use mandoc::Mandoc;
pub use targets::Targets;
pub use toolchain::{Toolchain, beside};

use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use std::path::Path;
use vrel_model::{Sha256Digest, toml_file};
use vrel_world::{ErrorKind, World, WorldError};

/// A line of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// What it is about, in a word or two: an architecture and a part, a machine and a medium.
    pub source: &'a str,
    /// The line, without its end.
    pub text: &'a str,
}

fn read_toml<T: DeserializeOwned>(world: &dyn World, path: &Path) -> Result<T, BuildError> {
    let text = String::from_utf8(world.fs().read(path)?).map_err(|error| {
        let reason = format!(
            "it is not UTF-8 from byte {} on",
            error.utf8_error().valid_up_to()
        );
        WorldError::new("read", path.display().to_string(), ErrorKind::Other, reason)
    })?;
    toml_file::parse(path, &text).map_err(BuildError::Toml)
}

/// SHA-256 over texts, with a zero byte between them.
fn digest_of(parts: &[&[u8]]) -> Sha256Digest {
    let mut hash = Sha256::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hash.update([0]);
        }
        hash.update(part);
    }
    Sha256Digest::new(hash.finalize().into())
}
