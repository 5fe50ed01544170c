//! Shipping files without their debugging information.
//!
//! What is shipped loads the same bytes to the same addresses as what was linked; only sections that are never loaded
//! are left out. The build id is a part of what is loaded, so that both files keep it, and a debugger finds the one
//! with everything by that of the other.

use crate::BuildError;
use crate::binary::elf_header;
use object::LittleEndian;
use object::elf::{NT_GNU_BUILD_ID, PT_LOAD, PT_NOTE, SHF_ALLOC, SHT_NULL, SHT_STRTAB, SHT_SYMTAB};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};

/// Length of an entry of the section table (ELF-64 object file format, section 5).
const SECTION_HEADER: usize = 64;

/// The owner of the note that holds a build id.
const OWNER: &[u8] = b"GNU";

/// How long a build id may be, in bytes: shorter ones name no file, longer ones no linker makes.
const ID_LEN: std::ops::RangeInclusive<usize> = 4..=64;

/// Which names a shipped file keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// The symbol table: tools that have only the kernel can tell its functions.
    Kept,
    /// None.
    Removed,
}

/// The build id of an ELF file, as lower-case hexadecimal digits; `name` is only used in errors.
///
/// # Errors
/// When the file is not an ELF file, or has no build id or several.
pub fn build_id(elf: &[u8], name: &str) -> Result<String, BuildError> {
    let wrong = |problem: String| BuildError::BuildId {
        file: name.to_owned(),
        problem,
    };
    let broken = |error: object::Error| wrong(error.to_string());
    let header = elf_header(elf, name)?;
    let mut found = Vec::new();
    for segment in header.program_headers(LittleEndian, elf).map_err(broken)? {
        let Some(mut notes) = segment.notes(LittleEndian, elf).map_err(broken)? else {
            continue;
        };
        while let Some(note) = notes.next().map_err(broken)? {
            if note.name() == OWNER && note.n_type(LittleEndian) == NT_GNU_BUILD_ID {
                found.push(note.desc());
            }
        }
    }
    match found[..] {
        [id] if ID_LEN.contains(&id.len()) => Ok(id.iter().map(|byte| format!("{byte:02x}")).collect()),
        [id] => Err(wrong(format!(
            "expected from {} to {} bytes of it, got {}",
            ID_LEN.start(),
            ID_LEN.end(),
            id.len()
        ))),
        [] => Err(wrong(
            "expected one in a note that is loaded, got none".to_owned(),
        )),
        _ => Err(wrong(format!("expected one, got {}", found.len()))),
    }
}

