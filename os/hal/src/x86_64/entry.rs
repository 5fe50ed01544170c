//! What the first instructions call, and the boot record of a boot without the project's loader: by the PVH note or by
//! Multiboot2.

use core::arch::global_asm;

use bootinfo::{BootInfo, Framebuffer, KERNEL_VMA, MAGIC, MemoryKind, PhysRange, VERSION};
use kcore::memory_map::{self, MapError, MemoryMap};
use kcore::multiboot2::LOADER_MAGIC;

use super::{multiboot, pvh, start};
use crate::{boot, cpu, image};

global_asm!(
    include_str!("entry.s"),
    loader_entry = sym loader_entry,
    direct_entry = sym direct_entry,
);

/// Where the linker script puts the image for this way of booting.
const KERNEL_START: u64 = 0x20_0000;

/// Memory below belongs to the firmware's data, but for a page in which further CPUs start.
const LOW_MEMORY: u64 = 1 << 20;

/// Memory that this file's first instructions use: code and tables at 1 MiB, as the linker script says.
const BOOT_SEGMENT: PhysRange = PhysRange {
    start: LOW_MEMORY,
    len: KERNEL_START - LOW_MEMORY,
};

/// The map while it is made. It stays where it is: the boot record points to it.
pub(super) type Map = MemoryMap<128>;

/// What whoever started the kernel knows of the machine, apart from its memory.
pub(super) struct Given {
    pub(super) initrd: PhysRange,
    pub(super) rsdp: u64,
    pub(super) framebuffer: Framebuffer,
    /// Memory that holds what is read later.
    pub(super) kept: PhysRange,
}

unsafe extern "C" fn loader_entry(record: *const BootInfo) -> ! {
    // SAFETY: `_start` runs once, and only the loader enters there: its contract is this function's.
    unsafe { boot::enter(record) }
}

/// `magic` is 0 behind the PVH note, and what the boot loader left in `eax` behind Multiboot2's entry address.
unsafe extern "C" fn direct_entry(info: u64, magic: u32) -> ! {
    cpu::local(0).install();
    let mut map = Map::new();
    let given = match magic {
        // SAFETY: `pvh_start` runs once; whoever found the note gives the address of a start-info record.
        0 => unsafe { pvh::read(info, &mut map) },
        // SAFETY: the magic number says that a Multiboot2 boot loader gave the address of boot information.
        LOADER_MAGIC => unsafe { multiboot::read(info, &mut map) },
        other => panic!("started with {other:#x} in eax; expected Multiboot2's {LOADER_MAGIC:#x}"),
    };
    let record = record(&given, &mut map).unwrap_or_else(|error| panic!("{error}"));
    // SAFETY: the record was made from what started the kernel, and `pvh_start` has set up the mappings.
    unsafe { boot::enter(&raw const record) }
}

/// Makes the boot record.
fn record(given: &Given, map: &mut Map) -> Result<BootInfo, MapError> {
    let kernel = PhysRange {
        start: KERNEL_START,
        len: image::len(),
    };
    let usable = map
        .regions()
        .iter()
        .filter(|region| memory_map::kind(region) == MemoryKind::Usable);
    let start_page = start::page(usable.map(|region| (region.start, memory_map::end(region))));
    map.paint(0, LOW_MEMORY, MemoryKind::Reserved)?;
    if let Some(page) = start_page {
        map.paint(page, 4096, MemoryKind::Usable)?;
    }
    for range in [BOOT_SEGMENT, kernel, given.initrd, given.kept] {
        map.paint(range.start, range.len, MemoryKind::Loader)?;
    }
    // The map lies on the kernel's stack; a boot record has physical addresses.
    let regions = map.regions();
    Ok(BootInfo {
        magic: MAGIC,
        version: VERSION,
        has_seed: 0,
        kernel,
        initrd: given.initrd,
        rsdp: given.rsdp,
        dtb: 0,
        boot_cpu: 0,
        framebuffer: given.framebuffer,
        memory_map: regions.as_ptr().addr() as u64 - KERNEL_VMA + KERNEL_START,
        memory_map_len: regions.len() as u64,
        seed: [0; bootinfo::SEED_LEN],
    })
}
