//! Archives and programs: what is read, what is refused, and that no bytes make a parser panic.

use abi::layout::{MAX_IMAGE, PAGE_SIZE, USER_END, USER_START};
use kcore::elf::{ElfError, Program, Segment};
use kcore::paging::Access;
use kcore::tar::{Archive, Reason, TarError};
use proptest::prelude::*;

/// A ustar entry: header, data, padding.
fn entry(name: &str, kind: u8, data: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    set_checksum(&mut header);
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn set_checksum(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header[..512].iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

#[test]
fn files_of_an_archive_are_found() {
    let bytes = archive(&[
        entry("./", b'5', b""),
        entry("etc/", b'5', b""),
        entry("./init", b'0', b"first"),
        entry("etc/rc", 0, &[7; 600]),
        entry("empty", b'0', b""),
    ]);
    let archive = Archive::new(&bytes);
    assert_eq!(archive.check(), Ok(3));
    assert_eq!(archive.find("init").unwrap().data, b"first");
    assert_eq!(archive.find("etc/rc").unwrap().data, [7; 600]);
    assert_eq!(archive.find("empty").unwrap().data, b"");
    assert_eq!(archive.find("etc"), None);
}

/// A hard link: its header says what else it is a name for.
fn link(name: &str, target: &str) -> Vec<u8> {
    let mut bytes = entry(name, b'1', b"");
    bytes[157..157 + target.len()].copy_from_slice(target.as_bytes());
    set_checksum(&mut bytes);
    bytes
}

#[test]
fn hard_links_are_other_names_for_earlier_files() {
    let tools = || entry("tools", b'0', b"many tools");
    let bytes = archive(&[tools(), link("ls", "tools"), link("cat", "./tools")]);
    let found = Archive::new(&bytes);
    assert_eq!(found.check(), Ok(3));
    for name in ["tools", "ls", "cat"] {
        assert_eq!(found.find(name).unwrap().data, b"many tools");
    }
    for entries in [
        vec![link("ls", "tools"), tools()],
        vec![tools(), link("ls", "ls")],
        vec![tools(), link("ls", "tools"), link("dir", "ls")],
    ] {
        let offset = entries[..entries.len() - 1].concat().len();
        let error = Archive::new(&archive(&entries)).check().unwrap_err();
        assert_eq!(error.reason, Reason::Link);
        assert!(error.offset == offset || error.offset == 0);
    }
}

/// The error of an archive whose first entry is changed.
fn broken(change: impl FnOnce(&mut Vec<u8>), fix_checksum: bool) -> TarError {
    let mut bytes = archive(&[entry("init", b'0', b"data")]);
    change(&mut bytes);
    if fix_checksum {
        set_checksum(&mut bytes);
    }
    Archive::new(&bytes).check().unwrap_err()
}

#[test]
fn broken_archives_are_refused_with_the_reason() {
    let at = |offset, reason| TarError { offset, reason };
    assert_eq!(broken(|bytes| bytes[0] ^= 1, false), at(0, Reason::Checksum));
    assert_eq!(broken(|bytes| bytes[257] = b'x', true), at(0, Reason::Magic));
    assert_eq!(broken(|bytes| bytes[263] = b' ', true), at(0, Reason::Magic));
    assert_eq!(broken(|bytes| bytes[156] = b'2', true), at(0, Reason::Type(b'2')));
    assert_eq!(broken(|bytes| bytes[0] = b'/', true), at(0, Reason::Name));
    assert_eq!(broken(|bytes| bytes[0] = 0, true), at(0, Reason::Name));
    assert_eq!(broken(|bytes| bytes[0] = 0xff, true), at(0, Reason::Name));
    assert_eq!(broken(|bytes| bytes[345] = b'p', true), at(0, Reason::Name));
    assert_eq!(broken(|bytes| bytes[130] = b'9', true), at(0, Reason::Number));
    assert_eq!(
        broken(|bytes| bytes[124..136].fill(b' '), true),
        at(0, Reason::Number)
    );
    assert_eq!(
        broken(|bytes| bytes[124..136].fill(b'7'), true),
        at(0, Reason::Truncated)
    );
    assert_eq!(
        broken(|bytes| bytes.truncate(514), false),
        at(0, Reason::Truncated)
    );
    assert_eq!(
        broken(|bytes| bytes.truncate(1024), false),
        at(1024, Reason::Truncated)
    );
    assert_eq!(
        broken(|bytes| bytes.truncate(1536), false),
        at(1024, Reason::Truncated)
    );
    assert_eq!(broken(|bytes| bytes[1600] = 1, false), at(1024, Reason::Magic));
    assert_eq!(Archive::new(&[]).check(), Err(at(0, Reason::Truncated)));
}

#[test]
fn nothing_is_read_after_an_error() {
    let mut bytes = archive(&[
        entry("a", b'0', b""),
        entry("b", b'0', b""),
        entry("c", b'0', b""),
    ]);
    bytes[512] ^= 1;
    let results: Vec<bool> = Archive::new(&bytes).map(|file| file.is_ok()).collect();
    assert_eq!(results, [true, false]);
}

const MACHINE: u16 = 243;

/// Where programs are put.
const BASE: u64 = 0x36_0000_0000;

struct Load {
    flags: u32,
    offset: u64,
    start: u64,
    in_file: u64,
    len: u64,
}

const CODE: Load = Load {
    flags: 5,
    offset: 0x1000,
    start: 0x40_0000,
    in_file: 0x10,
    len: 0x10,
};
const DATA: Load = Load {
    flags: 6,
    offset: 0x1010,
    start: 0x40_1010,
    in_file: 0x10,
    len: 0x3000,
};

/// A program with these segments; the first may be of any type.
fn elf(kind: u32, loads: &[Load]) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    for half in [3, MACHINE] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(1_u32.to_le_bytes());
    for long in [0x40_0004_u64, 64, 0] {
        bytes.extend(long.to_le_bytes());
    }
    bytes.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, loads.len() as u16, 0, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    for (index, load) in loads.iter().enumerate() {
        let kind = if index == 0 { kind } else { 1 };
        bytes.extend(kind.to_le_bytes());
        bytes.extend(load.flags.to_le_bytes());
        for long in [
            load.offset,
            load.start,
            load.start,
            load.in_file,
            load.len,
            0x1000,
        ] {
            bytes.extend(long.to_le_bytes());
        }
    }
    bytes.resize(0x1000, 0);
    bytes.extend(1..=0x20_u8);
    bytes
}

fn refused(loads: &[Load]) -> ElfError {
    Program::parse(&elf(1, loads), MACHINE, BASE).unwrap_err()
}

#[test]
fn a_program_is_read() {
    let file = elf(1, &[DATA, CODE]);
    let program = Program::parse(&file, MACHINE, BASE).unwrap();
    assert_eq!(program.entry, BASE + 0x40_0004);
    let [code, data] = &program.segments[..] else {
        panic!("{program:?}")
    };
    assert_eq!(
        (code.start, code.access, code.data),
        (BASE + 0x40_0000, Access::ReadExecute, &file[0x1000..0x1010])
    );
    assert_eq!(
        (data.access, data.len, data.data),
        (Access::ReadWrite, 0x3000, &file[0x1010..0x1020])
    );
    assert_eq!(
        (data.first_page(), data.end_page()),
        (BASE + 0x40_1000, BASE + 0x40_5000)
    );
    let page = |address| {
        let mut page = [0; 4096];
        program.fill(data, address, &mut page);
        page
    };
    let first = page(BASE + 0x40_1000);
    assert_eq!(first[0x10..0x20], file[0x1010..0x1020]);
    assert!(first[..0x10].iter().chain(&first[0x20..]).all(|&byte| byte == 0));
    assert_eq!(page(BASE + 0x40_2000), [0; 4096]);
}

#[test]
fn the_base_has_to_leave_room() {
    let file = elf(1, &[CODE, DATA]);
    let highest = USER_END - 0x40_5000 - PAGE_SIZE;
    for (base, fits) in [
        (USER_START, true),
        (USER_START - PAGE_SIZE, false),
        (highest, true),
        (highest + PAGE_SIZE, false),
        (BASE + 8, false),
        (0, false),
        (u64::MAX - 4095, false),
    ] {
        let parsed = Program::parse(&file, MACHINE, base).map(|_| ());
        let expected = if fits { Ok(()) } else { Err(ElfError::Base(base)) };
        assert_eq!(parsed, expected, "{base:#x}");
    }
}

/// A program with a dynamic section and relocations in its data, which begins at 0x2000: see the arguments.
fn relocated(dynamic: &[(u64, u64)], relocations: &[(u64, u64, u64)]) -> Vec<u8> {
    let code = Load { start: 0, ..CODE };
    let data = Load {
        flags: 6,
        offset: 0x2000,
        start: 0x2000,
        in_file: 0x1000,
        len: 0x3000,
    };
    let mut file = elf(1, &[code, data]);
    file[24..32].copy_from_slice(&4_u64.to_le_bytes());
    file.resize(0x3000, 0xaa);
    let mut put = |at: usize, word: u64| file[at..at + 8].copy_from_slice(&word.to_le_bytes());
    for (index, (tag, value)) in dynamic.iter().enumerate() {
        put(0x2800 + index * 16, *tag);
        put(0x2808 + index * 16, *value);
    }
    for (index, (at, kind, sum)) in relocations.iter().enumerate() {
        for (word, value) in [at, kind, sum].into_iter().enumerate() {
            put(0x2c00 + index * 24 + word * 8, *value);
        }
    }
    // A third program header; nothing is behind the second one.
    file[56..58].copy_from_slice(&3_u16.to_le_bytes());
    let header = 64 + 2 * 56;
    file[header..header + 8].copy_from_slice(&(2_u64 | 4 << 32).to_le_bytes());
    for (field, value) in [
        (1, 0x2800),
        (2, 0x2800),
        (4, dynamic.len() as u64 * 16),
        (5, 0x100),
    ] {
        file[header + field * 8..][..8].copy_from_slice(&u64::to_le_bytes(value));
    }
    file
}

/// A dynamic section for so many relocations.
fn table(count: u64) -> [(u64, u64); 8] {
    [
        (0x6fff_fffb, 0x800_0000),
        (21, 0),
        (7, 0x2c00),
        (8, count * 24),
        (9, 24),
        (0x6fff_fff9, count),
        (0, 0),
        // Behind the end.
        (1, 1),
    ]
}

#[test]
fn words_that_depend_on_the_base_are_moved() {
    let relocations = [
        (0x2000, 3, 0x123),
        (0x2010, 3, 0x5000),
        (0x2ff8, 3, 0),
        (0x3000, 3, 1),
        (0x4ff8, 3, 4),
    ];
    let file = relocated(&table(5), &relocations);
    let program = Program::parse(&file, MACHINE, BASE).unwrap();
    assert_eq!(program.relocations(), 5);
    let data = &program.segments[1];
    let mut memory = vec![0; 0x3000];
    for page in 0..3 {
        let part = &mut memory[page * 0x1000..][..0x1000];
        program.fill(data, BASE + 0x2000 + page as u64 * 0x1000, part);
    }
    let mut expected = file[0x2000..0x3000].to_vec();
    expected.resize(0x3000, 0);
    for (at, _, sum) in relocations {
        let at = at as usize - 0x2000;
        expected[at..at + 8].copy_from_slice(&(BASE + sum).to_le_bytes());
    }
    assert!(memory == expected);
    let mut code = [0; 4096];
    program.fill(&program.segments[0], BASE, &mut code);
    assert_eq!(code[..0x10], file[0x1000..0x1010]);
}

#[test]
fn other_relocations_are_refused() {
    let refused = |dynamic: &[(u64, u64)], relocations: &[(u64, u64, u64)]| {
        Program::parse(&relocated(dynamic, relocations), MACHINE, BASE).map(|program| program.relocations())
    };
    let one = |relocation| refused(&table(1), &[relocation]);
    assert_eq!(one((0x2000, 3, 0)), Ok(1));
    assert_eq!(refused(&[], &[]), Ok(0));
    for kind in [0, 2, 5, 8, 1027, 3 | 1 << 32, u64::MAX] {
        assert_eq!(one((0x2000, kind, 0)), Err(ElfError::RelocationKind(kind)));
    }
    for at in [0, 8, 0x1ff8, 0x2004, 0x4ffc, 0x5000, u64::MAX, u64::MAX - 7] {
        assert_eq!(one((at, 3, 0)), Err(ElfError::Relocation(at)), "{at:#x}");
    }
    assert_eq!(one((0x2000, 3, 0x5001)), Err(ElfError::Relocation(0x2000)));
    for second in [0x2000, 0x2008] {
        let both = refused(&table(2), &[(0x2008, 3, 0), (second, 3, 0)]);
        assert_eq!(both, Err(ElfError::Relocation(second)), "out of order");
    }
    for tag in [1, 2, 12, 17, 20, 22, 23, 25, 36, u64::MAX] {
        assert_eq!(refused(&[(tag, 0), (0, 0)], &[]), Err(ElfError::Dynamic(tag)));
    }
    assert_eq!(refused(&[(30, 8), (0, 0)], &[]), Ok(0), "bind now");
    assert_eq!(
        refused(&[(30, 4), (0, 0)], &[]),
        Err(ElfError::Dynamic(30)),
        "changes code"
    );
    let parts = [(7, 0x2c00), (8, 24), (9, 24)];
    for left_out in 0..3 {
        let mut dynamic = parts.to_vec();
        dynamic.remove(left_out);
        assert_eq!(refused(&dynamic, &[]), Err(ElfError::Dynamic(7)));
    }
    for (part, value, tag) in [
        (0, 0x2ff0, 7),
        (0, u64::MAX, 7),
        (1, u64::MAX, 7),
        (1, 25, 8),
        (2, 16, 7),
    ] {
        let mut dynamic = parts;
        dynamic[part].1 = value;
        assert_eq!(refused(&dynamic, &[]), Err(ElfError::Dynamic(tag)));
    }
}

#[test]
fn unwise_segments_are_refused() {
    assert_eq!(
        refused(&[Load { flags: 7, ..CODE }]),
        ElfError::WriteExecute(0x40_0000)
    );
    assert_eq!(
        refused(&[Load { flags: 3, ..CODE }]),
        ElfError::WriteExecute(0x40_0000)
    );
    assert_eq!(
        refused(&[Load { flags: 1, ..CODE }]),
        ElfError::Unreadable(0x40_0000)
    );
    assert_eq!(
        refused(&[Load { flags: 0, ..CODE }]),
        ElfError::Unreadable(0x40_0000)
    );
    assert_eq!(
        refused(&[
            CODE,
            Load {
                start: 0x40_0f00,
                ..DATA
            }
        ]),
        ElfError::Overlap(0x40_0f00)
    );
    assert_eq!(refused(&[CODE, CODE]), ElfError::Overlap(0x40_0000));
    assert_eq!(
        refused(&[Load {
            start: MAX_IMAGE - 15,
            ..CODE
        }]),
        ElfError::Range(MAX_IMAGE - 15)
    );
    assert_eq!(
        refused(&[Load {
            start: u64::MAX - 1,
            ..CODE
        }]),
        ElfError::Range(u64::MAX - 1)
    );
    assert_eq!(
        refused(&[Load {
            len: u64::MAX,
            ..CODE
        }]),
        ElfError::Range(0x40_0000)
    );
    assert_eq!(
        refused(&[Load {
            in_file: 0x11,
            ..CODE
        }]),
        ElfError::Range(0x40_0000)
    );
    assert_eq!(
        refused(&[Load {
            offset: 0x1011,
            ..CODE
        }]),
        ElfError::Truncated
    );
    assert_eq!(
        refused(&[Load {
            offset: u64::MAX,
            ..CODE
        }]),
        ElfError::Truncated
    );
    assert_eq!(refused(&[Load { flags: 4, ..CODE }]), ElfError::Entry(0x40_0004));
    assert_eq!(
        refused(&[Load { in_file: 4, ..CODE }]),
        ElfError::Entry(0x40_0004),
        "zeros are no code"
    );
    assert_eq!(refused(&[DATA]), ElfError::Entry(0x40_0004));
    assert_eq!(refused(&[]), ElfError::Empty);
    assert_eq!(
        refused(&[Load {
            len: 0,
            in_file: 0,
            ..CODE
        }]),
        ElfError::Empty
    );
}

#[test]
fn unfit_files_are_refused() {
    let parse = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = elf(1, &[CODE, DATA]);
        change(&mut file);
        Program::parse(&file, MACHINE, BASE).map(|program| program.entry - BASE)
    };
    assert_eq!(parse(&|_| ()), Ok(0x40_0004));
    assert_eq!(parse(&|file| file[0] = 0), Err(ElfError::NotElf));
    assert_eq!(parse(&|file| file[4] = 1), Err(ElfError::NotElf));
    assert_eq!(parse(&|file| file[5] = 2), Err(ElfError::NotElf));
    assert_eq!(parse(&|file| file[16] = 2), Err(ElfError::Fixed));
    assert_eq!(parse(&|file| file[18] = 62), Err(ElfError::Machine(62)));
    assert_eq!(parse(&|file| file[54] = 57), Err(ElfError::Headers));
    assert_eq!(parse(&|file| file[56] = 33), Err(ElfError::Headers));
    assert_eq!(parse(&|file| file[32..40].fill(0xff)), Err(ElfError::Truncated));
    assert_eq!(parse(&|file| file.truncate(60)), Err(ElfError::Truncated));
    assert_eq!(parse(&|file| file.truncate(100)), Err(ElfError::Truncated));
    let with_kind = |kind, flags| {
        let file = elf(kind, &[Load { flags, ..DATA }, CODE]);
        Program::parse(&file, MACHINE, BASE).map(|program| program.segments.len())
    };
    assert_eq!(
        with_kind(2, 6),
        Err(ElfError::Dynamic(u64::from_le_bytes(core::array::from_fn(
            |at| 0x11 + at as u8
        ))))
    );
    assert_eq!(with_kind(3, 4), Err(ElfError::Interpreter));
    assert_eq!(
        with_kind(0x6474_e551, 7),
        Err(ElfError::WriteExecute(0x40_1010)),
        "executable stack"
    );
    assert_eq!(with_kind(0x6474_e551, 6), Ok(1), "ordinary stack");
    assert_eq!(with_kind(4, 4), Ok(1), "note");
}

