//! Why something was not packed.

use crate::esp;
use std::path::PathBuf;
use vrel_world::WorldError;

/// Why something was not packed: the object, what was expected, what was found.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// An effect failed.
    #[error(transparent)]
    World(#[from] WorldError),
    /// An entry that cannot be put into an archive.
    #[error("{path}: cannot be put into the archive: {problem}")]
    Archive {
        /// The entry.
        path: String,
        /// Why not.
        problem: String,
    },
    /// A size that an EFI system partition cannot have.
    #[error(
        "EFI system partition: expected a size of whole MiB from {} to {} MiB, got {size} bytes",
        esp::MIN_SIZE >> 20, esp::MAX_SIZE >> 20
    )]
    EspSize {
        /// The size in bytes.
        size: u64,
    },
    /// More content than an EFI system partition holds.
    #[error("EFI system partition: expected content that fits into {size} bytes, got {needed} bytes of it")]
    EspFull {
        /// Bytes of content.
        needed: u64,
        /// The partition's size in bytes.
        size: u64,
    },
    /// The file system of an EFI system partition cannot be made.
    #[error("EFI system partition: {problem}")]
    Esp {
        /// Why not.
        problem: String,
    },
    /// A disk or CD image cannot be laid out.
    #[error("{}: cannot lay out the image: {problem}", path.display())]
    ImageLayout {
        /// The image.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// A git attribute that makes an archive differ from the commit.
    #[error("{path}:{line}: expected no attribute that changes archived files, got `{attribute}`")]
    Attribute {
        /// The file in the commit.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The attribute.
        attribute: String,
    },
}

impl PackError {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::EspFull { .. } => Some("raise `esp-size` in vrel.toml".to_owned()),
            Self::Attribute { .. } => {
                Some("remove the attribute: a release's source is the commit's files as they are".to_owned())
            }
            _ => None,
        }
    }
}
