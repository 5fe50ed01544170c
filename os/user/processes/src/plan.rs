//! How a program gets into memory.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use abi::layout::PAGE_SIZE;
use kcore::elf::{ElfError, Program};
use kcore::paging::Access;

/// Which pages a program needs, and what is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Address of the first instruction.
    pub entry: u64,
    /// Its segments, sorted by address; no two share a page.
    pub segments: Vec<Segment>,
}

/// Pages that follow each other and have the same access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Address of its first page.
    pub address: u64,
    /// How many pages.
    pub pages: u64,
    /// What the program may do with them.
    pub access: Access,
    /// Offset, from `address`, of the first byte that comes from the file; less than a page.
    pub skip: usize,
    /// Which bytes of the file are there. All others are zero.
    pub file: Range<usize>,
}

/// What one page holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its address.
    pub address: u64,
    /// Where in it the bytes of the file begin.
    pub skip: usize,
    /// Which bytes of the file. All others of the page are zero.
    pub file: Range<usize>,
}

impl Segment {
    /// Its pages in order.
    pub fn pages(&self) -> impl Iterator<Item = Page> + '_ {
        (0..self.pages).map(|index| {
            let start = index * PAGE_SIZE;
            // Offsets into the segment: what the file fills of it, cut to this page.
            let data = self.skip as u64..(self.skip + self.file.len()) as u64;
            let from = data.start.max(start).min(data.end.max(start));
            let to = data.end.min(start + PAGE_SIZE).max(from);
            let offset = self.file.start as u64 + from.saturating_sub(data.start);
            Page {
                address: self.address + start,
                skip: if from < to { (from - start) as usize } else { 0 },
                file: if from < to {
                    offset as usize..(offset + (to - from)) as usize
                } else {
                    0..0
                },
            }
        })
    }
}

/// Why a file cannot be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// It is not a program.
    Elf(ElfError),
    /// It can only be loaded where it was linked to.
    Fixed,
}

impl fmt::Display for PlanError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elf(error) => error.fmt(out),
            Self::Fixed => out.write_str("the program can only be loaded where it was linked to"),
        }
    }
}

/// Plans the loading of a program for `machine`, an ELF `e_machine` number, `base` bytes above where it was linked to.
///
/// # Errors
/// Programs that cannot be loaded are refused. The only ones that are read are linked to fixed addresses, so every
/// `base` but 0 is `Fixed`.
pub fn plan(file: &[u8], machine: u16, base: u64) -> Result<Plan, PlanError> {
    let program = Program::parse(file, machine).map_err(PlanError::Elf)?;
    if base != 0 {
        return Err(PlanError::Fixed);
    }
    let segments = program.segments.iter().map(|segment| {
        // The data is a part of the file: the distance of their starts is its offset.
        let offset = segment.data.as_ptr() as usize - file.as_ptr() as usize;
        Segment {
            address: segment.first_page(),
            pages: (segment.end_page() - segment.first_page()) / PAGE_SIZE,
            access: segment.access,
            skip: (segment.start - segment.first_page()) as usize,
            file: offset..offset + segment.data.len(),
        }
    });
    Ok(Plan {
        entry: program.entry,
        segments: segments.collect(),
    })
}
