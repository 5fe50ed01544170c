//! From the boot record to the kernel's own page tables, heap and frames.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use bootinfo::{BootInfo, MAGIC, MemoryKind, MemoryRegion, PhysRange, VERSION};
use kcore::memory_map::{self, MemoryMap};
use kcore::paging::{Access, Attributes, ENTRIES, MapError, Mapper, PAGE_SIZE, TableMemory};

use crate::arch::Machine;
use crate::memory::{self, Memory};
use crate::phys::{self, Tables};
use crate::{Architecture, Device, MAX_DEVICES, cpu, entropy, heap, image, moving, timer};

/// Most regions that the memory map may have after joining neighbours.
const MAX_REGIONS: usize = 512;

/// Smallest piece of memory that boot can work in: heap and page tables come from one region.
const WORKSPACE_MIN: u64 = 8 << 20;

/// Smallest and largest heap, in bytes; powers of two.
const HEAP_MIN: u64 = 2 << 20;
const HEAP_MAX: u64 = 64 << 20;

static KERNEL_ROOT: AtomicU64 = AtomicU64::new(0);

/// Physical address of the root of the kernel's own page tables.
pub(crate) fn kernel_root() -> u64 {
    KERNEL_ROOT.load(Ordering::Relaxed)
}

static IMAGE_START: AtomicU64 = AtomicU64::new(0);

/// Physical address of the kernel image.
pub(crate) fn image_start() -> u64 {
    IMAGE_START.load(Ordering::Relaxed)
}

/// What the kernel starts with.
#[derive(Debug)]
pub struct Boot {
    /// All free memory.
    pub free: Vec<Memory>,
    /// The initrd, an archive; empty when there is none.
    pub initrd: &'static [u8],
    /// Hardware id of the CPU that runs.
    pub cpu: u64,
    /// Bytes of usable memory that the machine has.
    pub memory: u64,
    /// Bytes that are free in the kernel's heap.
    pub heap: usize,
}

unsafe extern "Rust" {
    /// The kernel's entry point: made by [`entry!`](crate::entry), which checks the type.
    safe fn kernel_main(boot: Boot) -> !;

    /// Where the other CPUs enter: from there too.
    pub(crate) safe fn kernel_secondary(cpu: usize) -> !;
}

/// The part of a usable region that boot takes memory from, page by page, until there is a frame allocator.
struct Workspace {
    next: u64,
    end: u64,
}

impl Workspace {
    fn take(&mut self, pages: u64) -> Option<u64> {
        let start = self.next;
        self.next = start
            .checked_add(pages * PAGE_SIZE)
            .filter(|&next| next <= self.end)?;
        Some(start)
    }
}

/// What the first instructions call: moves the image, then brings the machine up.
///
/// # Safety
/// Called once, on the boot stack, with interrupts masked, in the state that `bootinfo` describes: physical memory is
/// mapped at its own address, the kernel image at its link address, and `pointer` is null or the physical address of a
/// boot record that tells the truth.
pub(crate) unsafe fn enter(pointer: *const BootInfo) -> ! {
    // Before the image is moved: later the address may be read from where that changes.
    let next = core::hint::black_box(start as *const ()).addr() as u64;
    cpu::local(0).install();
    // SAFETY: the caller's promise.
    unsafe {
        let record = read_record(pointer);
        entropy::collect(&record);
        moving::go_on_elsewhere(next, pointer, &record);
        start(pointer)
    }
}

