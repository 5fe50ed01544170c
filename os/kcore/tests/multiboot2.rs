//! Boot information of Multiboot2 boot loaders.

use bootinfo::{Framebuffer, MemoryKind, PhysRange};
use kcore::multiboot2::{Info, InfoError, MAX_LEN};
use proptest::prelude::*;

/// Writes boot information.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn tag(mut self, kind: u32, body: &[u8]) -> Self {
        self.0.resize(self.0.len().next_multiple_of(8), 0xee);
        self.0.extend(kind.to_le_bytes());
        self.0.extend((8 + body.len() as u32).to_le_bytes());
        self.0.extend(body);
        self
    }

    fn finish(self) -> Vec<u8> {
        let tags = self.tag(0, &[]).0;
        let mut info = (8 + tags.len() as u32).to_le_bytes().to_vec();
        info.extend([0; 4]);
        info.extend(tags);
        info
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn memory_map(entry: u32) -> Vec<u8> {
    let mut map = words(&[entry, 0]);
    for (start, len, kind) in [
        (0_u64, 0x9_fc00_u64, 1),
        (0x10_0000, 0x700_0000, 1),
        (0x800_0000, 0x1000, 3),
        (0xfee0_0000, 0x1000, 2),
    ] {
        let end = map.len() + entry as usize;
        map.extend(start.to_le_bytes());
        map.extend(len.to_le_bytes());
        map.extend(words(&[kind]));
        map.resize(end, 0);
    }
    map
}

fn screen(positions: [u8; 6], bits: u8) -> Vec<u8> {
    let mut tag = 0xfd00_0000_u64.to_le_bytes().to_vec();
    tag.extend(words(&[4096, 1000, 768]));
    tag.extend([bits, 1, 0, 0]);
    tag.extend(positions);
    tag
}

#[test]
fn a_complete_record_is_read() {
    let bytes = Writer::default()
        .tag(1, b"quiet\0")
        .tag(
            3,
            &[words(&[0x20_0000, 0x20_1234]), b"initrd\0".to_vec()].concat(),
        )
        .tag(6, &memory_map(24))
        .tag(8, &screen([16, 8, 8, 8, 0, 8], 32))
        .tag(14, b"old pointer")
        .tag(15, b"new pointer")
        .finish();
    let info = Info::new(&bytes).unwrap();
    let memory: Vec<_> = info.memory().unwrap().collect();
    assert_eq!(memory.len(), 4);
    assert_eq!(memory[1], (0x10_0000, 0x700_0000, MemoryKind::Usable));
    assert_eq!(memory[2].2, MemoryKind::AcpiReclaim);
    assert_eq!(memory[3].2, MemoryKind::Reserved);
    let module = PhysRange {
        start: 0x20_0000,
        len: 0x1234,
    };
    assert_eq!(info.module(), Ok(module));
    assert!(bytes[info.rsdp().unwrap()..].starts_with(b"new pointer"));
    let expected = Framebuffer {
        addr: 0xfd00_0000,
        len: 4096 * 768,
        width: 1000,
        height: 768,
        stride: 1024,
        format: 1,
    };
    assert_eq!(info.framebuffer(), expected);
}

#[test]
fn entries_of_a_later_version_may_be_longer() {
    let bytes = Writer::default().tag(6, &memory_map(32)).finish();
    assert_eq!(Info::new(&bytes).unwrap().memory().unwrap().count(), 4);
}

#[test]
fn what_is_absent_is_told_apart_from_what_is_wrong() {
    let bytes = Writer::default().tag(14, b"old").finish();
    let info = Info::new(&bytes).unwrap();
    assert_eq!(info.memory().err(), Some(InfoError::Missing(6)));
    assert_eq!(info.module(), Ok(PhysRange::default()));
    assert_eq!(info.framebuffer(), Framebuffer::default());
    assert!(bytes[info.rsdp().unwrap()..].starts_with(b"old"));

    let bytes = Writer::default()
        .tag(3, &words(&[2, 1]))
        .tag(6, &words(&[0, 0]))
        .finish();
    let info = Info::new(&bytes).unwrap();
    assert_eq!(info.module(), Err(InfoError::Malformed(3)));
    assert_eq!(info.memory().err(), Some(InfoError::Malformed(6)));
    assert_eq!(info.rsdp(), None);
}

#[test]
fn screens_in_other_formats_are_none() {
    for tag in [
        screen([16, 8, 8, 8, 0, 8], 24),
        screen([11, 5, 5, 6, 0, 5], 32),
        screen([0, 8, 8, 8, 16, 8], 32)[..20].to_vec(),
    ] {
        let bytes = Writer::default().tag(8, &tag).finish();
        assert_eq!(Info::new(&bytes).unwrap().framebuffer(), Framebuffer::default());
    }
}

#[test]
fn lengths_that_cannot_be_are_refused() {
    assert_eq!(Info::new(&[]).err(), Some(InfoError::Length(0)));
    assert_eq!(Info::new(&words(&[7, 0])).err(), Some(InfoError::Length(7)));
    let huge = MAX_LEN as u32 + 1;
    assert_eq!(Info::new(&words(&[huge, 0])).err(), Some(InfoError::Length(huge)));
    // No end tag, a tag shorter than its header, a tag that is longer than the rest.
    for (bytes, offset) in [
        (words(&[8, 0]), 8),
        (words(&[24, 0, 3, 7, 0, 8]), 8),
        (words(&[24, 0, 3, 32, 0, 8]), 8),
        (words(&[24, 0, 3, u32::MAX, 0, 8]), 8),
    ] {
        assert_eq!(Info::new(&bytes).err(), Some(InfoError::Tag(offset)));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 8..400), whole in any::<bool>()) {
        if whole {
            let len = bytes.len() as u32;
            bytes[..4].copy_from_slice(&len.to_le_bytes());
        }
        if let Ok(info) = Info::new(&bytes) {
            let _ = info.memory().map(Iterator::count);
            let _ = info.module();
            let _ = info.framebuffer();
            prop_assert!(info.rsdp().is_none_or(|offset| offset <= bytes.len()));
        }
    }

    #[test]
    fn arbitrary_tags_never_panic(tags in prop::collection::vec((0_u32..20, prop::collection::vec(any::<u8>(), 0..40)), 0..8)) {
        let writer = tags.iter().filter(|(kind, _)| *kind != 0).fold(Writer::default(), |writer, (kind, body)| writer.tag(*kind, body));
        let bytes = writer.finish();
        let info = Info::new(&bytes).unwrap();
        let _ = info.memory().map(Iterator::count);
        let _ = info.module();
        let _ = info.framebuffer();
        prop_assert!(info.rsdp().is_none_or(|offset| offset <= bytes.len()));
    }
}
