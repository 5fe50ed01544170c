//! Ownership of physical memory.
//!
//! A [`Memory`] is a range that nobody else uses. It is made at boot, split by a [`Region`], and turned into what needs
//! memory: objects of the kernel ([`Stored`](crate::Stored), [`Array`](crate::Array)), page tables, or a [`Frame`] that
//! programs map. It comes back from each of them only when nothing points into it any more. So no order of calls leads to
//! memory that is two things at once, although everything is made of memory that programs hand in.

use core::sync::atomic::{AtomicPtr, AtomicU16, AtomicUsize, Ordering};

use alloc::boxed::Box;
use alloc::vec::Vec;

use kcore::paging::PAGE_SIZE;

use crate::phys;

/// A range of physical memory that nobody else uses.
#[derive(Debug)]
pub struct Memory {
    start: u64,
    len: u64,
    device: bool,
}

impl Memory {
    /// Claims a range.
    ///
    /// # Safety
    /// Nobody else uses the range, now and later. It is mapped in the map of physical memory unless it is a device's.
    pub(crate) const unsafe fn claim(start: u64, len: u64, device: bool) -> Self {
        Self { start, len, device }
    }

    /// Physical address of the first byte.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether it is the registers of a device, of which only frames can be made.
    pub fn is_device(&self) -> bool {
        self.device
    }
}

/// Memory from which pieces are taken, one behind the other. The last one can be taken anew when it has come back, and
/// everything when all have.
#[derive(Debug)]
pub struct Region {
    memory: Memory,
    used: u64,
    pieces: u64,
    /// Start and end of the latest hole that alignment has left, as offsets; nobody has it.
    hole: (u64, u64),
}

impl Region {
    /// A region of which nothing is taken.
    pub fn new(memory: Memory) -> Self {
        Self {
            memory,
            used: 0,
            pieces: 0,
            hole: (0, 0),
        }
    }

    /// Takes `len` bytes at a multiple of `align`, a power of two, or `None` when too little is left.
    pub fn take(&mut self, len: u64, align: u64) -> Option<Memory> {
        let at = self.memory.start.checked_add(self.used)?;
        let start = at.checked_next_multiple_of(align)?;
        let end = start.checked_add(len)?;
        if len == 0 || end > self.memory.start + self.memory.len {
            return None;
        }
        if start > at {
            self.hole = (self.used, start - self.memory.start);
        }
        self.used = end - self.memory.start;
        self.pieces += 1;
        Some(Memory {
            start,
            len,
            device: self.memory.device,
        })
    }

    /// Takes a piece back.
    ///
    /// # Panics
    /// When the piece is none of this region: then the kernel's bookkeeping is broken.
    pub fn put_back(&mut self, piece: Memory) {
        let is_ours = piece.start >= self.memory.start
            && piece.start + piece.len <= self.memory.start + self.used
            && self.pieces > 0;
        assert!(
            is_ours,
            "memory at {:#x} is put back where it was not taken",
            piece.start
        );
        self.pieces -= 1;
        if self.pieces == 0 {
            self.used = 0;
            self.hole = (0, 0);
        } else if piece.start + piece.len == self.memory.start + self.used {
            self.used = piece.start - self.memory.start;
            if self.used == self.hole.1 {
                // What was the hole may become part of a piece now.
                self.used = self.hole.0;
                self.hole = (0, 0);
            }
        }
    }

    /// Bytes that are left.
    pub fn free(&self) -> u64 {
        self.memory.len - self.used
    }

    /// Whether pieces of a device's registers come from it.
    pub fn is_device(&self) -> bool {
        self.memory.device
    }

    /// The whole memory.
    ///
    /// # Errors
    /// The region itself, when pieces are out.
    pub fn into_memory(self) -> Result<Memory, Self> {
        if self.pieces == 0 {
            Ok(self.memory)
        } else {
            Err(self)
        }
    }
}

/// For each page of memory, how many mappings it has in programs.
static COUNTS: AtomicPtr<AtomicU16> = AtomicPtr::new(core::ptr::null_mut());
static COUNTS_LEN: AtomicUsize = AtomicUsize::new(0);
/// Number of the first page.
static COUNTS_FIRST: AtomicUsize = AtomicUsize::new(0);

/// Makes room for the counts of all frames in the given ranges of start and end.
pub(crate) fn init_counts(ranges: impl Iterator<Item = (u64, u64)>) {
    let (first, end) = ranges.fold((u64::MAX, 0), |(first, end), (from, to)| {
        (first.min(from), end.max(to))
    });
    let first = first / PAGE_SIZE;
    let len = (end / PAGE_SIZE).saturating_sub(first) as usize;
    let counts: Vec<AtomicU16> = (0..len).map(|_| AtomicU16::new(0)).collect();
    COUNTS_FIRST.store(first as usize, Ordering::Relaxed);
    COUNTS.store(
        Box::leak(counts.into_boxed_slice()).as_mut_ptr(),
        Ordering::Relaxed,
    );
    COUNTS_LEN.store(len, Ordering::Release);
}