/// What holds for every program that is read, wherever its bytes come from: it lies in its image, no two segments share a
/// page, and what its pages are filled with differs from the file's bytes in no more words than it has relocations.
fn sound(program: &Program<'_>) -> Result<(), TestCaseError> {
    let holds = |segment: &Segment<'_>| {
        BASE <= segment.start
            && segment.start + segment.len <= BASE + MAX_IMAGE
            && segment.data.len() as u64 <= segment.len
    };
    prop_assert!(program.segments.iter().all(holds));
    prop_assert!(
        program
            .segments
            .windows(2)
            .all(|pair| pair[0].end_page() <= pair[1].first_page())
    );
    let mut changed = 0;
    for segment in &program.segments {
        let last = segment.end_page() - PAGE_SIZE;
        let mut pages = vec![segment.first_page(), last];
        pages.dedup();
        for page in pages {
            let mut bytes = [0; PAGE_SIZE as usize];
            program.fill(segment, page, &mut bytes);
            for (word, at) in bytes.chunks_exact(8).zip((page..).step_by(8)) {
                let plain = (at..at + 8).map(|at| {
                    let offset = at.checked_sub(segment.start);
                    offset
                        .and_then(|offset| segment.data.get(offset as usize))
                        .copied()
                        .unwrap_or(0)
                });
                changed += usize::from(!plain.eq(word.iter().copied()));
            }
        }
    }
    prop_assert!(changed <= program.relocations());
    Ok(())
}

