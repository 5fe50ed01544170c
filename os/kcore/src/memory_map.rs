//! The map of physical memory, built before there is a heap.

use core::fmt;

use bootinfo::{MemoryKind, MemoryRegion};

const PAGE: u64 = 4096;

/// Why a map cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// More regions than the map has room for.
    Full(usize),
    /// The region with this index is not page aligned, ends beyond the address space, or does not lie behind its
    /// predecessor.
    Malformed(usize),
}

impl fmt::Display for MapError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(room) => write!(out, "memory map: more than {room} regions"),
            Self::Malformed(index) => {
                write!(
                    out,
                    "memory map: region {index} is not page aligned, not sorted, or too long"
                )
            }
        }
    }
}

/// A sorted list of page-aligned regions that don't overlap; neighbours of one kind are one region.
#[derive(Clone, Debug)]
pub struct MemoryMap<const N: usize> {
    regions: [MemoryRegion; N],
    len: usize,
}

const EMPTY: MemoryRegion = MemoryRegion {
    start: 0,
    pages: 0,
    kind: MemoryKind::Reserved as u32,
    reserved: 0,
};

/// The kind of a region; numbers that this kernel does not know are reserved memory.
pub fn kind(region: &MemoryRegion) -> MemoryKind {
    [MemoryKind::Usable, MemoryKind::Loader, MemoryKind::AcpiReclaim]
        .into_iter()
        .find(|&kind| kind as u32 == region.kind)
        .unwrap_or(MemoryKind::Reserved)
}

/// First address behind a region of a checked map.
pub fn end(region: &MemoryRegion) -> u64 {
    region.start + region.pages * PAGE
}

impl<const N: usize> MemoryMap<N> {
    /// A map in which nothing is known.
    pub const fn new() -> Self {
        Self {
            regions: [EMPTY; N],
            len: 0,
        }
    }

    /// Checks and copies a loader's map.
    ///
    /// # Errors
    /// [`MapError::Malformed`] names the first region that breaks the boot contract; [`MapError::Full`] when there are
    /// more than `N` after joining neighbours.
    pub fn from_regions(regions: &[MemoryRegion]) -> Result<Self, MapError> {
        let mut map = Self::new();
        let mut last = 0;
        for (index, region) in regions.iter().enumerate() {
            let end = region
                .pages
                .checked_mul(PAGE)
                .and_then(|len| region.start.checked_add(len));
            match end {
                Some(end) if region.start.is_multiple_of(PAGE) && region.start >= last => last = end,
                _ => return Err(MapError::Malformed(index)),
            }
            if region.pages > 0 {
                map.push(MemoryRegion {
                    kind: kind(region) as u32,
                    ..*region
                })?;
            }
        }
        Ok(map)
    }

    /// The regions.
    pub fn regions(&self) -> &[MemoryRegion] {
        &self.regions[..self.len]
    }

    /// Says that `start..start + len` is of a kind, whatever was said about it before. Usable memory shrinks to whole
    /// pages; every other kind grows to them.
    ///
    /// # Errors
    /// [`MapError::Full`]; the map is then incomplete.
    pub fn paint(&mut self, start: u64, len: u64, kind: MemoryKind) -> Result<(), MapError> {
        let end = start.saturating_add(len).min(u64::MAX / PAGE * PAGE);
        let (start, end) = if kind == MemoryKind::Usable {
            (start.div_ceil(PAGE), end / PAGE)
        } else {
            (start / PAGE, end.div_ceil(PAGE))
        };
        if len == 0 || start >= end {
            return Ok(());
        }
        let old = self.clone();
        self.len = 0;
        let painted = MemoryRegion {
            start: start * PAGE,
            pages: end - start,
            kind: kind as u32,
            reserved: 0,
        };
        let mut pending = Some(painted);
        for region in old.regions() {
            let (first, last) = (region.start / PAGE, region.start / PAGE + region.pages);
            self.push_pages(first, last.min(start), region.kind)?;
            if last > start
                && let Some(painted) = pending.take()
            {
                self.push(painted)?;
            }
            self.push_pages(first.max(end), last, region.kind)?;
        }
        pending.map_or(Ok(()), |painted| self.push(painted))
    }

    fn push_pages(&mut self, first: u64, last: u64, kind: u32) -> Result<(), MapError> {
        if first >= last {
            return Ok(());
        }
        self.push(MemoryRegion {
            start: first * PAGE,
            pages: last - first,
            kind,
            reserved: 0,
        })
    }

    /// Adds a region behind all others, or makes the last one longer.
    fn push(&mut self, region: MemoryRegion) -> Result<(), MapError> {
        if let Some(last) = self.regions[..self.len].last_mut()
            && last.kind == region.kind
            && end(last) == region.start
        {
            last.pages += region.pages;
            return Ok(());
        }
        *self.regions.get_mut(self.len).ok_or(MapError::Full(N))? = region;
        self.len += 1;
        Ok(())
    }
}

impl<const N: usize> Default for MemoryMap<N> {
    fn default() -> Self {
        Self::new()
    }
}
