//! Programs: position-independent, statically linked 64-bit little-endian ELF files, read strictly.
//!
//! Format: System V ABI, "ELF-64 Object File Format". A program is refused rather than repaired: one that can only lie where
//! it was linked to, a segment that is both writable and executable, a page that two segments share, a dynamic linker,
//! relocations that need symbols or change code, and everything that reaches out of the file or of user space.

mod relocations;

use alloc::vec::Vec;
use core::fmt;

use abi::layout::{MAX_IMAGE, PAGE_SIZE, USER_END, USER_START};

use crate::bytes::{le16, le32, le64};
use crate::paging::Access;
use relocations::Relocations;

/// Most program headers that a file may have.
const MAX_HEADERS: u16 = 32;

/// `e_type` of a file that may lie anywhere.
const POSITION_INDEPENDENT: u16 = 3;

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

    /// What the file has for the page at `page`: the offset within the page, and the bytes.
    fn page(&self, page: u64) -> (usize, &[u8]) {
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

/// A program that can be loaded, at its base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program<'a> {
    /// Address of the first instruction; lies in an executable segment.
    pub entry: u64,
    /// Its segments, sorted by address; no two share a page.
    pub segments: Vec<Segment<'a>>,
    base: u64,
    relocations: Relocations<'a>,
}

/// Why a file is not a program that can be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElfError {
    /// The file ends within a header or a segment.
    Truncated,
    /// It is not a 64-bit little-endian ELF file.
    NotElf,
    /// It can only lie where it was linked to: it is not `ET_DYN`.
    Fixed,
    /// It wants a dynamic linker.
    Interpreter,
    /// The dynamic section asks, with an entry of this tag, for what is not done, or the entry is wrong.
    Dynamic(u64),
    /// A relocation is of this kind, which is not done.
    RelocationKind(u64),
    /// The relocation for this address is not for a word of its own in the image's data, in order, or leads out of the image.
    Relocation(u64),
    /// This is no base: not the start of a page, or too low or too high for the image.
    Base(u64),
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
    /// The segment at this address leaves what an image may take, or is longer in the file than in memory.
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
            Self::Fixed => out.write_str("not position-independent"),
            Self::Interpreter => out.write_str("not statically linked"),
            Self::Dynamic(tag) => write!(out, "its dynamic section has a bad entry of tag {tag:#x}"),
            Self::RelocationKind(kind) => write!(out, "a relocation is of kind {kind:#x}"),
            Self::Relocation(at) => {
                write!(out, "the relocation for {at:#x} has an impossible place or value")
            }
            Self::Base(at) => write!(out, "the image cannot lie at {at:#x}"),
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
    /// Reads a file as a program for `machine`, an ELF `e_machine` number, whose image is to lie at `base`, the address of a
    /// page. Errors name addresses as they were linked, for a base of 0.
    ///
    /// # Errors
    /// The first reason why it cannot be loaded.
    pub fn parse(file: &'a [u8], machine: u16, base: u64) -> Result<Self, ElfError> {
        if file.get(..7) != Some(b"\x7fELF\x02\x01\x01") {
            return Err(ElfError::NotElf);
        }
        let half = |offset| le16(file, offset).ok_or(ElfError::Truncated);
        let long = |offset| le64(file, offset).ok_or(ElfError::Truncated);
        if half(16)? != POSITION_INDEPENDENT {
            return Err(ElfError::Fixed);
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
        let mut dynamic: &[u8] = &[];
        for index in 0..count {
            let offset = u64::from(index) * 56;
            let start = table
                .checked_add(offset)
                .and_then(|start| usize::try_from(start).ok());
            let header = start.and_then(|start| file.get(start..start.checked_add(56)?));
            match header_of(file, header.ok_or(ElfError::Truncated)?)? {
                Header::Load(segment) => segments.push(segment),
                Header::Dynamic(_) if !dynamic.is_empty() => return Err(ElfError::Headers),
                Header::Dynamic(bytes) => dynamic = bytes,
                Header::Nothing => {}
            }
        }
        segments.sort_by_key(|segment| segment.start);
        for pair in segments.windows(2) {
            if pair[1].first_page() < pair[0].end_page() {
                return Err(ElfError::Overlap(pair[1].start));
            }
        }
        let end = segments.last().ok_or(ElfError::Empty)?.end_page();
        let has_entry = |segment: &Segment<'_>| {
            segment.access == Access::ReadExecute
                && segment.start <= entry
                && entry < segment.start + segment.data.len() as u64
        };
        if !segments.iter().any(has_entry) {
            return Err(ElfError::Entry(entry));
        }
        let relocations = Relocations::parse(dynamic, &segments, machine)?;
        let fits = base.is_multiple_of(PAGE_SIZE) && base >= USER_START && base < USER_END - end;
        if !fits {
            return Err(ElfError::Base(base));
        }
        for segment in &mut segments {
            segment.start += base;
        }
        Ok(Self {
            entry: base + entry,
            segments,
            base,
            relocations,
        })
    }

    /// Fills a page of one of its segments, which lies at `page`: `out` has the length of a page and is all zero.
    pub fn fill(&self, segment: &Segment<'_>, page: u64, out: &mut [u8]) {
        let (offset, data) = segment.page(page);
        if let Some(place) = out.get_mut(offset..offset + data.len()) {
            place.copy_from_slice(data);
        }
        if segment.access != Access::ReadExecute {
            self.relocations.apply(page - self.base, self.base, out);
        }
    }

    /// How many words of it depend on where it lies.
    pub fn relocations(&self) -> usize {
        self.relocations.len()
    }
}

/// What a program header asks for.
enum Header<'a> {
    Load(Segment<'a>),
    Dynamic(&'a [u8]),
    Nothing,
}

/// Reads one program header.
fn header_of<'a>(file: &'a [u8], header: &[u8]) -> Result<Header<'a>, ElfError> {
    let word = |offset| le32(header, offset).ok_or(ElfError::Truncated);
    let long = |offset| le64(header, offset).ok_or(ElfError::Truncated);
    let (kind, flags, start) = (word(0)?, word(4)?, long(16)?);
    let (offset, in_file, len) = (long(8)?, long(32)?, long(40)?);
    let data = || {
        let from = usize::try_from(offset).map_err(|_| ElfError::Truncated)?;
        let to = usize::try_from(in_file)
            .ok()
            .and_then(|in_file| from.checked_add(in_file));
        to.and_then(|to| file.get(from..to)).ok_or(ElfError::Truncated)
    };
    match kind {
        PT_LOAD if len > 0 => {}
        PT_DYNAMIC => return data().map(Header::Dynamic),
        PT_INTERP => return Err(ElfError::Interpreter),
        PT_GNU_STACK if flags & EXECUTE != 0 => return Err(ElfError::WriteExecute(start)),
        _ => return Ok(Header::Nothing),
    }
    let access = match flags & (READ | WRITE | EXECUTE) {
        flags if flags & (WRITE | EXECUTE) == WRITE | EXECUTE => return Err(ElfError::WriteExecute(start)),
        flags if flags & READ == 0 => return Err(ElfError::Unreadable(start)),
        flags if flags & WRITE != 0 => Access::ReadWrite,
        flags if flags & EXECUTE != 0 => Access::ReadExecute,
        _ => Access::ReadOnly,
    };
    let end = start.checked_add(len).ok_or(ElfError::Range(start))?;
    if end > MAX_IMAGE || in_file > len {
        return Err(ElfError::Range(start));
    }
    Ok(Header::Load(Segment {
        start,
        len,
        access,
        data: data()?,
    }))
}
