//! The global allocator.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::heap::{FreeList, UNIT, Words};

/// How much memory is asked for at a time, at least.
const STEP: usize = 64 * 1024;

/// Gets at least `bytes` more memory: its address and length, both multiples of [`UNIT`]. It is this program's alone, can
/// be read and written, and stays.
///
/// To be filled: the kernel gives no memory to programs yet.
fn grow(_bytes: usize) -> Option<(usize, usize)> {
    None
}

/// Memory by its address.
struct Raw;

impl Words for Raw {
    fn get(&self, address: usize) -> usize {
        // SAFETY: the free list asks for words of free blocks only, which came from `grow` and are used by nobody else;
        // blocks are aligned to `UNIT`.
        unsafe { ptr::with_exposed_provenance::<usize>(address).read() }
    }

    fn set(&mut self, address: usize, value: usize) {
        // SAFETY: as for `get`.
        unsafe { ptr::with_exposed_provenance_mut::<usize>(address).write(value) }
    }
}

/// The heap. A program may have several threads: one at a time has the list.
struct Heap {
    taken: AtomicBool,
    list: UnsafeCell<FreeList<Raw>>,
}

// SAFETY: the list is used only between `taken` having been set and being cleared again.
unsafe impl Sync for Heap {}

impl Heap {
    fn with<T>(&self, f: impl FnOnce(&mut FreeList<Raw>) -> T) -> T {
        while self.taken.swap(true, Ordering::Acquire) {
            core::hint::spin_loop();
        }
        // SAFETY: `taken` was clear and is set now, so nobody else has a reference; `f` does not allocate.
        let result = f(unsafe { &mut *self.list.get() });
        self.taken.store(false, Ordering::Release);
        result
    }
}

#[global_allocator]
static HEAP: Heap = Heap {
    taken: AtomicBool::new(false),
    list: UnsafeCell::new(FreeList::new(Raw)),
};

// SAFETY: the free list gives every block to one user at a time, of the layout's size and alignment; it does not unwind.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let address = self.with(|list| {
            list.allocate(layout).or_else(|| {
                let bytes = FreeList::<Raw>::size(layout)?.checked_add(layout.align())?;
                let (start, len) = grow(bytes.max(STEP).checked_next_multiple_of(UNIT)?)?;
                list.free(start, len);
                list.allocate(layout)
            })
        });
        address.map_or(ptr::null_mut(), ptr::with_exposed_provenance_mut)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // `alloc` computed the same size for the same layout.
        if let Some(size) = FreeList::<Raw>::size(layout) {
            self.with(|list| list.free(block.expose_provenance(), size));
        }
    }
}
