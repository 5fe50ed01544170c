//! Physical memory as the kernel sees it: at its own address until the kernel's tables are active, then in the kernel's
//! half: somewhere from [`Architecture::PHYSICAL_MAP`] on.

use core::sync::atomic::{AtomicU64, Ordering};

use kcore::paging::{ENTRIES, TableMemory};

use crate::Architecture;
use crate::arch::Machine;

static BASE: AtomicU64 = AtomicU64::new(0);

/// Where the map in the kernel's half begins, once that is decided.
static MAP: AtomicU64 = AtomicU64::new(Machine::PHYSICAL_MAP);

/// Where the map may reach: behind it is the kernel image.
const MAP_END: u64 = 0xffff_ffff_8000_0000;

/// What the map may be moved by: all sizes of pages remain possible.
const MAP_STEP: u64 = 1 << 30;

/// Moves the map, which is to have addresses up to `end`, to one of the places for it that `choose` takes from how many
/// there are. Before anything is mapped there.
pub(crate) fn place_map(end: u64, choose: impl FnOnce(u64) -> u64) {
    let places = (MAP_END - Machine::PHYSICAL_MAP).saturating_sub(end) / MAP_STEP + 1;
    MAP.store(
        Machine::PHYSICAL_MAP + choose(places) * MAP_STEP,
        Ordering::Relaxed,
    );
}

/// Virtual address at which physical address 0 appears in the kernel's half.
pub fn map_start() -> u64 {
    MAP.load(Ordering::Relaxed)
}

/// From now on physical memory is in the kernel's half.
///
/// # Safety
/// The active tables map it there.
pub(crate) unsafe fn use_map() {
    BASE.store(map_start(), Ordering::Relaxed);
}

/// Where a physical address is mapped. Making the pointer is safe; its use is what needs a reason.
pub(crate) fn pointer<T>(phys: u64) -> *mut T {
    (BASE.load(Ordering::Relaxed) + phys) as *mut T
}

/// Physical address of what is in the map of physical memory.
pub(crate) fn address<T>(pointer: *const T) -> u64 {
    (pointer.addr() as u64).wrapping_sub(BASE.load(Ordering::Relaxed))
}

/// Bytes of physical memory that nobody changes any more.
///
/// # Safety
/// The range is mapped for as long as `'a`, and nothing writes to it.
pub(crate) unsafe fn bytes<'a>(phys: u64, len: usize) -> &'a [u8] {
    // SAFETY: the caller vouches for the range.
    unsafe { core::slice::from_raw_parts(pointer(phys), len) }
}

/// Fills a page frame with zeros.
///
/// # Safety
/// The frame is mapped and nobody else uses it.
pub(crate) unsafe fn clear_frame(phys: u64) {
    // SAFETY: a frame is as long as a page, and the caller owns it.
    unsafe { core::ptr::write_bytes(pointer::<u8>(phys), 0, kcore::paging::PAGE_SIZE as usize) }
}

/// A register of a device.
///
/// # Safety
/// `address` is a register of the access width, in a device that this crate owns and that is mapped.
pub(crate) unsafe fn read_register<T>(address: u64) -> T {
    // SAFETY: the caller vouches for the register.
    unsafe { pointer::<T>(address).read_volatile() }
}

/// Writes a register of a device.
///
/// # Safety
/// As for [`read_register`]; and the write does nothing to memory that is in use.
pub(crate) unsafe fn write_register<T>(address: u64, value: T) {
    // SAFETY: the caller vouches for the register.
    unsafe { pointer::<T>(address).write_volatile(value) }
}

/// Page tables in physical memory, with a source of fresh frames.
pub(crate) struct Tables<F> {
    allocate: F,
}

impl<F: FnMut() -> Option<u64>> Tables<F> {
    /// Tables whose new members come from `allocate`.
    ///
    /// # Safety
    /// `allocate` gives frames that are mapped and that nobody else uses. Every table that is named through this value
    /// is such a frame.
    pub(crate) unsafe fn new(allocate: F) -> Self {
        Self { allocate }
    }
}

impl<F: FnMut() -> Option<u64>> TableMemory for Tables<F> {
    fn load(&self, table: u64, index: usize) -> u64 {
        assert!(index < ENTRIES, "page table index {index}");
        // SAFETY: `new`'s contract makes `table` a frame, and the index was checked. Volatile, because the CPU sets the
        // accessed and dirty bits.
        unsafe { pointer::<u64>(table).add(index).read_volatile() }
    }

    fn store(&mut self, table: u64, index: usize, entry: u64) {
        assert!(index < ENTRIES, "page table index {index}");
        // SAFETY: as for `load`; entries are written by this one CPU only.
        unsafe { pointer::<u64>(table).add(index).write_volatile(entry) }
    }

    fn allocate(&mut self) -> Option<u64> {
        let frame = (self.allocate)()?;
        // SAFETY: `new`'s contract: the frame is mapped and ours.
        unsafe { clear_frame(frame) };
        Some(frame)
    }
}
