//! Walking and building trees of page tables, for any encoding.

use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

use super::{Attributes, ENTRIES, Encoding, Entry, PAGE_SIZE, index, is_canonical, level_size};

/// Where tables live. A table is named by its physical address.
pub trait TableMemory {
    /// Reads an entry.
    fn load(&self, table: u64, index: usize) -> u64;

    /// Writes an entry.
    fn store(&mut self, table: u64, index: usize, entry: u64);

    /// A fresh table whose entries are all zero, or `None` when memory is used up.
    fn allocate(&mut self) -> Option<u64>;
}

/// Why a range cannot be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// An address or the length is not a multiple of the page size.
    Misaligned,
    /// The range leaves the address space, virtual or physical.
    Range,
    /// Something is mapped at this virtual address already.
    Mapped(u64),
    /// No memory for another table.
    NoMemory,
}

impl fmt::Display for MapError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misaligned => out.write_str("not page aligned"),
            Self::Range => out.write_str("the range leaves the address space"),
            Self::Mapped(at) => write!(out, "something is mapped at {at:#x} already"),
            Self::NoMemory => out.write_str("no memory for a page table"),
        }
    }
}

/// Where a virtual address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The physical address.
    pub phys: u64,
    /// What the leaf allows.
    pub attributes: Attributes,
}

/// What [`Mapper::dismantle`] sets free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// A leaf at this physical address, mapped at this level.
    Leaf(u64, usize),
    /// A table at this physical address.
    Table(u64),
}

/// One tree of page tables.
#[derive(Debug)]
pub struct Mapper<I> {
    root: u64,
    encoding: PhantomData<I>,
}

impl<I: Encoding> Mapper<I> {
    /// The tree whose root table is at this physical address.
    pub const fn new(root: u64) -> Self {
        Self {
            root,
            encoding: PhantomData,
        }
    }

    /// Physical address of the root table.
    pub const fn root(&self) -> u64 {
        self.root
    }

    /// Maps `len` bytes at `virt` to memory at `phys`, with the largest pages that fit.
    ///
    /// # Errors
    /// See [`MapError`]. What was mapped before the error stays mapped.
    pub fn map(
        &self,
        memory: &mut impl TableMemory,
        virt: u64,
        phys: u64,
        len: u64,
        attributes: Attributes,
    ) -> Result<(), MapError> {
        if !(virt | phys | len).is_multiple_of(PAGE_SIZE) {
            return Err(MapError::Misaligned);
        }
        let Some(last) = len.checked_sub(1) else {
            return Ok(());
        };
        let virt_last = virt.checked_add(last).ok_or(MapError::Range)?;
        let phys_last = phys.checked_add(last).ok_or(MapError::Range)?;
        // Both ends canonical with the same sign: then everything between is.
        let same_half =
            is_canonical::<I>(virt) && is_canonical::<I>(virt_last) && (virt ^ virt_last) >> 63 == 0;
        if !same_half || phys_last >> I::PHYSICAL_BITS != 0 {
            return Err(MapError::Range);
        }
        let mut done = 0;
        while done < len {
            let (at, to) = (virt + done, phys + done);
            let fits = |level: &usize| {
                (at | to).is_multiple_of(level_size(*level)) && len - done >= level_size(*level)
            };
            let level = (0..=I::MAX_LEAF_LEVEL).rev().find(fits).unwrap_or(0);
            let level = self.map_leaf(memory, at, to, level, attributes)?;
            done += level_size(level);
        }
        Ok(())
    }

    /// Makes one leaf of the level `target`, or of a lower one where a table is already: it may be an empty one, and what
    /// it has is in the way only where it has it. Returns the leaf's level.
    fn map_leaf(
        &self,
        memory: &mut impl TableMemory,
        virt: u64,
        phys: u64,
        target: usize,
        attributes: Attributes,
    ) -> Result<usize, MapError> {
        let mut table = self.root;
        for level in (0..I::LEVELS).rev() {
            let slot = index(virt, level);
            table = match I::decode(memory.load(table, slot), level) {
                Entry::Table(next) => next,
                Entry::Empty if level <= target => {
                    memory.store(table, slot, I::leaf(phys, level, attributes));
                    return Ok(level);
                }
                Entry::Empty => {
                    let next = memory.allocate().ok_or(MapError::NoMemory)?;
                    memory.store(table, slot, I::table(next));
                    next
                }
                Entry::Leaf(..) | Entry::Unknown => return Err(MapError::Mapped(virt)),
            };
        }
        Err(MapError::Mapped(virt))
    }

    /// Empties the leaf that maps a virtual address. Returns the physical address and the size of what it mapped, or `None`
    /// when nothing was mapped.
    pub fn unmap(&self, memory: &mut impl TableMemory, virt: u64) -> Option<(u64, u64)> {
        if !is_canonical::<I>(virt) {
            return None;
        }
        let mut table = self.root;
        for level in (0..I::LEVELS).rev() {
            let slot = index(virt, level);
            match I::decode(memory.load(table, slot), level) {
                Entry::Table(next) => table = next,
                Entry::Leaf(phys, _) => {
                    memory.store(table, slot, 0);
                    return Some((phys, level_size(level)));
                }
                Entry::Empty | Entry::Unknown => return None,
            }
        }
        None
    }

    /// Where a virtual address leads, or `None` when nothing is mapped there.
    pub fn translate(&self, memory: &impl TableMemory, virt: u64) -> Option<Translation> {
        if !is_canonical::<I>(virt) {
            return None;
        }
        let mut table = self.root;
        for level in (0..I::LEVELS).rev() {
            match I::decode(memory.load(table, index(virt, level)), level) {
                Entry::Table(next) => table = next,
                Entry::Leaf(phys, attributes) => {
                    return Some(Translation {
                        phys: phys + virt % level_size(level),
                        attributes,
                    });
                }
                Entry::Empty | Entry::Unknown => return None,
            }
        }
        None
    }

    /// Empties the root entries in `slots` and reports every leaf and every table below them, tables after what they
    /// hold. The root itself is not reported.
    pub fn dismantle<M: TableMemory>(
        &self,
        memory: &mut M,
        slots: Range<usize>,
        report: &mut impl FnMut(&mut M, Released),
    ) {
        for slot in slots {
            let entry = memory.load(self.root, slot);
            memory.store(self.root, slot, 0);
            Self::release(memory, entry, I::LEVELS - 1, report);
        }
    }

    fn release<M: TableMemory>(
        memory: &mut M,
        entry: u64,
        level: usize,
        report: &mut impl FnMut(&mut M, Released),
    ) {
        match I::decode(entry, level) {
            Entry::Leaf(phys, _) => report(memory, Released::Leaf(phys, level)),
            Entry::Table(table) => {
                for slot in 0..ENTRIES {
                    let below = memory.load(table, slot);
                    Self::release(memory, below, level - 1, report);
                }
                report(memory, Released::Table(table));
            }
            Entry::Empty | Entry::Unknown => {}
        }
    }
}
