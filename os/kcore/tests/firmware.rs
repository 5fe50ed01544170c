//! Device trees, ACPI tables and cause registers.

use abi::Fault;
use abi::layout::STACK_GUARD;
use kcore::acpi::{Gic, PhysicalMemory, SoftOff, Tables};
use kcore::cause::{self, Cause};
use kcore::fdt::{Fdt, FdtError, number};
use proptest::prelude::*;

/// Writes a device tree.
#[derive(Default)]
struct Tree {
    structure: Vec<u8>,
    strings: Vec<u8>,
}

impl Tree {
    fn word(&mut self, word: u32) {
        self.structure.extend(word.to_be_bytes());
    }

    fn pad(&mut self) {
        self.structure.resize(self.structure.len().next_multiple_of(4), 0);
    }

    fn node(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.word(1);
        self.structure.extend(name.as_bytes());
        self.structure.push(0);
        self.pad();
        inside(self);
        self.word(2);
    }

    fn property(&mut self, name: &str, value: &[u8]) {
        let at = self.strings.len() as u32;
        self.strings.extend(name.as_bytes());
        self.strings.push(0);
        self.word(3);
        self.word(value.len() as u32);
        self.word(at);
        self.structure.extend(value);
        self.pad();
    }

    fn cells(&mut self, name: &str, cells: &[u32]) {
        let value: Vec<u8> = cells.iter().flat_map(|cell| cell.to_be_bytes()).collect();
        self.property(name, &value);
    }

    fn finish(mut self) -> Vec<u8> {
        self.word(9);
        let reservations: Vec<u8> = [0x8000_0000_u64, 0x1000, 0, 0]
            .iter()
            .flat_map(|x| x.to_be_bytes())
            .collect();
        let structure = 40 + reservations.len();
        let strings = structure + self.structure.len();
        let len = strings + self.strings.len();
        let header = [
            0xd00d_feed,
            len,
            structure,
            strings,
            40,
            17,
            16,
            0,
            self.strings.len(),
            self.structure.len(),
        ];
        let mut bytes: Vec<u8> = header
            .iter()
            .flat_map(|&field| (field as u32).to_be_bytes())
            .collect();
        bytes.extend(reservations);
        bytes.extend(self.structure);
        bytes.extend(self.strings);
        bytes
    }
}

fn machine() -> Vec<u8> {
    let mut tree = Tree::default();
    tree.node("", |root| {
        root.cells("#address-cells", &[2]);
        root.cells("#size-cells", &[2]);
        root.node("memory@80000000", |node| {
            node.cells("reg", &[0, 0x8000_0000, 1, 0, 2, 0, 0, 0x1000])
        });
        root.node("chosen", |node| {
            node.cells("linux,initrd-start", &[0x8800_0000]);
            node.cells("linux,initrd-end", &[0, 0x8810_0000]);
        });
        root.node("soc", |soc| {
            soc.cells("#address-cells", &[1]);
            soc.cells("#size-cells", &[1]);
            soc.property("ranges", &[]);
            soc.node("serial@10000000", |node| {
                node.cells("reg", &[0x1000_0000, 0x100]);
                node.property("compatible", b"ns16550a\0other\0");
            });
            soc.node("serial@20000000", |node| {
                node.property("status", b"disabled\0");
                node.property("compatible", b"ns16550a\0");
            });
        });
        root.node("bus", |bus| {
            bus.cells("ranges", &[0, 1, 2]);
            bus.node("behind", |node| node.cells("reg", &[0, 1, 0, 2]));
        });
    });
    tree.finish()
}

