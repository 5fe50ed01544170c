//! The UEFI loader: reads the kernel and its initrd from the volume that it was started from, builds page
//! tables, leaves the firmware, and enters the kernel as `bootinfo` says. On an installer's medium it offers to install
//! the system first.
//!
//! Whatever can fail does so before boot services end, so that every error reaches the firmware's console;
//! the loader then returns to the firmware, which goes on to its next boot option.
#![no_std]
#![no_main]

mod arch;
mod error;
mod install;
mod memory;
mod random;
mod tables;
mod volume;

use boot_core::elf::Kernel;
use boot_core::paging::{Access, Format, PageTables};
use boot_core::regions::normalise;
use boot_core::{PAGE, device_tree};
use bootinfo::{BootInfo, Framebuffer, KERNEL_VMA, MemoryKind, MemoryRegion, PhysRange};
use core::convert::Infallible;
use uefi::boot::{self, MemoryType};
use uefi::mem::memory_map::{MemoryAttribute, MemoryDescriptor, MemoryMap};
use uefi::{CStr16, Status, cstr16, println};

use crate::error::Error;
use crate::memory::{Block, FirmwareTables, pages_for};
use crate::volume::Volume;

const KERNEL_FILE: &CStr16 = cstr16!("\\veridian\\kernel.elf");
const INITRD_FILE: &CStr16 = cstr16!("\\veridian\\initrd.tar");

/// The kernel's physical block starts at a multiple of this, so that the kernel may map itself with large
/// pages.
const KERNEL_ALIGNMENT: u64 = 2 << 20;

/// Everything below this address is identity-mapped even where the memory map has a hole: device registers
/// live there.
const DEVICE_SPACE: u64 = 4 << 30;

/// Leaving boot services and the allocations just before it add entries to the memory map; far fewer than
/// this.
const SPARE_REGIONS: usize = 128;

#[uefi::entry]
fn main() -> Status {
    match start() {
        Ok(never) => match never {},
        Err(error) => {
            println!("VeridianOS loader: cannot start: {error}");
            error.status()
        }
    }
}

/// Does everything; returns only to report an error.
fn start() -> Result<Infallible, Error> {
    println!(
        "VeridianOS loader for {}, on {}",
        arch::NAME,
        uefi::system::firmware_vendor()
    );
    arch::check()?;

    let mut volume = Volume::of_this_image()?;
    install::offer(&mut volume)?;
    let kernel_file = volume.read(KERNEL_FILE)?;
    let initrd = volume.read(INITRD_FILE)?;
    drop(volume);

    let kernel =
        Kernel::parse(kernel_file.bytes(), arch::MACHINE, KERNEL_VMA).map_err(|cause| Error::Kernel {
            path: KERNEL_FILE,
            cause,
        })?;
    let image = load(&kernel)?;

    let tree = tables::copy_device_tree()?;
    let mut reserved = 0;
    if let Some(tree) = &tree {
        device_tree::reserved_memory(tree.bytes(), |_| reserved += 1).map_err(|cause| Error::DeviceTree {
            address: tree.start(),
            cause,
        })?;
    }

    let seed = random::bytes();
    let mut info = BootInfo {
        magic: bootinfo::MAGIC,
        version: bootinfo::VERSION,
        has_seed: u32::from(seed.is_some()),
        kernel: PhysRange {
            start: image.start(),
            len: kernel.memory_len(),
        },
        initrd: PhysRange {
            start: initrd.start(),
            len: initrd.len() as u64,
        },
        rsdp: tables::rsdp(),
        dtb: tree.as_ref().map_or(0, Block::start),
        boot_cpu: arch::boot_cpu()?,
        framebuffer: tables::framebuffer(),
        memory_map: 0,
        memory_map_len: 0,
        seed: seed.unwrap_or_default(),
    };
    let page_tables = build_page_tables(&kernel, &image, &info.framebuffer)?;

    let map_len = boot::memory_map(MemoryType::LOADER_DATA)
        .map_err(Error::MemoryMap)?
        .len();
    let map_len = map_len + reserved + SPARE_REGIONS;
    let mut record = Block::zeroed(pages_for(size_of::<BootInfo>() as u64))?;
    let mut map = Block::zeroed(pages_for((map_len * size_of::<MemoryRegion>()) as u64))?;

    println!(
        "starting the kernel: {} KiB at {:#x}, initrd of {} bytes",
        kernel.memory_len() / 1024,
        image.start(),
        initrd.len()
    );
    // SAFETY: nothing after this line uses a protocol, the console or the allocator: what follows fills
    // blocks that are already allocated. No value with a destructor that frees firmware memory is left:
    // `volume` was dropped, and
    // `Block`s never free themselves.
    let firmware_map = unsafe { boot::exit_boot_services(Some(MemoryType::LOADER_DATA)) };

    let regions = map.as_regions();
    let mut count = 0;
    let mut list = |region| {
        // Should the map have grown beyond all expectation, its rest is not listed, and so never touched by
        // the kernel.
        if let Some(slot) = regions.get_mut(count) {
            *slot = region;
            count += 1;
        }
    };
    if let Some(tree) = &tree {
        // Read without an error before, and first, so that no reservation is lost.
        let _ = device_tree::reserved_memory(tree.bytes(), &mut list);
    }
    firmware_map.entries().filter_map(region).for_each(list);
    info.memory_map_len = normalise(&mut regions[..count]) as u64;
    info.memory_map = map.start();
    record.store(info);

    // SAFETY: `page_tables` maps the kernel's executable segments at their addresses and the entry point lies
    // in one of them (both checked by `Kernel::parse` and done by `build_page_tables`), the page of the
    // switching code is mapped executable at its own address, and `record` holds the boot record,
    // identity-mapped like all memory.
    unsafe { arch::enter(record.start(), page_tables.root(), kernel.entry()) }
}

