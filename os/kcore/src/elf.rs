//! Programs: static 64-bit little-endian ELF files, read strictly.
//!
//! Format: System V ABI, "ELF-64 Object File Format". A program is refused rather than repaired: a segment that is both
//! writable and executable, a page that two segments share, a dynamic linker, and everything that reaches out of the
//! file or of user space.

use alloc::vec::Vec;
use core::fmt;

use abi::layout::{PAGE_SIZE, SEGMENTS_END, USER_START};

use crate::bytes::{le16, le32, le64};
use crate::paging::Access;

/// Most program headers that a file may have.
const MAX_HEADERS: u16 = 32;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const PT_GNU_STACK: u32 = 0x6474_e551;

const EXECUTE: u32 = 1;
const WRITE: u32 = 2;
const READ: u32 = 4;

/// A part of the program's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Virtual address of the first byte; need not be page aligned.
    pub start: u64,
    /// Length in memory; what `data` does not fill is zero.
    pub len: u64,
    /// What may be done with it.
    pub access: Access,
    /// Its first bytes.
    pub data: &'a [u8],
}

impl Segment<'_> {
    /// Address of the segment's first page.
    pub fn first_page(&self) -> u64 {
        self.start / PAGE_SIZE * PAGE_SIZE
    }

    /// First address behind the segment's last page.
    pub fn end_page(&self) -> u64 {
        (self.start + self.len).next_multiple_of(PAGE_SIZE)
    }

    /// What lies in the page at `page`: the offset within the page, and the bytes.
    pub fn page(&self, page: u64) -> (usize, &[u8]) {
        let from = page.max(self.start);
        let to = (page + PAGE_SIZE).min(self.start + self.data.len() as u64);
        if from >= to {
            return (0, &[]);
        }
        (
            (from - page) as usize,
            &self.data[(from - self.start) as usize..(to - self.start) as usize],
        )
    }
}

/// A program that can be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program<'a> {
    /// Address of the first instruction; lies in an executable segment.
    pub entry: u64,
    /// Its segments, sorted by address; no two share a page.
    pub segments: Vec<Segment<'a>>,
}

/// Why a file is not a program that can be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElfError {
    /// The file ends within a header or a segment.
    Truncated,
    /// It is not a 64-bit little-endian ELF file.
    NotElf,
    /// It is not a statically linked executable: `ET_EXEC` without interpreter and dynamic section.
    NotStatic,
    /// It is for another machine; this is its `e_machine`.
    Machine(u16),
    /// The program header table is malformed, or has more than 32 entries.
    Headers,
    /// No segment is to be loaded.
    Empty,
    /// The segment at this address is writable and executable, or the stack is asked to be executable.
    WriteExecute(u64),
    /// The segment at this address is not readable.
    Unreadable(u64),
    /// The segment at this address leaves user space, or is longer in the file than in memory.
    Range(u64),
    /// The segment at this address shares a page with the one below it.
    Overlap(u64),
    /// The entry point is not in an executable segment.
    Entry(u64),
}

impl fmt::Display for ElfError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => out.write_str("the file ends too early"),
            Self::NotElf => out.write_str("not a 64-bit little-endian ELF file"),
            Self::NotStatic => out.write_str("not a statically linked executable"),
            Self::Machine(machine) => write!(out, "for another machine (e_machine {machine})"),
            Self::Headers => out.write_str("malformed program header table"),
            Self::Empty => out.write_str("no segment to load"),
            Self::WriteExecute(at) => write!(out, "segment at {at:#x} is writable and executable"),
            Self::Unreadable(at) => write!(out, "segment at {at:#x} is not readable"),
            Self::Range(at) => write!(out, "segment at {at:#x} has an impossible range"),
            Self::Overlap(at) => write!(out, "segment at {at:#x} shares a page with its neighbour"),
            Self::Entry(at) => write!(out, "entry point {at:#x} is not in an executable segment"),
        }
    }
}