#[test]
fn a_device_tree_is_walked() {
    let bytes = machine();
    let tree = Fdt::new(&bytes).unwrap();
    let mut seen = Vec::new();
    tree.walk(|node, parents| {
        let path: Vec<&str> = parents.iter().chain([node]).map(|node| node.name).collect();
        seen.push((
            path.join("/"),
            node.physical,
            node.enabled,
            node.ranges().collect::<Vec<_>>(),
        ));
        assert_eq!(node.depth, parents.len());
        match node.name {
            "serial@10000000" => {
                assert!(node.is_compatible("ns16550a") && node.is_compatible("other"));
                assert!(!node.is_compatible("ns16550"));
            }
            "chosen" => {
                let value = |name| node.property(&tree, name).and_then(number);
                assert_eq!(value("linux,initrd-start"), Some(0x8800_0000));
                assert_eq!(value("linux,initrd-end"), Some(0x8810_0000));
                assert_eq!(value("no such"), None);
            }
            _ => {}
        }
    })
    .unwrap();
    let memory = vec![(0x8000_0000, 0x1_0000_0000), (0x2_0000_0000, 0x1000)];
    let expected = [
        ("", true, true, vec![]),
        ("/memory@80000000", true, true, memory),
        ("/chosen", true, true, vec![]),
        ("/soc", true, true, vec![]),
        ("/soc/serial@10000000", true, true, vec![(0x1000_0000, 0x100)]),
        ("/soc/serial@20000000", true, false, vec![]),
        ("/bus", true, true, vec![]),
        ("/bus/behind", false, true, vec![]),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(path, p, e, ranges)| (path.to_string(), p, e, ranges))
        .collect();
    assert_eq!(seen.len(), expected.len());
    for (seen, expected) in seen.iter().zip(&expected).take(7) {
        assert_eq!(seen, expected);
    }
    assert_eq!(
        (&seen[7].0, seen[7].1),
        (&expected[7].0, false),
        "another bus translates addresses"
    );
    assert_eq!(tree.reservations().collect::<Vec<_>>(), [(0x8000_0000, 0x1000)]);
}

#[test]
fn malformed_device_trees_are_refused() {
    let error = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = machine();
        change(&mut bytes);
        Fdt::new(&bytes)
            .and_then(|tree| tree.walk(|_, _| ()))
            .unwrap_err()
    };
    assert_eq!(error(&|bytes| bytes[0] = 0), FdtError::Magic);
    assert_eq!(error(&|bytes| bytes[27] = 18), FdtError::Version(18));
    assert!(matches!(
        error(&|bytes| bytes[7] = bytes[7].wrapping_sub(1)),
        FdtError::Truncated(_)
    ));
    assert!(matches!(
        error(&|bytes| bytes.truncate(200)),
        FdtError::Truncated(_)
    ));
    assert_eq!(error(&|bytes| bytes[72 + 3] = 7), FdtError::Token(72));
    assert_eq!(
        error(&|bytes| bytes[72 + 3] = 2),
        FdtError::Token(72),
        "the end of no node"
    );
    assert_eq!(
        error(&|bytes| bytes[36..40].copy_from_slice(&[0, 0, 0, 4])),
        FdtError::Name(76)
    );
    let mut deep = Tree::default();
    for _ in 0..17 {
        deep.word(1);
        deep.word(0);
    }
    let bytes = deep.finish();
    assert_eq!(Fdt::new(&bytes).unwrap().walk(|_, _| ()), Err(FdtError::Depth));
}

proptest! {
    #[test]
    fn no_damage_makes_the_device_tree_reader_panic(
        damage in prop::collection::vec((0..600_usize, any::<u8>()), 1..10),
        cut in 0..700_usize,
    ) {
        let mut bytes = machine();
        for (at, byte) in damage {
            if let Some(old) = bytes.get_mut(at) {
                *old = byte;
            }
        }
        bytes.truncate(cut);
        if let Ok(tree) = Fdt::new(&bytes) {
            let _walked = tree.walk(|node, _| {
                let _ranges = node.ranges().count();
                let _value = node.property(&tree, "reg");
            });
            let _reservations = tree.reservations().count();
        }
    }

    #[test]
    fn no_bytes_make_the_acpi_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), rsdp: u16) {
        let memory = Ram(bytes);
        if let Some(tables) = Tables::new(&memory, u64::from(rsdp)) {
            let _off = tables.soft_off();
        }
    }

    #[test]
    fn no_damage_makes_the_acpi_reader_panic(damage in prop::collection::vec((0..4096_usize, any::<u8>()), 1..6), fix: bool) {
        let mut memory = acpi(2);
        for (at, byte) in damage {
            if let Some(old) = memory.0.get_mut(at) {
                *old = byte;
            }
        }
        if fix {
            for at in [0x100, 0x200, 0x400, 0x600, 0x700] {
                checksum(&mut memory.0, at);
            }
        }
        if let Some(tables) = Tables::new(&memory, 0x20) {
            let _facts = (tables.soft_off(), tables.gic(), tables.pl011());
        }
    }

    #[test]
    fn every_cause_is_understood(number: u64, error: u64, address: u64, near in -70_000..70_000_i64) {
        let stack = address.saturating_add_signed(near);
        for cause in [
            cause::x86_64(number % 256, error, address),
            cause::aarch64(error, address),
            cause::riscv64(number, address),
        ] {
            let is_overflow = |cause| matches!(cause, Cause::Fault { fault: Fault::StackOverflow, .. });
            prop_assert!(!is_overflow(cause));
            if is_overflow(cause.with_stack(stack)) {
                prop_assert!((stack.saturating_sub(STACK_GUARD)..=stack | 0xfff).contains(&address));
            }
        }
    }
}

