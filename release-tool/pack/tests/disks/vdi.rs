//! VirtualBox's format.

use crate::fixture::{agrees, corner_cases, ids, odd_sizes, random_disks, world};
use std::os::unix::fs::MetadataExt;
use vrel_pack::vdi::{Options, write};

#[test]
fn qemu_reads_back_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    for (size, data) in corner_cases().into_iter().chain(odd_sizes()) {
        let disk = agrees(dir.path(), "vdi", size, &data, &|raw, out| {
            write(&world(), raw, out, &Options {}, &ids())
        });
        // Blocks of 1 MiB are listed as a whole, but not stored as such.
        assert!(std::fs::metadata(disk).unwrap().blocks() * 512 < 3 << 20);
    }
}

#[test]
fn qemu_reads_back_random_disks() {
    let dir = tempfile::tempdir().unwrap();
    random_disks(512, |size, data| {
        agrees(dir.path(), "vdi", size, data, &|raw, out| {
            write(&world(), raw, out, &Options {}, &ids())
        });
    });
}

#[test]
fn the_header_is_what_virtualbox_expects() {
    let dir = tempfile::tempdir().unwrap();
    let disk = agrees(dir.path(), "vdi", 10 << 20, &[(0, 1, 1)], &|raw, out| {
        write(&world(), raw, out, &Options {}, &ids())
    });
    let bytes = std::fs::read(disk).unwrap();
    let u32 = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert!(bytes.starts_with(b"<<< Oracle VM VirtualBox Disk Image >>>\n\0"));
    // Signature, version 1.1, the header's length, growing.
    assert_eq!([64, 68, 72, 76].map(u32), [0xbeda_107f, 0x1_0001, 400, 1]);
    // Map, data, block size, blocks in all and in use.
    assert_eq!([340, 344, 376, 384, 388].map(u32), [512, 1 << 20, 1 << 20, 10, 1]);
    // The identifiers of the image and of its last change are there and differ; it is based on nothing.
    assert_eq!(bytes[392..408], ids().uuid("vdi").to_bytes_le());
    assert_ne!(bytes[392..408], bytes[408..424]);
    assert_eq!(bytes[424..456], [0; 32]);
}
