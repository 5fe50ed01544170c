//! Is a compiled file for the architecture that it was compiled for?

use crate::BuildError;
use object::LittleEndian;
use object::elf::FileHeader64;
use object::read::elf::FileHeader;
use vrel_model::Arch;

/// A 64-bit little-endian ELF file's header.
pub(crate) fn elf_header<'data>(
    file: &'data [u8],
    name: &str,
) -> Result<&'data FileHeader64<LittleEndian>, BuildError> {
    let header = FileHeader64::<LittleEndian>::parse(file);
    header
        .ok()
        .filter(|header| header.endian().is_ok())
        .ok_or_else(|| BuildError::NotElf {
            file: name.to_owned(),
        })
}

/// Checks that a file is an ELF file for the machine number.
pub(crate) fn check_elf(file: &[u8], name: &str, arch: Arch, machine: u16) -> Result<(), BuildError> {
    let found = elf_header(file, name)?.e_machine(LittleEndian).0;
    same_machine(name, arch, machine, found)
}

/// Checks that a file is an EFI application for the architecture.
pub(crate) fn check_efi(file: &[u8], name: &str, arch: Arch) -> Result<(), BuildError> {
    // Machine types of the PE format (UEFI 2.10, section 2.1.1).
    let machine = match arch {
        Arch::X86_64 => 0x8664,
        Arch::Aarch64 => 0xaa64,
        Arch::Riscv64 => 0x5064,
    };
    let found = pe_machine(file).ok_or_else(|| BuildError::NotEfi {
        file: name.to_owned(),
    })?;
    same_machine(name, arch, machine, found)
}

fn pe_machine(file: &[u8]) -> Option<u16> {
    let at = file.starts_with(b"MZ").then(|| file.get(60..64)).flatten()?;
    let at = u32::from_le_bytes(at.try_into().ok()?) as usize;
    let header = file.get(at..)?.strip_prefix(b"PE\0\0")?;
    Some(u16::from_le_bytes(header.get(..2)?.try_into().ok()?))
}

fn same_machine(file: &str, arch: Arch, expected: u16, found: u16) -> Result<(), BuildError> {
    if expected == found {
        return Ok(());
    }
    Err(BuildError::WrongMachine {
        file: file.to_owned(),
        arch,
        expected,
        found,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A program header: flags, physical and virtual address, content, bytes in memory.
    pub(crate) struct Segment<'a> {
        pub(crate) flags: u32,
        pub(crate) address: u64,
        pub(crate) content: &'a [u8],
        pub(crate) memory: u64,
    }

    /// A minimal ELF file with loadable segments, and a section `.veridian.id` when `id` is given.
    pub(crate) fn elf(machine: u16, segments: &[Segment<'_>], id: Option<&[u8]>) -> Vec<u8> {
        let names = b"\0.shstrtab\0.veridian.id\0";
        let data_at = 64 + 56 * segments.len() as u64;
        let id_at = data_at + segments.iter().map(|s| s.content.len() as u64).sum::<u64>();
        let names_at = id_at + id.map_or(0, <[u8]>::len) as u64;
        let sections_at = names_at + names.len() as u64;
        let section_count = if id.is_some() { 3u16 } else { 2 };
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        file.extend(2u16.to_le_bytes());
        file.extend(machine.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        for word in [0, 64, sections_at] {
            file.extend(word.to_le_bytes());
        }
        file.extend(0u32.to_le_bytes());
        for half in [64, 56, segments.len() as u16, 64, section_count, 1] {
            file.extend(half.to_le_bytes());
        }
        let mut at = data_at;
        for segment in segments {
            file.extend(1u32.to_le_bytes());
            file.extend(segment.flags.to_le_bytes());
            let len = segment.content.len() as u64;
            for word in [at, segment.address, segment.address, len, segment.memory, 1] {
                file.extend(word.to_le_bytes());
            }
            at += len;
        }
        for segment in segments {
            file.extend(segment.content);
        }
        file.extend(id.unwrap_or_default());
        file.extend(names);
        let mut section = |name: u32, kind: u32, at: u64, len: u64| {
            file.extend(name.to_le_bytes());
            file.extend(kind.to_le_bytes());
            for word in [0u64, 0, at, len] {
                file.extend(word.to_le_bytes());
            }
            file.extend([0; 24]);
        };
        section(0, 0, 0, 0);
        section(1, 3, names_at, names.len() as u64);
        if let Some(id) = id {
            section(11, 1, id_at, id.len() as u64);
        }
        file
    }

    fn efi(machine: u16) -> Vec<u8> {
        let mut file = b"MZ".to_vec();
        file.resize(60, 0);
        file.extend(70u32.to_le_bytes());
        file.resize(70, 0);
        file.extend(b"PE\0\0");
        file.extend(machine.to_le_bytes());
        file
    }

    #[test]
    fn a_file_for_another_architecture_is_refused() {
        check_elf(&elf(62, &[], None), "kernel", Arch::X86_64, 62).unwrap();
        let error = check_elf(&elf(183, &[], None), "kernel", Arch::X86_64, 62).unwrap_err();
        assert_eq!(
            error.to_string(),
            "kernel was compiled for another architecture than x86_64: expected machine 0x3e, got 0xb7"
        );
        check_efi(&efi(0xaa64), "boot", Arch::Aarch64).unwrap();
        assert!(matches!(
            check_efi(&efi(0xaa64), "boot", Arch::X86_64),
            Err(BuildError::WrongMachine { .. })
        ));
    }

    #[test]
    fn other_files_are_refused() {
        for file in [
            &b""[..],
            b"\x7fELF",
            b"MZ",
            &elf(62, &[], None)[..60],
            &efi(1)[..72],
        ] {
            assert!(matches!(
                check_elf(file, "f", Arch::X86_64, 62),
                Err(BuildError::NotElf { .. })
            ));
            assert!(matches!(
                check_efi(file, "f", Arch::X86_64),
                Err(BuildError::NotEfi { .. })
            ));
        }
    }
}
