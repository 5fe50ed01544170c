//! What a Multiboot2 boot loader tells a kernel: the boot information, a list of tags.
//!
//! Source: Multiboot2 Specification version 2.0, section 3.6 "Boot information format".

use core::fmt;

use bootinfo::{Framebuffer, MemoryKind, PhysRange};

use crate::bytes::{le32, le64};

/// What the boot loader leaves in `eax` (section 3.2, "Machine state").
pub const LOADER_MAGIC: u32 = 0x36d7_6289;

/// Bytes before the first tag: the total size and a reserved word.
pub const HEADER_LEN: usize = 8;

/// Longest boot information that is read; GRUB's are of a few KiB, and an ELF symbol table adds little.
pub const MAX_LEN: usize = 1 << 20;

const MODULE: u32 = 3;
const MEMORY_MAP: u32 = 6;
const FRAMEBUFFER: u32 = 8;
const ACPI_OLD: u32 = 14;
const ACPI_NEW: u32 = 15;

/// Why boot information cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InfoError {
    /// A total size that no boot information has.
    Length(u32),
    /// The tag at this offset is shorter than its header, or longer than what is left.
    Tag(usize),
    /// The tag of this type is needed and is not there.
    Missing(u32),
    /// The tag of this type has fields that contradict each other or do not fit into it.
    Malformed(u32),
}

impl fmt::Display for InfoError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(len) => write!(
                out,
                "multiboot2 information: expected {HEADER_LEN} to {MAX_LEN} bytes, got {len}"
            ),
            Self::Tag(offset) => write!(
                out,
                "multiboot2 information: expected a tag that fits at offset {offset}, got another length"
            ),
            Self::Missing(kind) => write!(
                out,
                "multiboot2 information: expected a tag of type {kind}, got none"
            ),
            Self::Malformed(kind) => write!(
                out,
                "multiboot2 information: expected a well-formed tag of type {kind}, got another"
            ),
        }
    }
}

/// A tag: its type and everything behind its header.
type Tag<'a> = (u32, &'a [u8]);

/// Boot information whose tags all fit.
#[derive(Clone, Copy, Debug)]
pub struct Info<'a> {
    bytes: &'a [u8],
}

/// How many bytes boot information has, from its first ones.
///
/// # Errors
/// [`InfoError::Length`] when that is no possible length, or when `start` is too short to tell.
pub fn len(start: &[u8]) -> Result<usize, InfoError> {
    let len = le32(start, 0).unwrap_or(0);
    let fits = (HEADER_LEN..=MAX_LEN).contains(&(len as usize));
    fits.then_some(len as usize).ok_or(InfoError::Length(len))
}

/// The tag at an offset and where the next one starts; `None` at the end tag.
fn tag(bytes: &[u8], offset: usize) -> Result<Option<(Tag<'_>, usize)>, InfoError> {
    let broken = InfoError::Tag(offset);
    let kind = le32(bytes, offset).ok_or(broken)?;
    let len = le32(bytes, offset + 4).ok_or(broken)? as usize;
    if kind == 0 {
        return Ok(None);
    }
    let end = offset.checked_add(len).filter(|_| len >= 8).ok_or(broken)?;
    let body = bytes.get(offset + 8..end).ok_or(broken)?;
    Ok(Some(((kind, body), end.next_multiple_of(8))))
}

impl<'a> Info<'a> {
    /// Checks that all tags lie within `bytes`, which start with the boot information.
    ///
    /// # Errors
    /// [`InfoError::Length`] and [`InfoError::Tag`]; a list without an end tag is a tag that does not fit.
    pub fn new(bytes: &'a [u8]) -> Result<Self, InfoError> {
        let len = len(bytes)?;
        let bytes = bytes.get(..len).ok_or(InfoError::Length(len as u32))?;
        let mut offset = HEADER_LEN;
        while let Some((_, next)) = tag(bytes, offset)? {
            offset = next;
        }
        Ok(Self { bytes })
    }

    /// The tags, in order.
    fn tags(&self) -> impl Iterator<Item = Tag<'a>> + use<'a> {
        let bytes = self.bytes;
        let mut offset = HEADER_LEN;
        core::iter::from_fn(move || {
            let (tag, next) = tag(bytes, offset).ok()??;
            offset = next;
            Some(tag)
        })
    }

    fn find(&self, wanted: u32) -> Option<&'a [u8]> {
        self.tags()
            .find(|(kind, _)| *kind == wanted)
            .map(|(_, body)| body)
    }

    /// The machine's memory, entry by entry, as start, length and kind.
    ///
    /// # Errors
    /// When there is no memory map or its entries have no possible size.
    pub fn memory(&self) -> Result<impl Iterator<Item = (u64, u64, MemoryKind)> + use<'a>, InfoError> {
        let map = self.find(MEMORY_MAP).ok_or(InfoError::Missing(MEMORY_MAP))?;
        let size = le32(map, 0).unwrap_or(0) as usize;
        if size < 20 || !size.is_multiple_of(4) {
            return Err(InfoError::Malformed(MEMORY_MAP));
        }
        let entries = map.get(8..).unwrap_or_default().chunks_exact(size);
        Ok(entries.filter_map(|entry| {
            let kind = match le32(entry, 16)? {
                1 => MemoryKind::Usable,
                3 => MemoryKind::AcpiReclaim,
                _ => MemoryKind::Reserved,
            };
            Some((le64(entry, 0)?, le64(entry, 8)?, kind))
        }))
    }

    /// Where the first module lies; empty when there is none.
    ///
    /// # Errors
    /// When it ends before it starts.
    pub fn module(&self) -> Result<PhysRange, InfoError> {
        let Some(module) = self.find(MODULE) else {
            return Ok(PhysRange::default());
        };
        let broken = InfoError::Malformed(MODULE);
        let start = le32(module, 0).ok_or(broken)?;
        let end = le32(module, 4).ok_or(broken)?;
        let len = end.checked_sub(start).ok_or(broken)?;
        Ok(PhysRange {
            start: u64::from(start),
            len: u64::from(len),
        })
    }

    /// Offset of the copy of ACPI's root pointer in the boot information, that of ACPI 2.0 if there is one.
    pub fn rsdp(&self) -> Option<usize> {
        let copy = self.find(ACPI_NEW).or_else(|| self.find(ACPI_OLD))?;
        Some(copy.as_ptr().addr() - self.bytes.as_ptr().addr())
    }

    /// The screen, when it has four bytes per pixel in one of the formats that `bootinfo` knows; none otherwise.
    pub fn framebuffer(&self) -> Framebuffer {
        self.find(FRAMEBUFFER).and_then(screen).unwrap_or_default()
    }
}

/// Section 3.6.12, "Framebuffer info".
fn screen(tag: &[u8]) -> Option<Framebuffer> {
    const DIRECT_COLOUR: u8 = 1;
    let (addr, pitch) = (le64(tag, 0)?, le32(tag, 8)?);
    let (width, height) = (le32(tag, 12)?, le32(tag, 16)?);
    let (bits, kind) = (*tag.get(20)?, *tag.get(21)?);
    // Position and size in bits of red, green and blue.
    let format = match tag.get(24..30)? {
        [0, 8, 8, 8, 16, 8] => 0,
        [16, 8, 8, 8, 0, 8] => 1,
        _ => return None,
    };
    let stride = pitch / 4;
    let plausible = kind == DIRECT_COLOUR && bits == 32 && pitch.is_multiple_of(4) && width <= stride;
    plausible.then_some(Framebuffer {
        addr,
        len: u64::from(pitch) * u64::from(height),
        width,
        height,
        stride,
        format,
    })
}
