//! VMware's format.

use crate::fixture::{agrees, corner_cases, ids, odd_sizes, random_disks, raw, run, world};
use serde_json::Value;
use vrel_pack::vmdk::{Options, write};

#[test]
fn qemu_reads_back_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    for (size, data) in corner_cases().into_iter().chain(odd_sizes()) {
        agrees(dir.path(), "vmdk", size, &data, &|raw, out| {
            write(&world(), raw, out, &Options {}, "disk.vmdk", &ids())
        });
    }
}

#[test]
fn qemu_reads_back_random_disks() {
    let dir = tempfile::tempdir().unwrap();
    random_disks(512, |size, data| {
        agrees(dir.path(), "vmdk", size, data, &|raw, out| {
            write(&world(), raw, out, &Options {}, "disk.vmdk", &ids())
        });
    });
}

#[test]
fn it_is_stream_optimised_and_names_itself_whatever_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let disk = agrees(dir.path(), "vmdk", 10 << 20, &[(0, 100_000, 1)], &|raw, out| {
        write(&world(), raw, out, &Options {}, "veridianos.vmdk", &ids())
    });
    let info = run("qemu-img", ["info", "--output=json", disk.to_str().unwrap()]);
    let info: Value = serde_json::from_str(&info).unwrap();
    let specific = &info["format-specific"]["data"];
    assert_eq!(specific["create-type"], "streamOptimized");
    assert_eq!(specific["cid"], ids().number("vmdk") & 0x7fff_ffff);
    let extent = &specific["extents"][0];
    assert_eq!(
        (&extent["compressed"], &extent["cluster-size"]),
        (&true.into(), &65_536.into())
    );
    let bytes = std::fs::read(disk).unwrap();
    let descriptor = String::from_utf8_lossy(&bytes[512..2048]).into_owned();
    assert!(
        descriptor.contains("\nRW 20480 SPARSE \"veridianos.vmdk\"\n"),
        "{descriptor}"
    );
    assert!(
        descriptor.contains("\nddb.adapterType = \"lsilogic\"\n"),
        "{descriptor}"
    );
}

/// Follows the stream as a reader does that cannot go back: from marker to marker to the end.
#[test]
fn it_can_be_read_as_a_stream() {
    let dir = tempfile::tempdir().unwrap();
    let data = [(65_536, 100_000, 1), (40 << 20, 70_000, 2)];
    let disk = agrees(dir.path(), "vmdk", 64 << 20, &data, &|raw, out| {
        write(&world(), raw, out, &Options {}, "disk.vmdk", &ids())
    });
    let bytes = std::fs::read(disk).unwrap();
    let number = |at: usize, len: usize| {
        bytes[at..at + len]
            .iter()
            .rev()
            .fold(0, |n, &b| n << 8 | usize::from(b))
    };
    let (mut at, mut grains, mut markers) = (number(64, 8) * 512, Vec::new(), Vec::new());
    loop {
        let (value, size, kind) = (number(at, 8), number(at + 8, 4), number(at + 12, 4));
        if size > 0 {
            grains.push(value / 128);
            at += (12 + size).next_multiple_of(512);
        } else {
            markers.push(kind);
            at += 512 + value * 512;
            if kind == 0 {
                break;
            }
        }
    }
    assert_eq!(at, bytes.len());
    assert_eq!(grains, [1, 2, 640, 641]);
    // A table for each 32 MiB, the directory, the footer, the end.
    assert_eq!(markers, [1, 1, 2, 3, 0]);
}

#[test]
fn names_that_break_the_descriptor_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("raw");
    raw(&path, 1 << 20, &[]);
    for name in ["", "a\"b", "a\nb", "../disk.vmdk", &"n".repeat(300)] {
        let error = write(
            &world(),
            &path,
            &dir.path().join("out"),
            &Options {},
            name,
            &ids(),
        )
        .unwrap_err();
        assert!(error.to_string().contains("expected a file name"), "{error}");
    }
}
