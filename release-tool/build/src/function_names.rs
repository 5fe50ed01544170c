//! The names of a kernel's functions, written into it after it was linked, so that its backtraces can tell them.
//!
//! Only who has the linked file knows where which function lies. The kernel keeps room in a section of its own, and gets
//! what `docs/src/file-formats/system.md` describes: a magic number, where the functions lie and how many there are, and
//! per function an address and where its name starts. It is read where it lies, when nothing else can be relied on.

use crate::BuildError;
use crate::binary::elf_header;
use object::LittleEndian;
use object::elf::{FileHeader64, SHT_SYMTAB, STT_FUNC, STT_NOTYPE};
use object::read::elf::{FileHeader, SectionHeader, Sym};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

/// The section's name.
pub const SECTION: &str = ".veridian.symbols";

/// What a table starts with; the last byte is the format's version.
pub const MAGIC: [u8; 8] = *b"symbols\x02";

/// The section whose functions are named.
const CODE: &str = ".text";

/// A function: how far it starts behind the code's start, and its name for people.
type Function = (u32, String);

/// Writes the names of its functions into a kernel that has room for them. One that has no section for it stays as it is.
///
/// # Errors
/// When the file is not an ELF file, has the section but no symbols, or too little room.
pub fn write_names(kernel: &mut [u8]) -> Result<(), BuildError> {
    let header = elf_header(kernel, "the kernel")?;
    let Some((_, range, _)) = section(header, kernel, SECTION)? else {
        return Ok(());
    };
    let Some((start, code, index)) = section(header, kernel, CODE)? else {
        return Err(wrong("expected a section .text, got none"));
    };
    let functions = functions(header, kernel, (start, code.len() as u64), index)?;
    let table = encode(start, code.len(), &functions)?;
    if table.len() > range.len() {
        return Err(wrong(format!(
            "expected at most {} bytes of names, got {} for {} functions",
            range.len(),
            table.len(),
            functions.len()
        )));
    }
    let room = &mut kernel[range];
    room.fill(0);
    room[..table.len()].copy_from_slice(&table);
    Ok(())
}

fn wrong(problem: impl Into<String>) -> BuildError {
    BuildError::FunctionNames {
        problem: problem.into(),
    }
}

/// Address, place in the file and number of the section with a name.
fn section(
    header: &FileHeader64<LittleEndian>,
    kernel: &[u8],
    name: &str,
) -> Result<Option<(u64, Range<usize>, usize)>, BuildError> {
    let sections = header
        .sections(LittleEndian, kernel)
        .map_err(|error| wrong(error.to_string()))?;
    let found = sections.enumerate().find(|(_, section)| {
        sections
            .section_name(LittleEndian, section)
            .is_ok_and(|found| found == name.as_bytes())
    });
    let Some((index, section)) = found else {
        return Ok(None);
    };
    let range = section
        .file_range(LittleEndian)
        .and_then(|(offset, len)| {
            let start = usize::try_from(offset).ok()?;
            Some(start..start.checked_add(usize::try_from(len).ok()?)?)
        })
        .filter(|range| range.end <= kernel.len());
    let range =
        range.ok_or_else(|| wrong(format!("expected the content of {name} in the file, got none")))?;
    Ok(Some((section.sh_addr(LittleEndian), range, index.0)))
}

/// The functions of the section with number `index`, which begins at an address and has a length, by address. Of several
/// names for one place the first one that a function has is taken.
fn functions(
    header: &FileHeader64<LittleEndian>,
    kernel: &[u8],
    (start, len): (u64, u64),
    index: usize,
) -> Result<Vec<Function>, BuildError> {
    let broken = |error: object::Error| wrong(error.to_string());
    let symbols = header
        .sections(LittleEndian, kernel)
        .and_then(|sections| sections.symbols(LittleEndian, kernel, SHT_SYMTAB))
        .map_err(broken)?;
    let mut found: BTreeMap<u32, (bool, &str)> = BTreeMap::new();
    for symbol in symbols.iter() {
        // Labels of assembly have no type. Those that begin with a dollar sign tell code and data apart on ARM.
        let kind = symbol.st_type();
        let offset = symbol.st_value(LittleEndian).checked_sub(start);
        let Some(offset) = offset.filter(|offset| *offset < len && *offset < u64::from(u32::MAX)) else {
            continue;
        };
        if usize::from(symbol.st_shndx(LittleEndian).0) != index || (kind != STT_FUNC && kind != STT_NOTYPE) {
            continue;
        }
        let name = symbol.name(LittleEndian, symbols.strings()).map_err(broken)?;
        let name = std::str::from_utf8(name).map_err(|_| wrong("expected names in UTF-8, got another"))?;
        if name.is_empty() || name.starts_with(['$', '.']) {
            continue;
        }
        // Functions first, then by name: the order in the file does not matter.
        let candidate = (kind != STT_FUNC, name);
        match found.entry(offset as u32) {
            Entry::Vacant(place) => {
                place.insert(candidate);
            }
            Entry::Occupied(mut place) => {
                let best = candidate.min(*place.get());
                place.insert(best);
            }
        }
    }
    if found.is_empty() {
        return Err(wrong("expected symbols of functions, got none"));
    }
    // Without the hash of the crate, which says nothing to people.
    let readable = |name: &str| format!("{:#}", rustc_demangle::demangle(name));
    Ok(found
        .into_iter()
        .map(|(offset, (_, name))| (offset, readable(name)))
        .collect())
}

