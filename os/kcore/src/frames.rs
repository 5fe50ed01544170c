//! The page-frame allocator: one buddy allocator for each range of usable physical memory.

use alloc::vec;
use alloc::vec::Vec;

use crate::buddy::{Buddy, ReleaseError};

/// Size of a page frame in bytes.
pub const FRAME_SIZE: u64 = 4096;

/// Largest block is `2^MAX_ORDER` frames: 4 MiB.
pub const MAX_ORDER: usize = 10;

#[derive(Debug)]
struct Zone {
    /// Physical address of unit 0: `start`, aligned down to the largest block, so that blocks are aligned in physical
    /// memory too. The units below `start` are never free.
    base: u64,
    /// Physical address of the first frame.
    start: u64,
    /// First address behind the zone.
    end: u64,
    buddy: Buddy<Vec<u64>>,
}

/// Hands out physical page frames.
#[derive(Debug, Default)]
pub struct FrameAllocator {
    zones: Vec<Zone>,
}

impl FrameAllocator {
    /// An allocator that owns the given ranges, each a physical address and a length in bytes. A range shrinks to whole
    /// frames; one that overlaps an earlier range is left out.
    pub fn new(ranges: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut allocator = Self::default();
        for (start, len) in ranges {
            let end = start.saturating_add(len) / FRAME_SIZE * FRAME_SIZE;
            if let Some(start) = start.checked_next_multiple_of(FRAME_SIZE)
                && start < end
                && !allocator
                    .zones
                    .iter()
                    .any(|zone| start < zone.end && zone.start < end)
            {
                allocator.zones.extend(Zone::new(start, end));
            }
        }
        allocator
    }

    /// How many frames are free.
    pub fn free_frames(&self) -> usize {
        self.zones.iter().map(|zone| zone.buddy.free_units()).sum()
    }

    /// Takes `2^order` frames that follow each other and returns the physical address of the first, a multiple of the
    /// block's size.
    pub fn allocate(&mut self, order: usize) -> Option<u64> {
        self.zones.iter_mut().find_map(|zone| {
            let unit = zone.buddy.allocate(order)?;
            Some(zone.base + unit as u64 * FRAME_SIZE)
        })
    }

    /// Takes a block back.
    ///
    /// # Errors
    /// When no block of that order can start there, or a part of it is free already.
    pub fn release(&mut self, start: u64, order: usize) -> Result<(), ReleaseError> {
        let zone = self
            .zones
            .iter_mut()
            .find(|zone| zone.start <= start && start < zone.end)
            .ok_or(ReleaseError::NotABlock)?;
        if !start.is_multiple_of(FRAME_SIZE) {
            return Err(ReleaseError::NotABlock);
        }
        zone.buddy
            .release(((start - zone.base) / FRAME_SIZE) as usize, order)
    }
}

impl Zone {
    fn new(start: u64, end: u64) -> Option<Self> {
        let block = FRAME_SIZE << MAX_ORDER;
        let base = start / block * block;
        let units = ((end - base) / FRAME_SIZE) as usize;
        let first = ((start - base) / FRAME_SIZE) as usize;
        let mut buddy = Buddy::new(
            vec![0; Buddy::<Vec<u64>>::words(units, MAX_ORDER)],
            units,
            MAX_ORDER,
        );
        buddy.insert(first, units - first).ok()?;
        Some(Self {
            base,
            start,
            end,
            buddy,
        })
    }
}