proptest! {
    #[test]
    fn no_bytes_make_the_archive_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        for file in Archive::new(&bytes).flatten() {
            prop_assert!(file.data.len() <= bytes.len());
        }
    }

    #[test]
    fn no_damage_makes_the_archive_reader_panic(
        damage in prop::collection::vec((0..3072_usize, any::<u8>()), 1..8),
        fix_checksum: bool,
    ) {
        let mut bytes = archive(&[entry("init", b'0', &[1; 700]), entry("b", b'0', b"")]);
        for (at, byte) in damage {
            bytes[at] = byte;
        }
        if fix_checksum {
            set_checksum(&mut bytes);
        }
        let _result = Archive::new(&bytes).check();
    }

    #[test]
    fn archives_read_back(files in prop::collection::btree_map("[a-z]{1,20}", prop::collection::vec(any::<u8>(), 0..1500), 0..6)) {
        let entries: Vec<Vec<u8>> = files.iter().map(|(name, data)| entry(name, b'0', data)).collect();
        let bytes = archive(&entries);
        prop_assert_eq!(Archive::new(&bytes).check(), Ok(files.len()));
        for (name, data) in &files {
            prop_assert_eq!(Archive::new(&bytes).find(name).unwrap().data, &data[..]);
        }
    }

    #[test]
    fn no_bytes_make_the_program_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), is_elf: bool) {
        let mut bytes = bytes;
        if is_elf {
            bytes.splice(..7.min(bytes.len()), *b"\x7fELF\x02\x01\x01");
        }
        if let Ok(program) = Program::parse(&bytes, MACHINE, BASE) {
            sound(&program)?;
        }
    }

    #[test]
    fn no_damage_makes_an_unsound_program(
        damage in prop::collection::vec((16..64 + 2 * 56_usize, any::<u8>()), 1..6),
        longs in prop::collection::vec((0..14_usize, any::<u64>()), 0..2),
    ) {
        let mut file = elf(1, &[CODE, DATA]);
        for (at, byte) in damage {
            file[at] = byte;
        }
        for (field, value) in longs {
            file[64 + field * 8..][..8].copy_from_slice(&value.to_le_bytes());
        }
        if let Ok(program) = Program::parse(&file, MACHINE, BASE) {
            sound(&program)?;
        }
    }

    #[test]
    fn no_damage_makes_unsound_relocations(
        damage in prop::collection::vec((0x2800..0x3000_usize, any::<u8>()), 0..6),
        headers in prop::collection::vec((64..64 + 3 * 56_usize, any::<u8>()), 0..2),
        places in prop::collection::vec((0x200..0xa10_u64, 0..0x6000_u64), 0..20),
        longs in prop::collection::vec((0..14_usize, prop_oneof![any::<u64>(), 0..0x4000_u64]), 0..2),
    ) {
        let mut relocations: Vec<_> = places.into_iter().map(|(place, sum)| (place * 8, 3, sum)).collect();
        relocations.sort_unstable();
        let mut file = relocated(&table(relocations.len() as u64), &relocations);
        for (at, byte) in damage.into_iter().chain(headers) {
            file[at] = byte;
        }
        for (field, value) in longs {
            file[0x2800 + field * 8..][..8].copy_from_slice(&value.to_le_bytes());
        }
        if let Ok(program) = Program::parse(&file, MACHINE, BASE) {
            sound(&program)?;
        }
    }
}
