//! Moving the kernel to addresses that nobody can foretell.
//!
//! The kernel is entered at its link address. Its first act is to map its image a second time, in the tables that it was
//! entered with: a random number of large pages higher. It adds the distance to every word of its data that holds an
//! address of its own, which at that moment is as good as before because both mappings are there, and begins again at the
//! new place. Its own tables have that place alone. The map of physical memory and the other CPUs' stacks get their places
//! when those are made.

use core::sync::atomic::{AtomicBool, Ordering};

use abi::start::FIXED_ADDRESSES;
use bootinfo::{BootInfo, KERNEL_VMA};
use kcore::paging::{ENTRIES, Encoding, TableMemory, index};
use kcore::tar::Archive;

use crate::arch::Machine;
use crate::phys::{self, Tables};
use crate::{Architecture, LARGE_PAGE, entropy, image};

/// Whether the initrd says that nothing is to be moved.
static IS_FIXED: AtomicBool = AtomicBool::new(false);

/// One of so many places: at random, or the first one when nothing is to be moved.
pub(crate) fn choose(places: u64) -> u64 {
    if IS_FIXED.load(Ordering::Relaxed) {
        0
    } else {
        entropy::below(places)
    }
}

/// Goes on at `next`, a function in the image, with the record, where the image is then; returns when it stays where it is.
///
/// # Safety
/// As for `boot::enter`, which does nothing before that matters behind.
pub(crate) unsafe fn go_on_elsewhere(next: u64, pointer: *const BootInfo, record: &BootInfo) {
    let initrd = record.initrd;
    // SAFETY: the loader has put the initrd there, and nobody writes to it.
    let archive = Archive::new(unsafe { phys::bytes(initrd.start, initrd.len as usize) });
    let is_fixed = initrd.len > 0 && archive.find(FIXED_ADDRESSES).is_some();
    IS_FIXED.store(is_fixed, Ordering::Relaxed);
    let first = index(KERNEL_VMA, 1);
    let pages = image::len().div_ceil(LARGE_PAGE) as usize;
    // Onto itself it cannot move, and not out of the table, which ends a GiB above its beginning.
    let places = (ENTRIES + 1).saturating_sub(first + 2 * pages);
    let (list, list_end) = image::relocations();
    // Without a list it was linked for one place.
    if is_fixed || places == 0 || list == list_end {
        return;
    }
    let by = pages + choose(places as u64) as usize;
    // SAFETY: nothing is allocated, and the boot contract maps the tables at their own address.
    let mut tables = unsafe { Tables::new(|| None) };
    let levels = <Machine as Architecture>::Encoding::LEVELS;
    let table = (2..levels).rev().fold(Machine::boot_root(), |table, level| {
        Machine::table_of(tables.load(table, index(KERNEL_VMA, level)))
    });
    // Whoever started the kernel may have mapped more than the image. No entry changes from one mapping to another.
    for page in first + by..first + by + pages {
        tables.store(table, page, 0);
    }
    Machine::forget_everything();
    for page in first..first + pages {
        let entry = tables.load(table, page);
        tables.store(table, page + by, entry);
    }
    Machine::forget_everything();
    let distance = by as u64 * LARGE_PAGE;
    // SAFETY: the image is mapped at both places now; the caller leaves everything else behind.
    unsafe {
        relocate(record.kernel.start, distance);
        Machine::go_on(next + distance, pointer.addr() as u64, distance)
    }
}

/// Adds a distance to all words of the image that hold addresses in it. The linker lists them (`SHT_RELR`): an even entry is
/// the address of one; an odd one has a bit for each of the 63 words that follow.
///
/// # Safety
/// The image is at its link address, at `image` in physical memory, and as well so much higher.
unsafe fn relocate(image: u64, distance: u64) {
    let mut next = 0;
    let (start, end) = image::relocations();
    for place in (start..end).step_by(8) {
        // SAFETY: the list is a part of the image.
        let entry = unsafe { (place as *const u64).read_volatile() };
        let (bits, base) = if entry & 1 == 0 {
            (1, entry)
        } else {
            (entry >> 1, next)
        };
        for word in (0..63).filter(|word| bits >> word & 1 != 0) {
            // Among constants as well, which cannot be written at their virtual address.
            let word = phys::pointer::<u64>(base + word * 8 - KERNEL_VMA + image);
            // SAFETY: the linker says that this word of the image's data holds such an address.
            unsafe { word.write_volatile(word.read_volatile() + distance) };
        }
        next = base + if entry & 1 == 0 { 8 } else { 63 * 8 };
    }
}
