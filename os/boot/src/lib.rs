//! The part of the loader that needs no firmware: reading the kernel's ELF file and the device tree, building
//! page tables, and turning a firmware memory map into the kernel's; and, for the installer, its answer file, what it
//! writes and where. No `unsafe`, no I/O; tested on the host.
#![no_std]
#![forbid(unsafe_code)]

pub mod answers;
pub mod device_tree;
pub mod disks;
pub mod elf;
pub mod entry;
pub mod gpt;
pub mod names;
pub mod paging;
pub mod payload;
pub mod regions;

/// Bytes in a page, on every architecture.
pub const PAGE: u64 = 4096;

/// Rounds `bytes` up to whole pages; `None` if that exceeds 64 bits.
pub fn page_align_up(bytes: u64) -> Option<u64> {
    Some(bytes.checked_add(PAGE - 1)? & !(PAGE - 1))
}