/// Brings the machine up and enters the kernel, where the image is to stay.
///
/// # Safety
/// As for `enter`, but for the image's address.
#[inline(never)]
unsafe extern "C" fn start(pointer: *const BootInfo) -> ! {
    cpu::local(0).install();
    // SAFETY: the caller's promise.
    let record = unsafe { read_record(pointer) };
    // SAFETY: checked above, and true by the caller's promise.
    let devices = unsafe { Machine::discover(&record) };
    // SAFETY: the same.
    let regions: &[MemoryRegion] = unsafe {
        core::slice::from_raw_parts(phys::pointer(record.memory_map), record.memory_map_len as usize)
    };
    IMAGE_START.store(record.kernel.start, Ordering::Relaxed);
    let mut map = MemoryMap::<MAX_REGIONS>::from_regions(regions).unwrap_or_else(|error| panic!("{error}"));
    let start_page = Machine::start_page(&record, usable(&map));
    if let Some(page) = start_page {
        map.paint(page, PAGE_SIZE, MemoryKind::Loader)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let (mut workspace, heap) = workspace(&map);

    let mapped = map
        .regions()
        .iter()
        .filter(|region| memory_map::kind(region) != MemoryKind::Reserved);
    let ends = mapped
        .map(memory_map::end)
        .chain(devices.iter().map(|(start, len)| start + len));
    phys::place_map(ends.max().unwrap_or(0), moving::choose);
    cpu::place_stacks(moving::choose);
    let root = workspace.take(1).unwrap_or_else(|| no_room());
    // SAFETY: the workspace is usable memory, so nobody uses it, and it hands out each page once.
    unsafe { phys::clear_frame(root) };
    let built = build_tables(root, &mut workspace, &record, &map, &devices, start_page)
        .and_then(|()| start_page.map_or(Ok(false), |page| prepare_start(root, &mut workspace, page)));
    match built {
        Ok(true) => {}
        Ok(false) => cpu::forget_others(),
        Err(error) => panic!("kernel page tables: {error}"),
    }
    KERNEL_ROOT.store(root, Ordering::Relaxed);
    // SAFETY: `build_tables` has mapped the image with its stack, and all memory at the physical map.
    unsafe {
        Machine::activate_kernel_space(root);
        phys::use_map();
    }

    let words = kcore::heap::Heap::<&mut [u64]>::words(heap.len as usize);
    let pages = (words as u64 * 8).div_ceil(PAGE_SIZE);
    let bookkeeping = workspace.take(pages).unwrap_or_else(|| no_room());
    // SAFETY: both ranges are usable memory that the workspace does not hand out again; the heap's is aligned.
    unsafe {
        let words = core::slice::from_raw_parts_mut(phys::pointer::<u64>(bookkeeping), words);
        heap::init(phys::pointer(heap.start), heap.len as usize, words);
    }
    if let Err(error) = Machine::init_interrupts(true).and_then(|()| timer::init()) {
        panic!("{error}");
    }
    cpu::this().online.store(true, Ordering::Release);
    memory::init_counts(usable(&map));
    let free = free_memory(&map, &workspace, heap);
    let initrd = record.initrd;
    kernel_main(Boot {
        free,
        // SAFETY: the loader has put the initrd there, in memory of kind `Loader`, which nobody ever writes to.
        initrd: unsafe { phys::bytes(initrd.start, initrd.len as usize) },
        cpu: record.boot_cpu,
        memory: usable(&map).map(|(start, end)| end - start).sum(),
        heap: heap::free(),
    })
}

fn no_room() -> ! {
    panic!("not enough memory for the kernel's page tables and heap")
}

/// Copies and checks the boot record.
///
/// # Safety
/// `record` is null or the address of a record that can be read.
unsafe fn read_record(record: *const BootInfo) -> BootInfo {
    assert!(
        !record.is_null() && record.is_aligned(),
        "the loader gave no boot record: address {record:p}"
    );
    // SAFETY: the caller's promise; alignment was checked.
    let record = unsafe { record.read() };
    assert!(
        record.magic == MAGIC,
        "boot record: magic is {:#x}, expected {MAGIC:#x}",
        record.magic
    );
    let version = record.version;
    assert!(
        version == VERSION,
        "boot record: version is {version}, this kernel takes version {VERSION}"
    );
    let kernel = record.kernel;
    assert!(
        kernel.start.is_multiple_of(2 << 20) && kernel.len >= image::len(),
        "boot record: kernel at {:#x}, {:#x} bytes; expected 2 MiB alignment and {:#x} bytes",
        kernel.start,
        kernel.len,
        image::len()
    );
    record
}

/// The usable regions, as start and end.
fn usable(map: &MemoryMap<MAX_REGIONS>) -> impl Iterator<Item = (u64, u64)> + '_ {
    map.regions()
        .iter()
        .filter(|region| memory_map::kind(region) == MemoryKind::Usable)
        .map(|region| (region.start, memory_map::end(region)))
}

/// Chooses memory to work in, and the heap at its upper end.
///
/// Memory below 4 GiB is preferred: the tables that `-kernel` boots start with reach no further on x86_64.
fn workspace(map: &MemoryMap<MAX_REGIONS>) -> (Workspace, PhysRange) {
    let largest = |limit: u64| {
        usable(map)
            .map(|(start, end)| (start, end.min(limit)))
            .filter(|(start, end)| start + WORKSPACE_MIN <= *end)
            .max_by_key(|(start, end)| end - start)
    };
    let Some((start, end)) = largest(4 << 30).or_else(|| largest(u64::MAX)) else {
        no_room()
    };
    let memory: u64 = usable(map).map(|(start, end)| end - start).sum();
    let mut len = (memory / 64).next_power_of_two().clamp(HEAP_MIN, HEAP_MAX);
    while len > HEAP_MIN && len > (end - start) / 4 {
        len /= 2;
    }
    let heap = (end - len) / len * len;
    (
        Workspace {
            next: start,
            end: heap,
        },
        PhysRange { start: heap, len },
    )
}