/// Copies the kernel into one contiguous block.
fn load(kernel: &Kernel<'_>) -> Result<Block, Error> {
    let mut image = Block::aligned(pages_for(kernel.memory_len()), KERNEL_ALIGNMENT)?;
    for segment in kernel.segments() {
        let at = (segment.vaddr - kernel.base()) as usize;
        image.bytes_mut()[at..at + segment.data.len()].copy_from_slice(segment.data);
    }
    arch::sync_code(image.start(), kernel.memory_len());
    Ok(image)
}

type Tables = PageTables<arch::Paging, FirmwareTables>;

/// Maps the kernel, each segment with its own rights, and all physical memory at its own address.
///
/// The identity map is not executable, but for the page whose code exchanges the page tables.
fn build_page_tables(kernel: &Kernel<'_>, image: &Block, screen: &Framebuffer) -> Result<Tables, Error> {
    let mut tables = Tables::new(FirmwareTables)?;
    identity_map(&mut tables, 0, DEVICE_SPACE, Access::DEVICE)?;
    if screen.addr != 0 {
        identity_map(&mut tables, screen.addr, screen.len, Access::FRAMEBUFFER)?;
    }
    // Allocations from here on change the kinds of regions, never what memory there is.
    let firmware_map = boot::memory_map(MemoryType::LOADER_DATA).map_err(Error::MemoryMap)?;
    for descriptor in firmware_map.entries() {
        let is_io = [MemoryType::MMIO, MemoryType::MMIO_PORT_SPACE].contains(&descriptor.ty);
        let cached = descriptor.att.contains(MemoryAttribute::WRITE_BACK) && !is_io;
        let access = if cached {
            Access::READ_WRITE
        } else {
            Access::DEVICE
        };
        identity_map(
            &mut tables,
            descriptor.phys_start,
            descriptor.page_count.saturating_mul(PAGE),
            access,
        )?;
    }
    let enter = arch::enter_page()?;
    tables.map(enter, enter, PAGE, Access::READ_EXECUTE)?;
    for segment in kernel.segments() {
        let access = match segment {
            s if s.execute => Access::READ_EXECUTE,
            s if s.write => Access::READ_WRITE,
            _ => Access::READ_ONLY,
        };
        let phys = image.start() + (segment.vaddr - kernel.base());
        tables.map(segment.vaddr, phys, segment.page_len(), access)?;
    }
    Ok(tables)
}

/// Maps the part of a physical range that can be mapped to itself.
fn identity_map(tables: &mut Tables, start: u64, len: u64, access: Access) -> Result<(), Error> {
    let limit = arch::Paging::IDENTITY_LIMIT;
    let first = start / PAGE * PAGE;
    let end = start.saturating_add(len).min(limit).div_ceil(PAGE) * PAGE;
    if first < end {
        tables.map(first, first, end - first, access)
    } else {
        Ok(())
    }
}

/// The kernel's view of a firmware memory descriptor; `None` for what the identity map cannot hold.
fn region(descriptor: &MemoryDescriptor) -> Option<MemoryRegion> {
    let kind = match descriptor.ty {
        MemoryType::CONVENTIONAL | MemoryType::BOOT_SERVICES_CODE | MemoryType::BOOT_SERVICES_DATA => {
            MemoryKind::Usable
        }
        MemoryType::LOADER_CODE | MemoryType::LOADER_DATA => MemoryKind::Loader,
        MemoryType::ACPI_RECLAIM => MemoryKind::AcpiReclaim,
        _ => MemoryKind::Reserved,
    };
    let room = arch::Paging::IDENTITY_LIMIT.checked_sub(descriptor.phys_start)? / PAGE;
    let pages = descriptor.page_count.min(room);
    (pages > 0).then_some(MemoryRegion {
        start: descriptor.phys_start,
        pages,
        kind: kind as u32,
        reserved: 0,
    })
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: the system table lives as long as the firmware's runtime services, that is, always.
    let table = uefi::table::system_table_raw().map(|table| unsafe { table.as_ref() });
    if table.is_some_and(|table| !table.boot_services.is_null()) {
        println!("VeridianOS loader: internal error, please report it: {info}");
        // SAFETY: the handle is our own, and this image has registered nothing with the firmware that could
        // call into it after it has been unloaded. Should the firmware refuse, there is the loop below.
        let _ = unsafe { boot::exit(boot::image_handle(), Status::ABORTED, 0, core::ptr::null_mut()) };
    }
    // Nobody can be told any more.
    loop {
        core::hint::spin_loop();
    }
}
