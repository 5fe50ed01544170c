//! Why the kernel could not be started.

use boot_core::device_tree::TreeError;
use boot_core::elf::ElfError;
use core::fmt;
use uefi::{CStr16, Status};

/// A situation that ends the loader. Each is shown on the firmware's console with what was expected and what
/// was found.
#[derive(Debug)]
pub(crate) enum Error {
    /// The volume that the loader came from has no file system, or none that the firmware can read.
    Volume(uefi::Error),
    /// A file is missing or not readable.
    File {
        path: &'static CStr16,
        cause: uefi::Error,
    },
    /// A file ended before its announced length.
    ShortRead {
        path: &'static CStr16,
        expected: usize,
        got: usize,
    },
    /// An empty file or a directory where a file with content is needed.
    NotAFile { path: &'static CStr16 },
    /// The kernel file is damaged or was made for something else.
    Kernel { path: &'static CStr16, cause: ElfError },
    /// Not enough memory.
    Memory { pages: usize, cause: uefi::Error },
    /// No contiguous memory for the kernel.
    NoBlock { pages: usize, alignment: u64 },
    /// The firmware did not give a memory map.
    MemoryMap(uefi::Error),
    /// What the firmware calls a device tree is damaged.
    DeviceTree { address: u64, cause: TreeError },
    /// The processor is not in the state that the loader needs, or lacks a feature.
    #[cfg_attr(
        target_arch = "riscv64",
        expect(dead_code, reason = "Sv39 has no variants to check for")
    )]
    Processor {
        expected: &'static str,
        found: &'static str,
    },
    /// The firmware does not say which hart runs.
    #[cfg(target_arch = "riscv64")]
    BootHart(uefi::Error),
    /// The code that exchanges page tables spans two pages; a fault of the build.
    SwitchSpansPages { start: u64, end: u64 },
}

impl Error {
    /// What the firmware is told.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Volume(cause) | Self::File { cause, .. } | Self::MemoryMap(cause) => cause.status(),
            Self::ShortRead { .. } => Status::END_OF_FILE,
            Self::NotAFile { .. } | Self::Kernel { .. } | Self::DeviceTree { .. } => Status::LOAD_ERROR,
            Self::Memory { .. } | Self::NoBlock { .. } => Status::OUT_OF_RESOURCES,
            Self::Processor { .. } => Status::UNSUPPORTED,
            #[cfg(target_arch = "riscv64")]
            Self::BootHart(cause) => cause.status(),
            Self::SwitchSpansPages { .. } => Status::ABORTED,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Volume(cause) => write!(
                f,
                "cannot open the volume that this loader came from: expected a FAT file system, got {:?}",
                cause.status()
            ),
            Self::File { path, cause } => write!(
                f,
                "{path}: expected a readable file on the volume that this loader came from, got {:?}",
                cause.status()
            ),
            Self::ShortRead { path, expected, got } => {
                write!(
                    f,
                    "{path}: expected {expected} bytes, got {got}: the volume is damaged"
                )
            }
            Self::NotAFile { path } => {
                write!(
                    f,
                    "{path}: expected a file with content, got a directory or an empty file"
                )
            }
            Self::Kernel { path, cause } => write!(f, "{path}: {cause}"),
            Self::Memory { pages, cause } => {
                write!(
                    f,
                    "expected {} KiB of free memory, got {:?}",
                    pages * 4,
                    cause.status()
                )
            }
            Self::NoBlock { pages, alignment } => write!(
                f,
                "expected {} KiB of contiguous free memory at a multiple of {alignment:#x}, got only smaller pieces",
                pages * 4
            ),
            Self::MemoryMap(cause) => {
                write!(
                    f,
                    "expected a memory map from the firmware, got {:?}",
                    cause.status()
                )
            }
            Self::DeviceTree { address, cause } => write!(f, "device tree at {address:#x}: {cause}"),
            Self::Processor { expected, found } => write!(f, "expected {expected}, got {found}"),
            #[cfg(target_arch = "riscv64")]
            Self::BootHart(cause) => write!(
                f,
                "expected the firmware to name the boot hart (RISCV_EFI_BOOT_PROTOCOL), got {:?}",
                cause.status()
            ),
            Self::SwitchSpansPages { start, end } => {
                write!(
                    f,
                    "expected the switching code in one page, got {start:#x} to {end:#x}"
                )
            }
        }
    }
}