/// Maps the kernel image, physical memory and the devices.
fn build_tables(
    root: u64,
    workspace: &mut Workspace,
    record: &BootInfo,
    map: &MemoryMap<MAX_REGIONS>,
    devices: &[Device; MAX_DEVICES],
    start_page: Option<u64>,
) -> Result<(), MapError> {
    // SAFETY: the workspace hands out pages of usable memory, each once.
    let mut tables = unsafe { Tables::new(|| workspace.take(1)) };
    let mapper = Mapper::<<Machine as Architecture>::Encoding>::new(root);
    let to_phys = |virt: u64| virt - image::start() + record.kernel.start;
    for (start, end, access) in image::parts() {
        mapper.map(
            &mut tables,
            start,
            to_phys(start),
            end - start,
            Attributes::kernel(access),
        )?;
    }
    // The image's code and constants stay read-only in the physical map as well, and so does code that CPUs start with.
    let start_page = start_page.map_or((0, 0), |page| (page, page + PAGE_SIZE));
    let fixed = [(record.kernel.start, to_phys(image::rodata_end())), start_page];
    for region in map.regions() {
        if memory_map::kind(region) == MemoryKind::Reserved {
            continue;
        }
        let (mut start, end) = (region.start, memory_map::end(region));
        while start < end {
            let inside = fixed.iter().find(|range| range.0 <= start && start < range.1);
            let next = fixed.iter().map(|range| range.0).filter(|&next| next > start);
            let (stop, access) = match inside {
                Some(&(_, stop)) => (stop, Access::ReadOnly),
                None => (next.min().unwrap_or(end), Access::ReadWrite),
            };
            let stop = stop.min(end);
            let virt = phys::map_start() + start;
            mapper.map(&mut tables, virt, start, stop - start, Attributes::kernel(access))?;
            start = stop;
        }
    }
    for index in 1..cpu::count() {
        for (virt, len) in cpu::stacks(index) {
            for page in (0..len).step_by(PAGE_SIZE as usize) {
                let frame = tables.allocate().ok_or(MapError::NoMemory)?;
                mapper.map(
                    &mut tables,
                    virt + page,
                    frame,
                    PAGE_SIZE,
                    Attributes::kernel(Access::ReadWrite),
                )?;
            }
        }
    }
    for &(start, len) in devices {
        mapper.map(
            &mut tables,
            phys::map_start() + start,
            start,
            len,
            Attributes::DEVICE,
        )?;
    }
    Ok(())
}

/// Makes the tables that other CPUs start with, from finished kernel tables: these, and the page in which they start at
/// its own address. Returns whether CPUs can be started.
fn prepare_start(kernel_root: u64, workspace: &mut Workspace, page: u64) -> Result<bool, MapError> {
    // SAFETY: as in `build_tables`.
    let mut tables = unsafe { Tables::new(|| workspace.take(1)) };
    let root = tables.allocate().ok_or(MapError::NoMemory)?;
    for slot in (0..ENTRIES).filter(|slot| !Machine::USER_SLOTS.contains(slot)) {
        let entry = tables.load(kernel_root, slot);
        tables.store(root, slot, entry);
    }
    let attributes = Attributes::kernel(Access::ReadExecute);
    Mapper::<<Machine as Architecture>::Encoding>::new(root).map(
        &mut tables,
        page,
        page,
        PAGE_SIZE,
        attributes,
    )?;
    // SAFETY: the page is that of `start_page`, taken out of the usable memory; the caller has not switched tables yet.
    Ok(unsafe { Machine::prepare_start(page, root) })
}

/// Everything usable that boot has not taken.
fn free_memory(map: &MemoryMap<MAX_REGIONS>, workspace: &Workspace, heap: PhysRange) -> Vec<Memory> {
    let heap_end = heap.start + heap.len;
    // What boot took of its region: the pages below `next`, and the heap.
    let free = usable(map).flat_map(|(start, end)| {
        let holds_workspace = start <= workspace.next && workspace.next <= end;
        if holds_workspace {
            [
                (workspace.next, heap.start - workspace.next),
                (heap_end, end - heap_end),
            ]
        } else {
            [(start, end - start), (end, 0)]
        }
    });
    free.filter(|&(_, len)| len > 0)
        // SAFETY: usable memory is nobody's but for what boot took, and all of it is mapped.
        .map(|(start, len)| unsafe { Memory::claim(start, len, false) })
        .collect()
}