struct Ram(Vec<u8>);

impl PhysicalMemory for Ram {
    fn bytes(&self, start: u64, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(start).ok()?;
        self.0.get(start..start.checked_add(len)?)
    }
}

fn checksum(ram: &mut [u8], at: usize) {
    let len = u32::from_le_bytes(ram[at + 4..at + 8].try_into().unwrap()) as usize;
    if let Some(table) = ram.get_mut(at..at + len).filter(|table| table.len() > 9) {
        table[9] = 0;
        table[9] = table.iter().fold(0_u8, |sum, &byte| sum.wrapping_sub(byte));
    }
}

fn put(ram: &mut [u8], at: usize, bytes: &[u8]) {
    ram[at..at + bytes.len()].copy_from_slice(bytes);
}

fn table(ram: &mut [u8], at: usize, signature: &[u8; 4], len: u32, body: &[(usize, &[u8])]) {
    put(ram, at, signature);
    put(ram, at + 4, &len.to_le_bytes());
    for (offset, bytes) in body {
        put(ram, at + offset, bytes);
    }
    checksum(ram, at);
}

/// Tables as a machine has them: root pointer at 0x20, list at 0x100.
fn acpi(revision: u8) -> Ram {
    let mut ram = vec![0; 0x1000];
    put(&mut ram, 0x20, b"RSD PTR ");
    ram[0x2f] = revision;
    put(&mut ram, 0x30, &0x100_u32.to_le_bytes());
    if revision >= 2 {
        put(&mut ram, 0x38, &0x100_u64.to_le_bytes());
    }
    ram[0x28] = ram[0x20..0x34]
        .iter()
        .fold(0_u8, |sum, &byte| sum.wrapping_sub(byte));
    let entries = [0x200_u64, 0x600, 0x700];
    let list: Vec<u8> = if revision >= 2 {
        entries.iter().flat_map(|entry| entry.to_le_bytes()).collect()
    } else {
        entries
            .iter()
            .flat_map(|&entry| (entry as u32).to_le_bytes())
            .collect()
    };
    let signature = if revision >= 2 { b"XSDT" } else { b"RSDT" };
    table(&mut ram, 0x100, signature, 36 + list.len() as u32, &[(36, &list)]);
    let (dsdt, port) = (0x400_u32.to_le_bytes(), 0x604_u32.to_le_bytes());
    table(&mut ram, 0x200, b"FACP", 116, &[(40, &dsdt), (64, &port)]);
    let s5 = b"\x08_S5_\x12\x06\x04\x0a\x05\x0a\x05\0\0";
    table(&mut ram, 0x400, b"DSDT", 0x80, &[(50, s5)]);
    let distributor: Vec<u8> = [
        &[12, 24, 0, 0, 0, 0, 0, 0][..],
        &0x800_0000_u64.to_le_bytes(),
        &[0; 4],
        &[2, 0, 0, 0],
    ]
    .concat();
    let mut cpu = vec![0; 80];
    cpu[..2].copy_from_slice(&[11, 80]);
    cpu[32..40].copy_from_slice(&0x801_0000_u64.to_le_bytes());
    table(
        &mut ram,
        0x600,
        b"APIC",
        44 + 24 + 80,
        &[(44, &distributor), (68, &cpu)],
    );
    table(
        &mut ram,
        0x700,
        b"SPCR",
        80,
        &[(36, &[3]), (44, &0x900_0000_u64.to_le_bytes())],
    );
    Ram(ram)
}

