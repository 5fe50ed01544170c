//! The start-info record of a PVH boot.
//!
//! Source: Xen, "x86/HVM direct boot ABI" (`hvm_start_info`), which QEMU's `-kernel` follows.

use bootinfo::{Framebuffer, MemoryKind, PhysRange};
use kcore::bytes::{le32, le64};

use super::entry::{Given, Map};
use crate::phys;

const START_INFO_MAGIC: u32 = 0x336e_c578;
const START_INFO_LEN: usize = 56;
const MODULE_LEN: usize = 32;
const MEMORY_ENTRY_LEN: usize = 24;

/// Reads the record and enters the machine's memory into `map`. Panics, with a message, when it cannot be used.
///
/// # Safety
/// `start_info` is the physical address of a start-info record, and its tables are where it says, below 4 GiB.
pub(super) unsafe fn read(start_info: u64, map: &mut Map) -> Given {
    // SAFETY: the caller's promise.
    let info = unsafe { phys::bytes(start_info, START_INFO_LEN) };
    let word = |offset| le32(info, offset).unwrap_or(0);
    let long = |offset| le64(info, offset).unwrap_or(0);
    assert!(
        word(0) == START_INFO_MAGIC,
        "PVH start info: magic is {:#x}",
        word(0)
    );
    assert!(
        word(4) >= 1,
        "PVH start info: version {} has no memory map",
        word(4)
    );
    let (modules, module_list, rsdp, memory) = (word(12), long(16), long(32), long(40));
    // SAFETY: the caller's promise.
    let entries = unsafe { phys::bytes(memory, word(48) as usize * MEMORY_ENTRY_LEN) };
    // Reserved ranges win over usable ones that they overlap.
    for (usable, kind) in [(true, MemoryKind::Usable), (false, MemoryKind::Reserved)] {
        for entry in entries.chunks_exact(MEMORY_ENTRY_LEN) {
            let (start, len) = (le64(entry, 0).unwrap_or(0), le64(entry, 8).unwrap_or(0));
            if (le32(entry, 16) == Some(1)) == usable {
                map.paint(start, len, kind)
                    .unwrap_or_else(|error| panic!("{error}"));
            }
        }
    }
    let mut initrd = PhysRange::default();
    if modules > 0 {
        // SAFETY: the caller's promise.
        let module = unsafe { phys::bytes(module_list, MODULE_LEN) };
        initrd = PhysRange {
            start: le64(module, 0).unwrap_or(0),
            len: le64(module, 8).unwrap_or(0),
        };
    }
    Given {
        initrd,
        rsdp,
        framebuffer: Framebuffer::default(),
        kept: PhysRange::default(),
    }
}
