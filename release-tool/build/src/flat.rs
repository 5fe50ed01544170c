//! From an ELF file to the bytes that it puts into memory.

use crate::BuildError;
use crate::binary::elf_header;
use object::LittleEndian;
use object::elf::PT_LOAD;
use object::read::elf::{FileHeader, ProgramHeader};

/// Longer results mean that a segment has an address far away from the others.
const MAX_LEN: u64 = 256 << 20;

/// The content of the loadable segments, from the lowest physical address on, with zeros in gaps: what
/// `objcopy -O binary` makes. `name` is only used in errors.
///
/// # Errors
/// When the file is not an ELF file, has nothing to load, or has segments that overlap or are more than 256
/// MiB apart.
pub fn flatten(elf: &[u8], name: &str) -> Result<Vec<u8>, BuildError> {
    let wrong = |problem: String| BuildError::Flat {
        file: name.to_owned(),
        problem,
    };
    let header = elf_header(elf, name)?;
    let headers = header
        .program_headers(LittleEndian, elf)
        .map_err(|error| wrong(error.to_string()))?;
    let mut segments = Vec::new();
    for segment in headers
        .iter()
        .filter(|segment| segment.p_type(LittleEndian) == PT_LOAD)
    {
        let content = segment
            .data(LittleEndian, elf)
            .map_err(|()| wrong("expected each segment's content in the file, got its end".to_owned()))?;
        if !content.is_empty() {
            segments.push((segment.p_paddr(LittleEndian), content));
        }
    }
    segments.sort_by_key(|(address, _)| *address);
    let start = match segments.first() {
        Some((start, _)) => *start,
        None => {
            return Err(wrong(
                "expected something to load, got no segment with content".to_owned(),
            ));
        }
    };
    let mut flat = Vec::new();
    for (address, content) in segments {
        let offset = address - start;
        if offset < flat.len() as u64 {
            return Err(wrong(format!(
                "expected segments apart, got an overlap at {address:#x}"
            )));
        }
        if offset.saturating_add(content.len() as u64) > MAX_LEN {
            return Err(wrong(format!(
                "expected all segments within {MAX_LEN:#x} bytes, got one at {address:#x} and the first at {start:#x}"
            )));
        }
        flat.resize(offset as usize, 0);
        flat.extend_from_slice(content);
    }
    Ok(flat)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::tests::{Segment, elf};

    fn segment(address: u64, content: &[u8]) -> Segment<'_> {
        Segment {
            flags: 4,
            address,
            content,
            memory: content.len() as u64 + 8,
        }
    }

    #[test]
    fn gaps_are_filled_and_zeroed_memory_at_the_end_is_left_out() {
        let file = elf(
            62,
            &[segment(0x20_0004, b"data"), segment(0x20_0000, b"ab")],
            None,
        );
        assert_eq!(flatten(&file, "k").unwrap(), b"ab\0\0data");
    }

    #[test]
    fn what_cannot_be_flattened_is_refused() {
        for (segments, expected) in [
            (vec![], "got no segment with content"),
            (vec![segment(0, b"")], "got no segment with content"),
            (
                vec![segment(0, b"abc"), segment(2, b"d")],
                "got an overlap at 0x2",
            ),
            (
                vec![segment(0, b"a"), segment(1 << 40, b"b")],
                "got one at 0x10000000000",
            ),
        ] {
            let error = flatten(&elf(62, &segments, None), "kernel").unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        let mut cut = elf(62, &[segment(0, b"abcdefgh")], None);
        cut.truncate(64 + 56 + 4);
        assert!(flatten(&cut, "kernel").is_err());
    }
}
