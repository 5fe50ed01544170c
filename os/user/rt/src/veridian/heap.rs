//! The global allocator.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use abi::Tag;
use abi::start::{MAX_UNTYPED, kind, right, slot};

use crate::heap::{FreeList, UNIT, Words};

/// How much memory is asked for at a time, at least.
const STEP: usize = 64 * 1024;

/// Gets at least `bytes` more memory: its address and length, both multiples of [`UNIT`]. It is this program's alone, can
/// be read and written, and stays.
fn grow(bytes: usize) -> Option<(usize, usize)> {
    if is_first() {
        return grow_first(bytes);
    }
    if GIVEN.load(Ordering::Relaxed) > 0 {
        return take_given(bytes);
    }
    let tag = Tag::new(protocol::process::GROW);
    let reply = loop {
        match syscall::call(slot::PARENT, tag.0, bytes as u64, 0, 0, 0) {
            Err(abi::Error::RateLimited) => {
                let _woken = syscall::sleep(1_000_000);
            }
            other => break other.ok()?,
        }
    };
    let [start, len, ..] = reply.words;
    (reply.tag.label() == protocol::OK).then_some((start as usize, len as usize))
}

/// Bytes of the memory that came with the program, and how many of them are used. Servers have all their memory from the
/// beginning: they must not wait for the one that gives it, which may wait for them.
static GIVEN: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);

/// Where the heap begins.
static START: AtomicUsize = AtomicUsize::new(0);

/// Says where the heap begins, and that so many bytes are mapped there.
pub(super) fn use_given(start: usize, bytes: usize) {
    START.store(start, Ordering::Relaxed);
    GIVEN.store(bytes, Ordering::Relaxed);
}

fn take_given(bytes: usize) -> Option<(usize, usize)> {
    let bytes = bytes.checked_next_multiple_of(STEP)?;
    let used = USED.load(Ordering::Relaxed);
    let end = used
        .checked_add(bytes)
        .filter(|&end| end <= GIVEN.load(Ordering::Relaxed))?;
    USED.store(end, Ordering::Relaxed);
    Some((START.load(Ordering::Relaxed) + used, bytes))
}

/// Whether this is the first program, which has all memory itself.
fn is_first() -> bool {
    syscall::capability_identify(slot::UNTYPED).is_ok_and(|found| found % 256 == kind::UNTYPED)
}

/// Slots of the first program's table for the frames of its heap.
pub(super) const FIRST_HEAP_SLOTS: core::ops::Range<u64> = 1024..2048;

/// How many of them are used.
static FRAMES: AtomicUsize = AtomicUsize::new(0);

/// Makes frames of the first untyped that has room, and maps them behind each other.
fn grow_first(bytes: usize) -> Option<(usize, usize)> {
    let before = FRAMES.load(Ordering::Relaxed);
    let count = bytes.div_ceil(STEP);
    let start = START.load(Ordering::Relaxed);
    let address = |frame: usize| (start + frame * STEP) as u64;
    for number in before..before + count {
        let frame = FIRST_HEAP_SLOTS.start + number as u64;
        if frame >= FIRST_HEAP_SLOTS.end {
            return None;
        }
        let mut sources = slot::UNTYPED..slot::UNTYPED + MAX_UNTYPED as u64;
        sources.find(|&source| syscall::retype(source, kind::FRAME, STEP as u64, 1, 0, frame).is_ok())?;
        syscall::map(slot::SPACE, 0, frame, address(number), right::READ | right::WRITE).ok()?;
        // What is mapped is not lost when the next one fails: it stays behind the heap's end and is never used.
        FRAMES.store(number + 1, Ordering::Relaxed);
    }
    Some((address(before) as usize, count * STEP))
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
