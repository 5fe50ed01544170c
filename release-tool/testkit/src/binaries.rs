//! Small ELF and PE files that look to every check like what a compiler makes.

/// A program's ELF file: one loadable segment, entered at its start.
pub(crate) fn program(machine: u16) -> Vec<u8> {
    elf(machine, b"program", None)
}

/// A kernel's ELF file: as a program's, with the section for the identity, and with some text in its code.
pub(crate) fn kernel(machine: u16, text: &str) -> Vec<u8> {
    let mut identity = b"VERIDIAN-IDENT1\n".to_vec();
    identity.resize(256, 0);
    elf(machine, format!("kernel{text}").as_bytes(), Some(&identity))
}

/// An EFI application's headers.
pub(crate) fn efi(machine: u16) -> Vec<u8> {
    let mut file = b"MZ".to_vec();
    file.resize(60, 0);
    file.extend(64u32.to_le_bytes());
    file.extend(b"PE\0\0");
    file.extend(machine.to_le_bytes());
    file.resize(512, 0);
    file
}

fn elf(machine: u16, code: &[u8], identity: Option<&[u8]>) -> Vec<u8> {
    const HEADER: u64 = 64;
    const SEGMENT: u64 = 56;
    const ADDRESS: u64 = 0xffff_ffff_8020_0000;
    let names: &[u8] = b"\0.shstrtab\0.text\0.veridian.id\0";
    let code_at = HEADER + SEGMENT;
    let identity_at = code_at + code.len() as u64;
    let names_at = identity_at + identity.map_or(0, |bytes| bytes.len() as u64);
    let sections_at = names_at + names.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend(2u16.to_le_bytes());
    file.extend(machine.to_le_bytes());
    file.extend(1u32.to_le_bytes());
    for word in [ADDRESS, HEADER, sections_at] {
        file.extend(word.to_le_bytes());
    }
    file.extend(0u32.to_le_bytes());
    for half in [64u16, 56, 1, 64, if identity.is_some() { 4 } else { 3 }, 1] {
        file.extend(half.to_le_bytes());
    }
    file.extend(1u32.to_le_bytes());
    file.extend(5u32.to_le_bytes());
    let loaded = names_at - code_at;
    for word in [code_at, ADDRESS, ADDRESS, loaded, loaded, 1] {
        file.extend(word.to_le_bytes());
    }
    file.extend(code);
    file.extend(identity.unwrap_or_default());
    file.extend(names);
    // Loaded sections have an address: who writes the file anew goes by them.
    let mut section = |name: u32, kind: u32, address: Option<u64>, at: u64, len: u64| {
        file.extend(name.to_le_bytes());
        file.extend(kind.to_le_bytes());
        let allocated = if address.is_some() { 2 } else { 0 };
        for word in [allocated, address.unwrap_or_default(), at, len, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend(u64::from(kind != 0).to_le_bytes());
        file.extend([0; 8]);
    };
    section(0, 0, None, 0, 0);
    section(1, 3, None, names_at, names.len() as u64);
    section(11, 1, Some(ADDRESS), code_at, code.len() as u64);
    if let Some(bytes) = identity {
        let address = ADDRESS + (identity_at - code_at);
        section(17, 1, Some(address), identity_at, bytes.len() as u64);
    }
    file
}
