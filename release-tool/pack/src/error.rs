//! Why something was not packed.

use crate::esp;
use std::path::PathBuf;
use vrel_model::{Arch, ByteSize};
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
    /// Files that no container image can be made of.
    #[error("container image for {arch}: {problem}")]
    Oci {
        /// The architecture.
        arch: Arch,
        /// What was expected and found.
        problem: String,
    },
    /// A disk whose size a format cannot hold.
    #[error(
        "{}: expected a size of whole {} up to {} for {format}, got {size} bytes",
        path.display(), ByteSize(*unit), ByteSize(*max)
    )]
    DiskSize {
        /// The raw image.
        path: PathBuf,
        /// What the format is called.
        format: &'static str,
        /// What the size must be a multiple of, in bytes.
        unit: u64,
        /// The largest size in bytes.
        max: u64,
        /// The image's size in bytes.
        size: u64,
    },
    /// More content than a disk of the wanted size has room for.
    #[error("{}: expected a disk of at least {}, got the size {}", path.display(), ByteSize(*needed), ByteSize(*size))]
    DiskFull {
        /// The image to be written.
        path: PathBuf,
        /// Bytes that the partitions and their tables take.
        needed: u64,
        /// The wanted size in bytes.
        size: u64,
    },
    /// A setting that a format has no room for.
    #[error("{setting}: expected {expected}, got `{found}`")]
    Setting {
        /// What it is called in policy files.
        setting: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// An architecture for which a format does not exist.
    #[error("{format}: expected one of the architectures {expected}, got {arch}")]
    NoArch {
        /// What the format is called.
        format: &'static str,
        /// The architectures that it exists for.
        expected: &'static str,
        /// The architecture.
        arch: Arch,
    },
    /// A package that is not what it should be.
    #[error("{}: expected {expected}, found {found}", path.display())]
    Package {
        /// The package.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// GRUB is not installed.
    #[error("expected {expected}, to make an ISO that boots by BIOS; got none")]
    NoGrub {
        /// What is missing.
        expected: &'static str,
    },
    /// GRUB made something that cannot boot.
    #[error("GRUB: {problem}")]
    Grub {
        /// What was expected and found.
        problem: String,
    },
    /// A lock file that cannot be understood.
    #[error("{path}: expected a lock file of cargo, got something else: {problem}")]
    Lock {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A crate that cannot be packed.
    #[error("the crate {name}: {problem}")]
    Crate {
        /// Its name and version.
        name: String,
        /// What was expected and found.
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
            Self::DiskSize { unit, .. } => Some(format!(
                "give the disk another `size` in artifacts/, such as `{}`",
                ByteSize((*unit).max(1 << 30))
            )),
            Self::DiskFull { .. } => Some("raise `size` in the disk's file in artifacts/, or use `fit`".to_owned()),
            Self::NoArch { .. } => Some("take the architecture out of `arches` in the artifact's file".to_owned()),
            Self::Package { .. } => Some("get the package again; this one is damaged or not ours".to_owned()),
            Self::NoGrub { .. } => Some(
                "`apt install grub-common grub-pc-bin` (Debian, Ubuntu), `dnf install grub2-tools grub2-pc-modules` \
                 (Fedora), `pacman -S grub` (Arch), `brew install i686-elf-grub` (macOS)"
                    .to_owned(),
            ),
            Self::Crate { .. } => Some(
                "`cargo fetch --locked` downloads what is missing; remove a file that differs from the lock file first"
                    .to_owned(),
            ),
            Self::Attribute { .. } => {
                Some("remove the attribute: a release's source is the commit's files as they are".to_owned())
            }
            _ => None,
        }
    }
}
