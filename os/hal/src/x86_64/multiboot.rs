//! The boot information of a Multiboot2 boot.

use bootinfo::{MemoryKind, PhysRange};
use kcore::multiboot2::{self, HEADER_LEN, Info};

use super::entry::{Given, Map};
use crate::phys;

/// Reads the boot information and enters the machine's memory into `map`. Panics, with a message, when it cannot be
/// used.
///
/// # Safety
/// `info` is the physical address of Multiboot2 boot information, below 4 GiB and as long as it says.
pub(super) unsafe fn read(info: u64, map: &mut Map) -> Given {
    // SAFETY: the caller's promise; this is the part that has the length.
    let start = unsafe { phys::bytes(info, HEADER_LEN) };
    let len = multiboot2::len(start).unwrap_or_else(|error| panic!("{error}"));
    // SAFETY: the caller's promise.
    let bytes = unsafe { phys::bytes(info, len) };
    let boot = Info::new(bytes).unwrap_or_else(|error| panic!("{error}"));
    // What is restricted wins over usable memory that it overlaps.
    for wanted in [MemoryKind::Usable, MemoryKind::AcpiReclaim, MemoryKind::Reserved] {
        let memory = boot.memory().unwrap_or_else(|error| panic!("{error}"));
        for (start, len, kind) in memory.filter(|(_, _, kind)| *kind == wanted) {
            map.paint(start, len, kind)
                .unwrap_or_else(|error| panic!("{error}"));
        }
    }
    Given {
        initrd: boot.module().unwrap_or_else(|error| panic!("{error}")),
        // The root pointer is a copy in the boot information, which therefore has to stay.
        rsdp: boot.rsdp().map_or(0, |offset| info + offset as u64),
        framebuffer: boot.framebuffer(),
        kept: PhysRange {
            start: info,
            len: len as u64,
        },
    }
}
