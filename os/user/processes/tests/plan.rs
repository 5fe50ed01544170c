//! Plans against the parser: every byte of every page is the one that the program should see.

use kcore::elf::Program;
use kcore::paging::Access;
use processes::{PlanError, plan};
use proptest::prelude::*;

const PAGE: u64 = 4096;

/// An ELF file with these segments: address, flags, bytes in the file, further zero bytes.
fn elf(segments: &[(u64, u32, Vec<u8>, u64)], entry: u64) -> Vec<u8> {
    let mut file = vec![0; 64 + 56 * segments.len()];
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    file[16..20].copy_from_slice(&[2, 0, 62, 0]);
    file[24..32].copy_from_slice(&entry.to_le_bytes());
    file[32..40].copy_from_slice(&64u64.to_le_bytes());
    file[54..56].copy_from_slice(&56u16.to_le_bytes());
    file[56..58].copy_from_slice(&(segments.len() as u16).to_le_bytes());
    for (index, (address, flags, data, zeros)) in segments.iter().enumerate() {
        let offset = file.len() as u64;
        let header = &mut file[64 + 56 * index..][..56];
        header[0..4].copy_from_slice(&1u32.to_le_bytes());
        header[4..8].copy_from_slice(&flags.to_le_bytes());
        let len = data.len() as u64;
        for (at, word) in [(8, offset), (16, *address), (32, len), (40, len + zeros)] {
            header[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        file.extend(data);
    }
    file
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_is_planned(
        parts in prop::collection::vec((0..5000u64, prop::collection::vec(1..=255u8, 0..9000), 0..9000u64, 0..3usize), 1..5),
    ) {
        let code = (0x10000, 5, vec![0x90; 10], 0);
        let mut segments = vec![code];
        let mut at = 0x20000;
        for (skip, data, zeros, access) in parts {
            at += skip;
            segments.push((at, [4, 5, 6][access], data.clone(), zeros));
            at = (at + data.len() as u64 + zeros).next_multiple_of(PAGE) + PAGE;
        }
        let file = elf(&segments, 0x10000);
        let plan = plan(&file, 62, 0).unwrap();
        prop_assert_eq!(plan.entry, 0x10000);
        segments.retain(|segment| !segment.2.is_empty() || segment.3 > 0);
        prop_assert_eq!(plan.segments.len(), segments.len());
        for ((address, flags, data, zeros), planned) in segments.iter().zip(&plan.segments) {
            let access = match flags { 4 => Access::ReadOnly, 5 => Access::ReadExecute, _ => Access::ReadWrite };
            prop_assert_eq!(planned.access, access);
            let mut memory = Vec::new();
            for (index, page) in planned.pages().enumerate() {
                prop_assert_eq!(page.address, planned.address + index as u64 * PAGE);
                let mut bytes = [0; PAGE as usize];
                let from = &file[page.file.clone()];
                bytes[page.skip..page.skip + from.len()].copy_from_slice(from);
                memory.extend(bytes);
            }
            let mut expected = vec![0; (address - planned.address) as usize];
            prop_assert!(expected.len() < PAGE as usize);
            expected.extend(data);
            expected.resize(expected.len() + *zeros as usize, 0);
            expected.resize(expected.len().next_multiple_of(PAGE as usize), 0);
            prop_assert!(memory == expected);
        }
        prop_assert_eq!(refusal(&file, 1 << 20), Some(PlanError::Fixed));
    }

    #[test]
    fn no_bytes_make_it_panic(mut file in prop::collection::vec(any::<u8>(), 64..400), base in any::<u64>()) {
        file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        prop_assert_eq!(plan(&file, 62, base).is_ok(), Program::parse(&file, 62).is_ok() && base == 0);
    }
}

fn refusal(file: &[u8], base: u64) -> Option<PlanError> {
    plan(file, 62, base).err()
}
