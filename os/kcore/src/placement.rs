//! Where the parts of a program lie in its address space: each in a window of its own, at random.
//!
//! | from | until | what |
//! | --- | --- | --- |
//! | 1 GiB | 33 GiB | what the program is told, memory of channels, and its I/O buffer, in the same 2 MiB |
//! | 46 GiB | 56 GiB | stacks of threads that it starts itself |
//! | 64 GiB | 130 GiB | nothing of the program's own: a server's devices and its clients' buffers, at fixed addresses |
//! | 132 GiB | 142 GiB | the initrd, in the first program |
//! | 144 GiB | 216 GiB | the heap |
//! | 216 GiB | 233 GiB | the image |
//! | 234 GiB | 252 GiB | the stack |

use abi::layout::{MAX_IMAGE, PAGE_SIZE, RECORDS, STACK_GUARD, STACK_SIZE, USER_END};

use crate::random::Random;

const GIB: u64 = 1 << 30;

/// What one level-1 table maps. Record, channels and I/O buffer share it, so that they don't cost a table each.
const SHARED: u64 = 2 << 20;

/// Most bytes of what a program is told.
const MAX_RECORD: u64 = 16 << 10;

/// Most bytes that a heap may have.
pub const MAX_HEAP: u64 = 8 * GIB;

/// Most bytes that a stack may grow to.
pub const MAX_STACK: u64 = 2 << 20;

/// Most bytes that channels take, with what is between them.
pub const MAX_CHANNELS: u64 = 384 << 10;

/// Most bytes that stacks of threads take, with what is between them.
pub const MAX_THREADS: u64 = 4 << 20;

/// A range of addresses in which something begins.
struct Window {
    start: u64,
    /// How many places there are, a power of two, and how far they are apart.
    places: u64,
    step: u64,
}

impl Window {
    const fn place(&self, number: u64) -> u64 {
        self.start + number % self.places * self.step
    }

    const fn last(&self) -> u64 {
        self.place(self.places - 1)
    }
}

const RECORD: Window = Window {
    start: RECORDS,
    places: 1 << 14,
    step: SHARED,
};
/// Where in its 2 MiB the record begins, and where behind the record's half the I/O buffer.
const WITHIN: Window = Window {
    start: 0,
    places: 1 << 7,
    step: PAGE_SIZE,
};
/// Where in its 2 MiB memory of channels begins, behind the record.
const CHANNELS: Window = Window {
    start: 544 << 10,
    places: 1 << 4,
    step: PAGE_SIZE,
};
const THREADS: Window = Window {
    start: 46 * GIB,
    places: 1 << 21,
    step: PAGE_SIZE,
};
const INITRD: Window = Window {
    start: 132 * GIB,
    places: 1 << 21,
    step: PAGE_SIZE,
};
const HEAP: Window = Window {
    start: 144 * GIB,
    places: 1 << 24,
    step: PAGE_SIZE,
};
const IMAGE: Window = Window {
    start: 216 * GIB,
    places: 1 << 22,
    step: PAGE_SIZE,
};
const STACK: Window = Window {
    start: 235 * GIB,
    places: 1 << 22,
    step: PAGE_SIZE,
};

const _: () = assert!(RECORD.last() + SHARED <= THREADS.start && THREADS.last() + MAX_THREADS <= 64 * GIB);
const _: () =
    assert!(WITHIN.last() + MAX_RECORD <= CHANNELS.start && CHANNELS.last() + MAX_CHANNELS <= SHARED / 2);
const _: () = assert!(INITRD.last() + 2 * GIB <= HEAP.start && HEAP.last() + MAX_HEAP <= IMAGE.start);
const _: () = assert!(IMAGE.last() + MAX_IMAGE <= STACK.start - MAX_STACK - STACK_GUARD);
const _: () = assert!(STACK_SIZE <= MAX_STACK && STACK.last() <= USER_END);

/// Where the parts of one program lie. All addresses are multiples of the page size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// What its image's addresses are counted from.
    pub image: u64,
    /// First address behind the stack, and the initial stack pointer.
    pub stack_top: u64,
    /// First address of the heap.
    pub heap: u64,
    /// What it is told.
    pub record: u64,
    /// The I/O buffer.
    pub io: u64,
    /// Of the first program: the initrd.
    pub initrd: u64,
    /// First address of what it shares with others through channels.
    pub channels: u64,
    /// First address of its threads' stacks.
    pub threads: u64,
}

impl Placement {
    /// The same addresses for every program, where randomisation is switched off: the beginnings of the windows.
    pub const FIXED: Self = Self::of([0; 9]);

    const fn of([shared, record, io, initrd, heap, image, stack, channels, threads]: [u64; 9]) -> Self {
        let shared = RECORD.place(shared);
        Self {
            image: IMAGE.place(image),
            stack_top: STACK.place(stack),
            heap: HEAP.place(heap),
            record: shared + WITHIN.place(record),
            io: shared + SHARED / 2 + WITHIN.place(io),
            initrd: INITRD.place(initrd),
            channels: shared + CHANNELS.place(channels),
            threads: THREADS.place(threads),
        }
    }

    /// Addresses for one program.
    pub fn random(random: &mut Random) -> Self {
        Self::of(core::array::from_fn(|_| random.number()))
    }
}
