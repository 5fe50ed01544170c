//! Hyper-V's and Azure's format.

use crate::fixture::{agrees, corner_cases, ids, random_disks, raw, time, world};
use vrel_pack::vhd::{Options, write};

#[test]
fn qemu_reads_back_what_was_written_at_its_exact_size() {
    let dir = tempfile::tempdir().unwrap();
    for (size, data) in corner_cases() {
        let disk = agrees(dir.path(), "vpc", size, &data, &|raw, out| {
            write(&world(), raw, out, &Options {}, &ids(), time())
        });
        assert_eq!(std::fs::metadata(disk).unwrap().len(), size + 512);
    }
}

#[test]
fn qemu_reads_back_random_disks() {
    let dir = tempfile::tempdir().unwrap();
    random_disks(1 << 20, |size, data| {
        agrees(dir.path(), "vpc", size, data, &|raw, out| {
            write(&world(), raw, out, &Options {}, &ids(), time())
        });
    });
}

#[test]
fn the_footer_is_qemu_s_but_for_identifier_time_and_sum() {
    let dir = tempfile::tempdir().unwrap();
    for size in [1 << 20, 10 << 20, 1 << 30] {
        let disk = agrees(dir.path(), "vpc", size, &[], &|raw, out| {
            write(&world(), raw, out, &Options {}, &ids(), time())
        });
        let theirs = dir.path().join("theirs");
        let options = "subformat=fixed,force_size=on";
        crate::fixture::run(
            "qemu-img",
            [
                "create",
                "-q",
                "-f",
                "vpc",
                "-o",
                options,
                theirs.to_str().unwrap(),
                &size.to_string(),
            ],
        );
        let footer = |path: &std::path::Path| {
            use std::io::{Read, Seek, SeekFrom};
            let mut file = std::fs::File::open(path).unwrap();
            file.seek(SeekFrom::End(-512)).unwrap();
            let mut footer = [0; 512];
            file.read_exact(&mut footer).unwrap();
            footer
        };
        let (mut ours, mut theirs) = (footer(&disk), footer(&theirs));
        assert_eq!(ours[68..84], *ids().uuid("vhd").as_bytes());
        // Time and version of the creator, geometry (QEMU writes the largest there), sum and identifier.
        for range in [24..28, 32..36, 56..60, 64..84] {
            ours[range.clone()].fill(0);
            theirs[range].fill(0);
        }
        assert_eq!(ours, theirs, "{size}");
    }
}

#[test]
fn sizes_that_azure_does_not_take_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("raw");
    raw(&path, (1 << 20) + 512, &[]);
    let error = write(
        &world(),
        &path,
        &dir.path().join("out"),
        &Options {},
        &ids(),
        time(),
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("expected a size of whole 1 MiB"),
        "{error}"
    );
}
