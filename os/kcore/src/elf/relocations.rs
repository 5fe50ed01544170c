//! Relocations of position-independent programs: the only kind that is known adds the program's base to a word.

use alloc::vec::Vec;

use abi::layout::PAGE_SIZE;

use super::{ElfError, Segment};
use crate::bytes::le64;
use crate::paging::Access;

/// Bytes of an entry: where, what, and the sum's other part.
const ENTRY: usize = 24;

/// Tags of the dynamic section.
const END: u64 = 0;
const TABLE: u64 = 7;
const TABLE_LEN: u64 = 8;
const ENTRY_LEN: u64 = 9;
const FLAGS: u64 = 30;
/// Tables of symbols and their names, which nothing refers to; what a debugger may write to; the number of relocations; that
/// the file is position-independent; where the global offset table is.
const HARMLESS: [u64; 10] = [3, 4, 5, 6, 10, 11, 21, 0x6fff_fef5, 0x6fff_fff9, 0x6fff_fffb];

/// Flag of a program that wants its code changed.
const TEXT_RELOCATIONS: u64 = 4;

/// A program's relocations, sorted by place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Relocations<'a> {
    entries: &'a [[u8; ENTRY]],
}

/// A number of an entry.
fn word(entry: &[u8; ENTRY], index: usize) -> u64 {
    le64(entry, index * 8).unwrap_or_default()
}

/// The number of the relative relocation of an architecture. Source: the psABI of each.
fn relative(machine: u16) -> Option<u64> {
    match machine {
        62 => Some(8),
        183 => Some(1027),
        243 => Some(3),
        _ => None,
    }
}

impl<'a> Relocations<'a> {
    /// Reads a dynamic section, whose segments are not yet moved to the base.
    pub(super) fn parse(dynamic: &[u8], segments: &[Segment<'a>], machine: u16) -> Result<Self, ElfError> {
        let (mut table, mut len, mut size) = (None, None, None);
        for entry in dynamic.as_chunks::<16>().0 {
            let tag = le64(entry, 0).unwrap_or_default();
            let value = le64(entry, 8).unwrap_or_default();
            match tag {
                END => break,
                TABLE => table = Some(value),
                TABLE_LEN => len = Some(value),
                ENTRY_LEN => size = Some(value),
                FLAGS if value & TEXT_RELOCATIONS == 0 => {}
                tag if HARMLESS.contains(&tag) => {}
                tag => return Err(ElfError::Dynamic(tag)),
            }
        }
        let (table, len) = match (table, len, size) {
            (None, None, None) => return Ok(Self::default()),
            (Some(table), Some(len), Some(size)) if size == ENTRY as u64 => (table, len),
            _ => return Err(ElfError::Dynamic(TABLE)),
        };
        let bytes = segments.iter().find_map(|segment| {
            let from = usize::try_from(table.checked_sub(segment.start)?).ok()?;
            segment
                .data
                .get(from..from.checked_add(usize::try_from(len).ok()?)?)
        });
        let (entries, []) = bytes.ok_or(ElfError::Dynamic(TABLE))?.as_chunks() else {
            return Err(ElfError::Dynamic(TABLE_LEN));
        };
        let relocations = Self { entries };
        relocations.check(segments, machine)?;
        Ok(relocations)
    }

    /// Every entry adds the base to a word that no other touches, in a segment without code, and the sum lies in the image.
    fn check(&self, segments: &[Segment<'_>], machine: u16) -> Result<(), ElfError> {
        let end = segments.last().map_or(0, |segment| segment.start + segment.len);
        let places: Vec<_> = segments
            .iter()
            .filter(|segment| segment.access != Access::ReadExecute && segment.len >= 8)
            .map(|segment| segment.start..=segment.start + segment.len - 8)
            .collect();
        let mut free = 0;
        for entry in self.entries {
            let [at, kind, sum] = [0, 1, 2].map(|index| word(entry, index));
            if Some(kind) != relative(machine) {
                return Err(ElfError::RelocationKind(kind));
            }
            let fits = at % 8 == 0 && free <= at && places.iter().any(|place| place.contains(&at));
            if !fits || sum > end {
                return Err(ElfError::Relocation(at));
            }
            free = at + 8;
        }
        Ok(())
    }

    /// Changes the words of a page, of which `out` are the bytes: `page` is its address when the base is 0.
    pub(super) fn apply(&self, page: u64, base: u64, out: &mut [u8]) {
        let first = self.entries.partition_point(|entry| word(entry, 0) < page);
        for entry in &self.entries[first..] {
            let at = word(entry, 0) - page;
            if at >= PAGE_SIZE {
                return;
            }
            if let Some(place) = out.get_mut(at as usize..at as usize + 8) {
                place.copy_from_slice(&base.wrapping_add(word(entry, 2)).to_le_bytes());
            }
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