#[test]
fn acpi_tables_are_read() {
    for revision in [0, 2] {
        let memory = acpi(revision);
        let tables = Tables::new(&memory, 0x20).unwrap();
        assert_eq!(
            tables.soft_off(),
            Some(SoftOff {
                port: 0x604,
                value: 5 << 10 | 1 << 13
            })
        );
        let gic = Gic {
            version: 2,
            distributor: 0x800_0000,
            cpu_interface: 0x801_0000,
        };
        assert_eq!(tables.gic(), Some(gic));
        assert_eq!(tables.pl011(), Some(0x900_0000));
        assert!(tables.find(b"HPET").is_none());
    }
}

#[test]
fn acpi_tables_with_a_wrong_checksum_are_not_there() {
    let mut memory = acpi(2);
    memory.0[0x210] ^= 1;
    assert_eq!(Tables::new(&memory, 0x20).unwrap().soft_off(), None);
    memory.0[0x110] ^= 1;
    assert!(Tables::new(&memory, 0x20).is_none());
    assert!(Tables::new(&acpi(2), 0x21).is_none());
    assert!(Tables::new(&acpi(2), 0).is_none());
}

#[test]
fn causes_have_their_meaning() {
    let at = |fault, address| Cause::Fault {
        fault,
        address: Some(address),
    };
    let plain = |fault| Cause::Fault { fault, address: None };
    let stack = 0x3e_2c7e_5000;
    let guard = stack - 8;

    assert_eq!(cause::x86_64(14, 4, 9), at(Fault::BadRead, 9));
    assert_eq!(cause::x86_64(14, 6, guard), at(Fault::BadWrite, guard));
    for (cause, address, fault) in [
        (6, guard, Fault::StackOverflow),
        (4, stack - STACK_GUARD, Fault::StackOverflow),
        (4, stack - STACK_GUARD - 1, Fault::BadRead),
        (6, stack + 0xfff, Fault::StackOverflow),
        (6, stack + 0x1000, Fault::BadWrite),
        (0x14, guard, Fault::BadJump),
    ] {
        assert_eq!(
            cause::x86_64(14, cause, address).with_stack(stack),
            at(fault, address)
        );
    }
    assert_eq!(cause::x86_64(6, 0, 9), plain(Fault::IllegalInstruction));
    assert_eq!(cause::x86_64(13, 0, 9), plain(Fault::Protection));
    assert_eq!(cause::x86_64(0, 0, 9), plain(Fault::Arithmetic));
    assert_eq!(cause::x86_64(8, 0, 9), at(Fault::Other, 9));
    assert_eq!(cause::x86_64(32, 0, 9), Cause::Interrupt);

    assert_eq!(cause::aarch64(0x15 << 26, 9), Cause::SystemCall);
    assert_eq!(cause::aarch64(0x24 << 26 | 0x07, 9), at(Fault::BadRead, 9));
    assert_eq!(
        cause::aarch64(0x24 << 26 | 0x47, guard).with_stack(stack),
        at(Fault::StackOverflow, guard)
    );
    assert_eq!(cause::aarch64(0x24 << 26 | 0x21, 9), at(Fault::Alignment, 9));
    assert_eq!(cause::aarch64(0x20 << 26 | 0x0f, 9), at(Fault::BadJump, 9));
    assert_eq!(cause::aarch64(0, 9), plain(Fault::IllegalInstruction));
    assert_eq!(cause::aarch64(0x18 << 26, 9), plain(Fault::IllegalInstruction));

    assert_eq!(cause::riscv64(8, 9), Cause::SystemCall);
    assert_eq!(cause::riscv64(13, 9), at(Fault::BadRead, 9));
    assert_eq!(
        cause::riscv64(15, guard).with_stack(stack),
        at(Fault::StackOverflow, guard)
    );
    assert_eq!(cause::riscv64(12, 9), at(Fault::BadJump, 9));
    assert_eq!(cause::riscv64(2, 9), plain(Fault::IllegalInstruction));
    assert_eq!(cause::riscv64(1 << 63 | 5, 9), Cause::Interrupt);
}