/// An ELF file without sections that are never loaded; `name` is only used in errors.
///
/// Linkers put those behind everything that is loaded. The file is cut there, so that no byte in front moves, and a new
/// table of the remaining sections is written behind the cut.
///
/// # Errors
/// When the file is not an ELF file, or its sections lie in another order.
pub fn strip(elf: &[u8], name: &str, names: Names) -> Result<Vec<u8>, BuildError> {
    let wrong = |problem: &str| BuildError::Strip {
        file: name.to_owned(),
        problem: problem.to_owned(),
    };
    let broken = |error: object::Error| wrong(&error.to_string());
    let header = elf_header(elf, name)?;
    let sections = header.sections(LittleEndian, elf).map_err(broken)?;
    let mut kept = Vec::new();
    for (index, section) in sections.enumerate() {
        let kind = section.sh_type(LittleEndian);
        let is_loaded = section.sh_flags(LittleEndian).0 & SHF_ALLOC.0 != 0;
        let is_table = kind == SHT_SYMTAB || kind == SHT_STRTAB;
        let is_names = index.0 == usize::from(header.e_shstrndx(LittleEndian).0);
        if kind == SHT_NULL || is_loaded || is_names || (is_table && names == Names::Kept) {
            kept.push((index, section, is_loaded));
        }
    }
    if kept.len() == sections.len() {
        return Ok(elf.to_vec());
    }
    // Symbols name their sections by number: those in front of what is left out keep theirs.
    let loaded_count = kept.iter().filter(|(_, _, is_loaded)| *is_loaded).count();
    let in_front = kept.iter().take(loaded_count + 1);
    if in_front.enumerate().any(|(place, (index, ..))| index.0 != place) {
        return Err(wrong(
            "expected the loaded sections in front of all others, got another order",
        ));
    }
    let mut end = header.e_phoff(LittleEndian)
        + u64::from(header.e_phnum(LittleEndian)) * u64::from(header.e_phentsize(LittleEndian));
    for segment in header.program_headers(LittleEndian, elf).map_err(broken)? {
        end = end.max(segment.p_offset(LittleEndian) + segment.p_filesz(LittleEndian));
    }
    let end = usize::try_from(end).ok().filter(|end| *end <= elf.len());
    let mut out =
        elf[..end.ok_or_else(|| wrong("expected every segment in the file, got its end"))?].to_vec();

    let mut table = Vec::new();
    for (index, section, is_loaded) in &kept {
        // An entry of the table is copied as it is, but for its place and what it is linked to.
        let entry = header.e_shoff(LittleEndian) + index.0 as u64 * SECTION_HEADER as u64;
        let entry = usize::try_from(entry).map_err(|_| wrong("expected a smaller file"))?;
        let mut entry = elf[entry..entry + SECTION_HEADER].to_vec();
        if !is_loaded && section.sh_type(LittleEndian) != SHT_NULL {
            out.resize(out.len().next_multiple_of(8), 0);
            entry[24..32].copy_from_slice(&(out.len() as u64).to_le_bytes());
            let link = kept
                .iter()
                .position(|(other, ..)| other.0 as u32 == section.sh_link(LittleEndian));
            let link = link.and_then(|link| u32::try_from(link).ok()).unwrap_or(0);
            entry[40..44].copy_from_slice(&link.to_le_bytes());
            out.extend_from_slice(section.data(LittleEndian, elf).map_err(broken)?);
        }
        table.extend(entry);
    }
    out.resize(out.len().next_multiple_of(8), 0);
    let at = out.len() as u64;
    out.extend(table);
    let names_at = kept
        .iter()
        .position(|(index, ..)| index.0 == usize::from(header.e_shstrndx(LittleEndian).0));
    let count = u16::try_from(kept.len()).map_err(|_| wrong("expected fewer sections"))?;
    let names_at = names_at.and_then(|place| u16::try_from(place).ok()).unwrap_or(0);
    out[40..48].copy_from_slice(&at.to_le_bytes());
    out[60..62].copy_from_slice(&count.to_le_bytes());
    out[62..64].copy_from_slice(&names_at.to_le_bytes());
    // A header that is loaded itself would have changed.
    if loaded(elf, name)? != loaded(&out, name)? {
        return Err(wrong("expected the same bytes at the same addresses, got others"));
    }
    Ok(out)
}

/// What a segment does: kind, flags, virtual and physical address, size in memory, alignment, content.
type Loaded<'data> = (u32, u32, u64, u64, u64, u64, &'data [u8]);

/// The entry point and all that is loaded or noted.
fn loaded<'data>(elf: &'data [u8], name: &str) -> Result<(u64, Vec<Loaded<'data>>), BuildError> {
    let wrong = |problem: String| BuildError::Strip {
        file: name.to_owned(),
        problem,
    };
    let header = elf_header(elf, name)?;
    let segments = header
        .program_headers(LittleEndian, elf)
        .map_err(|error| wrong(error.to_string()))?;
    let kinds = [PT_LOAD, PT_NOTE];
    let segments = segments
        .iter()
        .filter(|segment| kinds.contains(&segment.p_type(LittleEndian)));
    let segments = segments.map(|segment| {
        let content = segment
            .data(LittleEndian, elf)
            .map_err(|()| wrong("expected each segment's content in the file, got its end".to_owned()))?;
        Ok((
            segment.p_type(LittleEndian).0,
            segment.p_flags(LittleEndian).0,
            segment.p_vaddr(LittleEndian),
            segment.p_paddr(LittleEndian),
            segment.p_memsz(LittleEndian),
            segment.p_align(LittleEndian),
            content,
        ))
    });
    let segments: Result<Vec<_>, BuildError> = segments.collect();
    Ok((header.e_entry(LittleEndian), segments?))
}
