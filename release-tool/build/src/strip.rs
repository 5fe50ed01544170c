//! Shipping files without their debugging information.
//!
//! What is shipped loads the same bytes to the same addresses as what was linked; only sections that are never loaded
//! are left out. The build id is a part of what is loaded, so that both files keep it, and a debugger finds the one
//! with everything by that of the other.

use crate::BuildError;
use crate::binary::elf_header;
use object::LittleEndian;
use object::build::elf::{Builder, SectionData};
use object::elf::{NT_GNU_BUILD_ID, PT_LOAD, PT_NOTE};
use object::read::elf::{FileHeader, ProgramHeader};

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
/// # Errors
/// When the file is not an ELF file, or cannot be written anew such that it loads the same bytes.
pub fn strip(elf: &[u8], name: &str, names: Names) -> Result<Vec<u8>, BuildError> {
    let wrong = |problem: String| BuildError::Strip {
        file: name.to_owned(),
        problem,
    };
    elf_header(elf, name)?;
    let mut builder = Builder::read(elf).map_err(|error| wrong(error.to_string()))?;
    let symbols = builder.symbols.iter().count();
    for section in &mut builder.sections {
        let needed = match section.data {
            SectionData::SectionString => true,
            SectionData::Symbol | SectionData::String => names == Names::Kept,
            _ => section.is_alloc(),
        };
        section.delete = !needed;
    }
    let nothing = builder.sections.iter().all(|section| !section.delete);
    if nothing && (names == Names::Kept || symbols == 0) {
        return Ok(elf.to_vec());
    }
    if names == Names::Removed {
        for symbol in &mut builder.symbols {
            symbol.delete = true;
        }
    }
    builder.delete_orphans();
    let mut stripped = Vec::new();
    builder
        .write(&mut stripped)
        .map_err(|error| wrong(error.to_string()))?;
    // The library lays a file out anew. That it changes nothing that counts is not left to it.
    if loaded(elf, name)? != loaded(&stripped, name)? {
        return Err(wrong(
            "expected the same bytes at the same addresses, got others".to_owned(),
        ));
    }
    Ok(stripped)
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
