//! What the first instructions call, and the boot record of a boot without a loader.

use core::arch::global_asm;

use bootinfo::{BootInfo, PhysRange};
use kcore::memory_map::MemoryMap;
use kcore::paging::MAIR;

use crate::{boot, cpu, device_tree};

global_asm!(
    include_str!("entry.s"),
    loader_entry = sym loader_entry,
    direct_entry = sym direct_entry,
    mair = const MAIR,
);

unsafe extern "C" fn loader_entry(record: *const BootInfo) -> ! {
    // SAFETY: `_start` runs once, and only the loader enters there with the MMU on: its contract is this function's.
    unsafe { boot::enter(record) }
}

unsafe extern "C" fn direct_entry(dtb: u64, kernel_start: u64) -> ! {
    cpu::local(0).install();
    // SAFETY: the boot protocol of arm64 Linux gives the address of a device tree, and `_start` has mapped memory.
    let tree = unsafe { device_tree::at(dtb) };
    let range = PhysRange {
        start: dtb,
        len: tree.len() as u64,
    };
    let mut map = MemoryMap::new();
    let record = device_tree::boot_record(&tree, range, kernel_start, 0, &mut map);
    let record = record.unwrap_or_else(|error| panic!("{error}"));
    // SAFETY: the record was made from what started the kernel, and `_start` has set up the mappings.
    unsafe { boot::enter(&raw const record) }
}
