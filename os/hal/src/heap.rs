//! The kernel's heap: `kcore` decides, this file turns offsets into pointers.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

use kcore::heap::Heap;

use crate::sync::Lock;

struct Region {
    start: *mut u8,
    heap: Heap<&'static mut [u64]>,
}

// SAFETY: the pointer is to memory that belongs to the heap alone.
unsafe impl Send for Region {}

struct KernelHeap(Lock<Option<Region>>);

#[global_allocator]
static HEAP: KernelHeap = KernelHeap(Lock::new(None));

/// Gives the heap its memory: `len` bytes at `start`, and words for its bookkeeping.
///
/// # Safety
/// The memory is mapped, used by nobody else, and aligned to `len`, a power of two.
pub(crate) unsafe fn init(start: *mut u8, len: usize, words: &'static mut [u64]) {
    *HEAP.0.lock() = Some(Region {
        start,
        heap: Heap::new(words, len),
    });
}

/// Free bytes of the heap.
pub fn free() -> usize {
    HEAP.0.lock().as_ref().map_or(0, |region| region.heap.free())
}

// SAFETY: `Heap` hands out blocks that don't overlap, as large and as aligned as the layout asks, within a region that is
// the heap's alone (`init`). Before `init` nothing is handed out.
unsafe impl GlobalAlloc for KernelHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut region = self.0.lock();
        let Some(region) = region.as_mut() else {
            return ptr::null_mut();
        };
        region
            .heap
            .allocate(layout)
            .map_or(ptr::null_mut(), |offset| region.start.wrapping_add(offset))
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let mut region = self.0.lock();
        let Some(region) = region.as_mut() else { return };
        let offset = block.addr().wrapping_sub(region.start.addr());
        if let Err(error) = region.heap.release(offset, layout) {
            panic!(
                "kernel heap: release of {} bytes at offset {offset:#x}: {error}",
                layout.size()
            );
        }
    }
}
