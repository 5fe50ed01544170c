//! A buddy allocator over numbered units, with its bookkeeping outside the memory it manages.
//!
//! A block of order `k` is `2^k` units and starts at a multiple of that. For each order a [`BitTree`] holds the free
//! blocks, so taking a block, splitting and merging cost a few word operations per order. The same code serves page
//! frames and the kernel heap. Because nothing is written into free memory, it needs no unsafe code, and a wrong
//! release is an error instead of a corrupted list.

use core::fmt;

use crate::bits::BitTree;

/// Highest order that any allocator of this kernel may have.
pub const MAX_ORDER: usize = 24;

/// Why a block cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseError {
    /// The order is beyond the allocator's, the start is no multiple of the block's size, or the block ends outside.
    NotABlock,
    /// A part of the block is free already.
    AlreadyFree,
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotABlock => "no block of that size starts there",
            Self::AlreadyFree => "the block or a part of it is free already",
        })
    }
}

/// The allocator. `S` is storage of at least [`Buddy::words`] words.
#[derive(Debug)]
pub struct Buddy<S> {
    storage: S,
    units: usize,
    orders: usize,
    /// Where each order's bits start in `storage`.
    starts: [usize; MAX_ORDER + 1],
    free: usize,
}

impl<S: AsRef<[u64]> + AsMut<[u64]>> Buddy<S> {
    /// How many words of storage an allocator of `units` units with blocks of order 0 to `max_order` needs.
    pub fn words(units: usize, max_order: usize) -> usize {
        (0..=max_order)
            .map(|order| BitTree::new(units >> order).words())
            .sum()
    }

    /// An allocator in which nothing is free: [`Self::insert`] gives it something.
    ///
    /// # Panics
    /// When `max_order` is above [`MAX_ORDER`] or the storage is too short.
    pub fn new(mut storage: S, units: usize, max_order: usize) -> Self {
        assert!(max_order <= MAX_ORDER, "order {max_order} is above {MAX_ORDER}");
        let words = Self::words(units, max_order);
        assert!(
            storage.as_ref().len() >= words,
            "buddy allocator: storage too short"
        );
        storage.as_mut().fill(0);
        let mut starts = [0; MAX_ORDER + 1];
        for order in 1..=max_order {
            starts[order] = starts[order - 1] + BitTree::new(units >> (order - 1)).words();
        }
        Self {
            storage,
            units,
            orders: max_order + 1,
            starts,
            free: 0,
        }
    }

    /// How many units are free.
    pub fn free_units(&self) -> usize {
        self.free
    }

    /// Gives units to the allocator.
    ///
    /// # Errors
    /// [`ReleaseError::NotABlock`] when the range ends outside, [`ReleaseError::AlreadyFree`] when a part of it is free
    /// already; in that case what lies below that part has been given.
    pub fn insert(&mut self, start: usize, len: usize) -> Result<(), ReleaseError> {
        let end = start
            .checked_add(len)
            .filter(|&end| end <= self.units)
            .ok_or(ReleaseError::NotABlock)?;
        let mut at = start;
        while at < end {
            let aligned = if at == 0 {
                self.orders
            } else {
                at.trailing_zeros() as usize
            };
            let order = aligned.min((end - at).ilog2() as usize).min(self.orders - 1);
            self.release(at, order)?;
            at += 1 << order;
        }
        Ok(())
    }

    /// Takes a block of `2^order` units and returns its first unit: the lowest of the smallest blocks that hold it.
    pub fn allocate(&mut self, order: usize) -> Option<usize> {
        let (from, block) =
            (order..self.orders).find_map(|from| Some((from, self.tree(from).first(self.bits(from))?)))?;
        self.remove(from, block);
        let start = block << from;
        // Keep the lower half at every split; the upper halves become free blocks of their own.
        for smaller in (order..from).rev() {
            self.add(smaller, (start >> smaller) + 1);
        }
        self.free -= 1 << order;
        Some(start)
    }

    /// Takes a block back, and merges it with its free buddies.
    ///
    /// # Errors
    /// When `start` and `order` name no block, or a part of it is free already; nothing changes then.
    pub fn release(&mut self, start: usize, order: usize) -> Result<(), ReleaseError> {
        if order >= self.orders || start >> order << order != start {
            return Err(ReleaseError::NotABlock);
        }
        let end = start
            .checked_add(1 << order)
            .filter(|&end| end <= self.units)
            .ok_or(ReleaseError::NotABlock)?;
        let inside = (order..self.orders).any(|o| self.tree(o).contains(self.bits(o), start >> o));
        let around = (0..order).any(|o| self.tree(o).contains_any(self.bits(o), start >> o, end >> o));
        if inside || around {
            return Err(ReleaseError::AlreadyFree);
        }
        self.free += 1 << order;
        let (mut order, mut block) = (order, start >> order);
        while order + 1 < self.orders && self.tree(order).contains(self.bits(order), block ^ 1) {
            self.remove(order, block ^ 1);
            block >>= 1;
            order += 1;
        }
        self.add(order, block);
        Ok(())
    }

    fn tree(&self, order: usize) -> BitTree {
        BitTree::new(self.units >> order)
    }

    fn bits(&self, order: usize) -> &[u64] {
        &self.storage.as_ref()[self.starts[order]..]
    }

    fn add(&mut self, order: usize, block: usize) {
        let (tree, start) = (self.tree(order), self.starts[order]);
        tree.insert(&mut self.storage.as_mut()[start..], block);
    }

    fn remove(&mut self, order: usize, block: usize) {
        let (tree, start) = (self.tree(order), self.starts[order]);
        tree.remove(&mut self.storage.as_mut()[start..], block);
    }
}
