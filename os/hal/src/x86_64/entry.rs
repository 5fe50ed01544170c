//! What the first instructions call, and the boot record of a PVH boot.
//!
//! Source: Xen, "x86/HVM direct boot ABI" (`hvm_start_info`), which QEMU's `-kernel` follows.

use core::arch::global_asm;

use bootinfo::{BootInfo, Framebuffer, KERNEL_VMA, MAGIC, MemoryKind, PhysRange, VERSION};
use kcore::bytes::{le32, le64};
use kcore::memory_map::{MapError, MemoryMap};

use crate::{boot, image, phys};

global_asm!(
    include_str!("entry.s"),
    loader_entry = sym loader_entry,
    direct_entry = sym direct_entry,
);

/// Where the linker script puts the image for this way of booting.
const KERNEL_START: u64 = 0x20_0000;

/// Memory below belongs to the firmware's data, and later to the start of further CPUs.
const LOW_MEMORY: u64 = 1 << 20;

const START_INFO_MAGIC: u32 = 0x336e_c578;
const START_INFO_LEN: usize = 56;
const MODULE_LEN: usize = 32;
const MEMORY_ENTRY_LEN: usize = 24;

/// Memory that this file's first instructions use: code and tables at 1 MiB, as the linker script says.
const BOOT_SEGMENT: PhysRange = PhysRange {
    start: LOW_MEMORY,
    len: KERNEL_START - LOW_MEMORY,
};

unsafe extern "C" fn loader_entry(record: *const BootInfo) -> ! {
    // SAFETY: `_start` runs once, and only the loader enters there: its contract is this function's.
    unsafe { boot::start(record) }
}

unsafe extern "C" fn direct_entry(start_info: u64) -> ! {
    super::console::init();
    super::trap::install();
    let mut map = MemoryMap::new();
    // SAFETY: `pvh_start` runs once; whoever found the note gives the address of a start-info record.
    let record = unsafe { record(start_info, &mut map) };
    let record = record.unwrap_or_else(|error| panic!("{error}"));
    // SAFETY: the record was made from what started the kernel, and `pvh_start` has set up the mappings.
    unsafe { boot::start(&raw const record) }
}

/// Makes the boot record. `map` stays where it is.
///
/// # Safety
/// `start_info` is the physical address of a start-info record, and its tables are where it says, below 4 GiB.
unsafe fn record(start_info: u64, map: &mut MemoryMap<128>) -> Result<BootInfo, MapError> {
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
                map.paint(start, len, kind)?;
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
    let kernel = PhysRange {
        start: KERNEL_START,
        len: image::len(),
    };
    map.paint(0, LOW_MEMORY, MemoryKind::Reserved)?;
    for range in [BOOT_SEGMENT, kernel, initrd] {
        map.paint(range.start, range.len, MemoryKind::Loader)?;
    }
    // The map lies on the kernel's stack; a boot record has physical addresses.
    let regions = map.regions();
    Ok(BootInfo {
        magic: MAGIC,
        version: VERSION,
        reserved: 0,
        kernel,
        initrd,
        rsdp,
        dtb: 0,
        boot_cpu: 0,
        framebuffer: Framebuffer::default(),
        memory_map: regions.as_ptr().addr() as u64 - KERNEL_VMA + KERNEL_START,
        memory_map_len: regions.len() as u64,
    })
}
