//! The kernel heap's policy: which units of a buddy allocator serve an allocation request.

use core::alloc::Layout;

use crate::buddy::{Buddy, MAX_ORDER, ReleaseError};

/// Size of the smallest block in bytes.
pub const UNIT: usize = 32;

/// Decides which part of a region of memory serves a request. It deals in offsets from the region's start, which has to
/// be aligned to the region's size, rounded up to a power of two.
#[derive(Debug)]
pub struct Heap<S> {
    buddy: Buddy<S>,
}

/// The order of the largest block of a region of `len` bytes.
fn max_order(len: usize) -> usize {
    (len / UNIT)
        .checked_ilog2()
        .map_or(0, |order| order as usize)
        .min(MAX_ORDER)
}

/// The order of the block that serves `layout`: blocks are aligned to their size.
fn order(layout: Layout) -> Option<usize> {
    let size = layout
        .size()
        .max(layout.align())
        .max(UNIT)
        .checked_next_power_of_two()?;
    Some((size / UNIT).ilog2() as usize)
}

impl<S: AsRef<[u64]> + AsMut<[u64]>> Heap<S> {
    /// How many words of bookkeeping a region of `len` bytes needs.
    pub fn words(len: usize) -> usize {
        Buddy::<S>::words(len / UNIT, max_order(len))
    }

    /// A heap over a region of `len` bytes, with all of it free. `storage` has at least [`Self::words`] words.
    ///
    /// # Panics
    /// When the storage is too short.
    pub fn new(storage: S, len: usize) -> Self {
        let units = len / UNIT;
        let mut buddy = Buddy::new(storage, units, max_order(len));
        let inserted = buddy.insert(0, units);
        assert!(inserted.is_ok(), "an empty allocator refused its own range");
        Self { buddy }
    }

    /// Free bytes.
    pub fn free(&self) -> usize {
        self.buddy.free_units() * UNIT
    }

    /// The offset of a block for `layout`, or `None` when no free block is large enough.
    pub fn allocate(&mut self, layout: Layout) -> Option<usize> {
        let order = order(layout).filter(|&order| order <= MAX_ORDER)?;
        Some(self.buddy.allocate(order)? * UNIT)
    }

    /// Takes back what [`Self::allocate`] gave for the same layout.
    ///
    /// # Errors
    /// When no block for this layout starts there, or a part of it is free already.
    pub fn release(&mut self, offset: usize, layout: Layout) -> Result<(), ReleaseError> {
        if !offset.is_multiple_of(UNIT) {
            return Err(ReleaseError::NotABlock);
        }
        self.buddy
            .release(offset / UNIT, order(layout).ok_or(ReleaseError::NotABlock)?)
    }
}