fn encode(start: u64, len: usize, functions: &[Function]) -> Result<Vec<u8>, BuildError> {
    let number =
        |value: usize| u32::try_from(value).map_err(|_| wrong("expected less than 4 GiB of code, got more"));
    let names: String = functions.iter().map(|(_, name)| name.as_str()).collect();
    let mut table = MAGIC.to_vec();
    table.extend(start.to_le_bytes());
    for value in [len, functions.len(), names.len()] {
        table.extend(number(value)?.to_le_bytes());
    }
    let mut at = 0;
    for (offset, name) in functions {
        table.extend(offset.to_le_bytes());
        table.extend(number(at)?.to_le_bytes());
        at += name.len();
    }
    table.extend(names.into_bytes());
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 0xffff_ffff_8020_0000;

    /// A symbol: name, type, number of its section, address.
    type Symbol<'a> = (&'a str, u8, u16, u64);

    const SYMBOLS: &[Symbol<'_>] = &[
        ("_RNvCs1234_6kernel4main", 2, 1, START + 0x40),
        ("_start", 0, 1, START),
        ("alias", 0, 1, START + 0x40),
        ("memcpy", 2, 1, START + 0x60),
        ("$x", 0, 1, START + 0x70),
        (".Lhidden", 0, 1, START + 0x71),
        ("kernel_text_end", 0, 1, START + 0x80),
        ("a_constant", 1, 1, START + 0x10),
        ("elsewhere", 2, 2, START + 0x20),
    ];

    /// A kernel with 128 bytes of code, `room` for names, and symbols.
    fn kernel(room: Option<usize>, symbols: &[Symbol<'_>]) -> Vec<u8> {
        let mut strings = vec![0];
        let mut entries = vec![0; 24];
        for (name, kind, section, address) in symbols {
            entries.extend((strings.len() as u32).to_le_bytes());
            entries.extend([*kind, 0]);
            entries.extend(section.to_le_bytes());
            entries.extend(address.to_le_bytes());
            entries.extend(8u64.to_le_bytes());
            strings.extend(name.as_bytes());
            strings.push(0);
        }
        let names = b"\0.text\0.veridian.symbols\0.symtab\0.strtab\0";
        let room = room.map(|len| vec![7; len]);
        /// Name, type, address, content, link, size of an entry.
        type Section<'a> = (u32, u32, u64, &'a [u8], u32, u64);
        let mut sections: Vec<Section<'_>> = vec![
            (0, 0, 0, &[], 0, 0),
            (1, 1, START, &[0x90; 128], 0, 0),
            (25, 2, 0, &entries, 3, 24),
            (33, 3, 0, &strings, 0, 0),
            (33, 3, 0, names, 0, 0),
        ];
        if let Some(room) = &room {
            sections.push((7, 1, START + 0x1000, room, 0, 0));
        }
        let mut body: Vec<u8> = Vec::new();
        let mut table: Vec<u8> = Vec::new();
        for (name, kind, address, content, link, entry) in &sections {
            table.extend(name.to_le_bytes());
            table.extend(kind.to_le_bytes());
            for word in [0, *address, 64 + body.len() as u64, content.len() as u64] {
                table.extend(word.to_le_bytes());
            }
            table.extend(link.to_le_bytes());
            table.extend([0; 4]);
            table.extend(8u64.to_le_bytes());
            table.extend(entry.to_le_bytes());
            body.extend(*content);
            body.resize(body.len().next_multiple_of(8), 0);
        }
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        file.extend(2u16.to_le_bytes());
        file.extend(62u16.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        for word in [START, 0, 64 + body.len() as u64] {
            file.extend(word.to_le_bytes());
        }
        file.extend(0u32.to_le_bytes());
        for half in [64, 56, 0, 64, sections.len() as u16, 4] {
            file.extend(half.to_le_bytes());
        }
        file.extend(body);
        file.extend(table);
        file
    }

    #[test]
    fn functions_are_named_by_address() {
        let before = kernel(Some(200), SYMBOLS);
        let mut named = before.clone();
        write_names(&mut named).unwrap();
        let header = elf_header(&named, "the kernel").unwrap();
        let (_, range, _) = section(header, &named, SECTION).unwrap().unwrap();
        let mut expected = b"symbols\x02".to_vec();
        expected.extend(START.to_le_bytes());
        for number in [128u32, 3, 24, 0, 0, 0x40, 6, 0x60, 18] {
            expected.extend(number.to_le_bytes());
        }
        expected.extend(b"_startkernel::mainmemcpy");
        expected.resize(200, 0);
        assert_eq!(named[range.clone()], expected);
        assert_eq!(
            (&named[..range.start], &named[range.end..]),
            (&before[..range.start], &before[range.end..])
        );
        let once = named.clone();
        write_names(&mut named).unwrap();
        assert!(named == once);
        let mut reversed = SYMBOLS.to_vec();
        reversed.reverse();
        let mut other = kernel(Some(200), &reversed);
        write_names(&mut other).unwrap();
        assert_eq!(other[range], expected, "the order of the symbols matters");
    }

    #[test]
    fn a_kernel_without_room_for_names_stays_as_it_is() {
        let mut plain = kernel(None, SYMBOLS);
        write_names(&mut plain).unwrap();
        assert!(plain == kernel(None, SYMBOLS));
    }

    #[test]
    fn names_that_are_missing_or_do_not_fit_are_refused() {
        for (mut kernel, expected) in [
            (
                kernel(Some(75), SYMBOLS),
                "expected at most 75 bytes of names, got 76 for 3 functions",
            ),
            (kernel(Some(200), &[]), "expected symbols of functions, got none"),
        ] {
            let error = write_names(&mut kernel).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert!(matches!(write_names(&mut [0; 8]), Err(BuildError::NotElf { .. })));
        let mut cut = kernel(Some(200), SYMBOLS);
        cut.truncate(cut.len() - 8);
        assert!(write_names(&mut cut).is_err());
    }
}