impl<'a> Program<'a> {
    /// Reads a file as a program for `machine`, an ELF `e_machine` number.
    ///
    /// # Errors
    /// The first reason why it cannot be loaded.
    pub fn parse(file: &'a [u8], machine: u16) -> Result<Self, ElfError> {
        if file.get(..7) != Some(b"\x7fELF\x02\x01\x01") {
            return Err(ElfError::NotElf);
        }
        let half = |offset| le16(file, offset).ok_or(ElfError::Truncated);
        let long = |offset| le64(file, offset).ok_or(ElfError::Truncated);
        if half(16)? != 2 {
            return Err(ElfError::NotStatic);
        }
        if half(18)? != machine {
            return Err(ElfError::Machine(half(18)?));
        }
        let (entry, table) = (long(24)?, long(32)?);
        let (size, count) = (half(54)?, half(56)?);
        if size != 56 || count > MAX_HEADERS {
            return Err(ElfError::Headers);
        }
        let mut segments = Vec::with_capacity(usize::from(count));
        for index in 0..count {
            let offset = u64::from(index) * 56;
            let start = table
                .checked_add(offset)
                .and_then(|start| usize::try_from(start).ok());
            let header = start.and_then(|start| file.get(start..start.checked_add(56)?));
            segments.extend(segment(file, header.ok_or(ElfError::Truncated)?)?);
        }
        segments.sort_by_key(|segment| segment.start);
        for pair in segments.windows(2) {
            if pair[1].first_page() < pair[0].end_page() {
                return Err(ElfError::Overlap(pair[1].start));
            }
        }
        if segments.is_empty() {
            return Err(ElfError::Empty);
        }
        let has_entry = |segment: &Segment<'_>| {
            segment.access == Access::ReadExecute
                && segment.start <= entry
                && entry < segment.start + segment.data.len() as u64
        };
        if !segments.iter().any(has_entry) {
            return Err(ElfError::Entry(entry));
        }
        Ok(Self { entry, segments })
    }
}

/// Reads one program header; `None` when it asks for nothing to be loaded.
fn segment<'a>(file: &'a [u8], header: &[u8]) -> Result<Option<Segment<'a>>, ElfError> {
    let word = |offset| le32(header, offset).ok_or(ElfError::Truncated);
    let long = |offset| le64(header, offset).ok_or(ElfError::Truncated);
    let (kind, flags, start) = (word(0)?, word(4)?, long(16)?);
    match kind {
        PT_LOAD => {}
        PT_DYNAMIC | PT_INTERP => return Err(ElfError::NotStatic),
        PT_GNU_STACK if flags & EXECUTE != 0 => return Err(ElfError::WriteExecute(start)),
        _ => return Ok(None),
    }
    let (offset, in_file, len) = (long(8)?, long(32)?, long(40)?);
    if len == 0 {
        return Ok(None);
    }
    let access = match flags & (READ | WRITE | EXECUTE) {
        flags if flags & (WRITE | EXECUTE) == WRITE | EXECUTE => return Err(ElfError::WriteExecute(start)),
        flags if flags & READ == 0 => return Err(ElfError::Unreadable(start)),
        flags if flags & WRITE != 0 => Access::ReadWrite,
        flags if flags & EXECUTE != 0 => Access::ReadExecute,
        _ => Access::ReadOnly,
    };
    let end = start.checked_add(len).ok_or(ElfError::Range(start))?;
    if start < USER_START || end > SEGMENTS_END || in_file > len {
        return Err(ElfError::Range(start));
    }
    let from = usize::try_from(offset).map_err(|_| ElfError::Truncated)?;
    let to = usize::try_from(in_file)
        .ok()
        .and_then(|in_file| from.checked_add(in_file));
    let data = to.and_then(|to| file.get(from..to)).ok_or(ElfError::Truncated)?;
    Ok(Some(Segment {
        start,
        len,
        access,
        data,
    }))
}