/// The count of the page at a physical address; `None` for a device's.
fn count(start: u64) -> Option<&'static AtomicU16> {
    let index = ((start / PAGE_SIZE) as usize).wrapping_sub(COUNTS_FIRST.load(Ordering::Relaxed));
    if index >= COUNTS_LEN.load(Ordering::Acquire) {
        return None;
    }
    // SAFETY: `init_counts` leaked an array of that length, and the index was checked.
    Some(unsafe { &*COUNTS.load(Ordering::Relaxed).add(index) })
}

/// Whether a physical address is that of memory, and not of a device.
pub(crate) fn is_memory(address: u64) -> bool {
    count(address).is_some()
}

/// Memory that programs map: pages, as many as a power of two, up to a large page.
#[derive(Debug)]
pub struct Frame(Memory);

impl Frame {
    /// Makes a frame: its bytes become zero, unless they are a device's.
    ///
    /// # Errors
    /// The memory, when it is not that; a large page has to lie at a multiple of its size.
    pub fn new(memory: Memory) -> Result<Self, Memory> {
        let size = memory.len;
        let fits = size.is_power_of_two() && (PAGE_SIZE..=crate::LARGE_PAGE).contains(&size);
        let align = if size == crate::LARGE_PAGE {
            size
        } else {
            PAGE_SIZE
        };
        if !fits || !memory.start.is_multiple_of(align) {
            return Err(memory);
        }
        if !memory.device {
            // SAFETY: the memory is mapped and ours alone.
            unsafe { core::ptr::write_bytes(phys::pointer::<u8>(memory.start), 0, size as usize) };
        }
        Ok(Self(memory))
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.0.len
    }

    /// Physical address.
    pub fn start(&self) -> u64 {
        self.0.start
    }

    /// Copies bytes into a frame that is not mapped yet. What does not fit is left out.
    pub fn fill(&mut self, offset: usize, data: &[u8]) {
        let room = (self.0.len as usize).saturating_sub(offset);
        if self.0.device || is_mapped(self.0.start, self.0.len) || room == 0 {
            return;
        }
        let len = data.len().min(room);
        // SAFETY: the memory is mapped and ours alone, and the part lies within it.
        unsafe {
            let start = phys::pointer::<u8>(self.0.start).add(offset);
            core::ptr::copy_nonoverlapping(data.as_ptr(), start, len);
        }
    }

    /// Announces a mapping; `None` when there are too many.
    pub(crate) fn lease(&self) -> Option<Lease> {
        let mut lease = Lease {
            start: self.0.start,
            size: 0,
            device: self.0.device,
        };
        // When a count is at its end, dropping the lease takes the others back.
        for page in pages(self.0.start, self.0.len) {
            if let Some(count) = count(page) {
                count
                    .try_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_add(1))
                    .ok()?;
            }
            lease.size += PAGE_SIZE;
        }
        Some(lease)
    }

    /// The memory, when nothing maps it.
    ///
    /// # Errors
    /// The frame itself, when it is mapped.
    pub fn into_memory(self) -> Result<Memory, Self> {
        if is_mapped(self.0.start, self.0.len) {
            Err(self)
        } else {
            Ok(self.0)
        }
    }
}

/// One mapping of a frame or a part of one. Dropping it says that there is no translation of it left on any CPU.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) start: u64,
    pub(crate) size: u64,
    pub(crate) device: bool,
}

impl Lease {
    /// The lease of a frame that a leaf of a page table maps.
    ///
    /// # Safety
    /// The leaf was made with a lease that was forgotten then, and the leaf is no more.
    pub(crate) unsafe fn of_leaf(start: u64, size: u64) -> Self {
        Self {
            start,
            size,
            device: false,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        for page in pages(self.start, self.size) {
            if let Some(count) = count(page) {
                count.fetch_sub(1, Ordering::Release);
            }
        }
    }
}

/// The addresses of the pages of a range.
fn pages(start: u64, len: u64) -> impl Iterator<Item = u64> {
    (start..start + len).step_by(PAGE_SIZE as usize)
}

/// Whether a page of a range is mapped in a program.
fn is_mapped(start: u64, len: u64) -> bool {
    pages(start, len).any(|page| count(page).is_some_and(|count| count.load(Ordering::Acquire) != 0))
}
