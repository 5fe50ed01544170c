//! QEMU's format.

use crate::fixture::{agrees, corner_cases, odd_sizes, random_disks, raw, run, world};
use serde_json::Value;
use vrel_pack::qcow2::{Options, write};

const BOTH: [Options; 2] = [Options { compress: false }, Options { compress: true }];

#[test]
fn qemu_reads_back_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    for options in BOTH {
        for (size, data) in corner_cases().into_iter().chain(odd_sizes()) {
            agrees(dir.path(), "qcow2", size, &data, &|raw, out| {
                write(&world(), raw, out, &options)
            });
        }
    }
}

#[test]
fn qemu_reads_back_random_disks() {
    let dir = tempfile::tempdir().unwrap();
    for options in BOTH {
        random_disks(512, |size, data| {
            agrees(dir.path(), "qcow2", size, data, &|raw, out| {
                write(&world(), raw, out, &options)
            });
        });
    }
}

#[test]
fn it_is_version_3_and_compression_makes_it_smaller() {
    let dir = tempfile::tempdir().unwrap();
    let data = [(1 << 20, 4 << 20, 7)];
    let [plain, compressed] = BOTH.map(|options| {
        let disk = agrees(dir.path(), "qcow2", 8 << 20, &data, &|raw, out| {
            write(&world(), raw, out, &options)
        });
        let info = run("qemu-img", ["info", "--output=json", disk.to_str().unwrap()]);
        let info: Value = serde_json::from_str(&info).unwrap();
        let specific = &info["format-specific"]["data"];
        assert_eq!(
            (&specific["compat"], &specific["corrupt"]),
            (&"1.1".into(), &false.into())
        );
        std::fs::metadata(disk).unwrap().len()
    });
    assert!(plain < 5 << 20, "{plain}");
    assert!(compressed < plain * 7 / 10, "{compressed} of {plain}");
}

#[test]
fn qemu_can_write_into_it_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let data = [(0, 300_000, 1)];
    for options in BOTH {
        let disk = agrees(dir.path(), "qcow2", 2 << 20, &data, &|raw, out| {
            write(&world(), raw, out, &options)
        });
        // Into a used cluster and into an unused one.
        let disk = disk.to_str().unwrap();
        run(
            "qemu-io",
            [
                "-f",
                "qcow2",
                "-c",
                "write -P 7 0 4096",
                "-c",
                "write -P 8 1M 4096",
                disk,
            ],
        );
        run(
            "qemu-io",
            [
                "-f",
                "qcow2",
                "-c",
                "read -P 7 0 4096",
                "-c",
                "read -P 8 1M 4096",
                disk,
            ],
        );
        let text = run("qemu-img", ["check", disk]);
        assert!(text.contains("No errors were found"), "{text}");
    }
}

#[test]
fn half_a_sector_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("raw");
    raw(&path, 1000, &[]);
    let error = write(&world(), &path, &dir.path().join("out"), &BOTH[0]).unwrap_err();
    assert!(error.to_string().contains("for qcow2, got 1000 bytes"), "{error}");
    assert!(!dir.path().join("out").exists());
}
