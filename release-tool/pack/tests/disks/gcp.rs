//! Google Cloud's archive.

use crate::fixture::{Stretch, noise, raw, run, same_bytes, time, world};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use vrel_pack::PackError;
use vrel_pack::gcp::{unpack, write};

const GIB: u64 = 1 << 30;

/// What tar makes of the disk.
fn by_tar(dir: &Path, extra: &[&str]) -> Vec<u8> {
    let archive = dir.join("tar.tar");
    let fixed = [
        "--format=oldgnu",
        "-S",
        "--mtime=@1700000000",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
    ];
    let mut args: Vec<&str> = fixed.to_vec();
    args.extend(["--mode=644", "--sort=name", "-C", dir.to_str().unwrap()]);
    args.extend(extra);
    args.extend(["-cf", archive.to_str().unwrap(), "disk.raw"]);
    run("tar", args);
    std::fs::read(archive).unwrap()
}

fn decompressed(archive: &Path) -> Vec<u8> {
    let mut tar = Vec::new();
    let file = std::fs::File::open(archive).unwrap();
    flate2::read::GzDecoder::new(file).read_to_end(&mut tar).unwrap();
    tar
}

fn packed(dir: &Path, size: u64, data: &[Stretch]) -> PathBuf {
    let source = dir.join("disk.raw");
    raw(&source, size, data);
    let [one, two] = ["one.tar.gz", "two.tar.gz"].map(|name| dir.join(name));
    write(&world(), &source, &one, time()).unwrap();
    write(&world(), &source, &two, time()).unwrap();
    assert!(same_bytes(&one, &two));
    one
}

/// Disks whose data fills whole pages, as file systems store them, and ends before the end.
fn cases() -> Vec<(u64, Vec<Stretch>)> {
    let parts = |count: u64, step: u64| (0..count).map(|n| (n * step, 4096, 4)).collect();
    vec![
        (GIB, vec![]),
        // As many parts as there is room for in the header with the last, empty one, and more; as many as in a block behind it.
        (GIB, parts(3, 8192)),
        (GIB, parts(4, 8192)),
        (GIB, parts(24, 1 << 20)),
        (GIB, parts(25, 12_288)),
        (GIB, parts(300, 1 << 20)),
        // Sizes and positions beyond the octal digits.
        (9 * GIB, vec![(0, 4096, 6), (9 * GIB - 8192, 4096, 7)]),
    ]
}

#[test]
fn the_archive_is_the_one_that_tar_makes() {
    let dir = tempfile::tempdir().unwrap();
    for (size, data) in cases() {
        let archive = packed(dir.path(), size, &data);
        assert!(
            decompressed(&archive) == by_tar(dir.path(), &[]),
            "{size} {data:?}"
        );
    }
}

#[test]
fn what_is_left_out_follows_from_the_content_not_from_how_it_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    // Sectors within pages, and the last one.
    let data = [(5000, 3, 1), (600_000, 100_000, 2), (GIB - 1, 1, 3)];
    let archive = packed(dir.path(), GIB, &data);
    assert!(decompressed(&archive) == by_tar(dir.path(), &["--hole-detection=raw"]));
}

#[test]
fn tar_and_we_unpack_the_same_disk_with_its_holes() {
    let dir = tempfile::tempdir().unwrap();
    for (size, data) in cases() {
        let archive = packed(dir.path(), size, &data);
        let (source, ours) = (dir.path().join("disk.raw"), dir.path().join("ours.raw"));
        let theirs = dir.path().join("theirs");
        std::fs::create_dir_all(&theirs).unwrap();
        run(
            "tar",
            ["-C", theirs.to_str().unwrap(), "-xzf", archive.to_str().unwrap()],
        );
        assert!(same_bytes(&source, &theirs.join("disk.raw")), "{size}");
        unpack(&world(), &archive, &ours).unwrap();
        assert!(same_bytes(&source, &ours), "{size}");
        assert!(std::fs::metadata(&ours).unwrap().blocks() * 512 < 16 << 20);
    }
}

#[test]
fn the_compressed_stream_says_nothing_of_when_and_where() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(packed(dir.path(), GIB, &[(0, 1 << 20, 1)])).unwrap();
    // Deflate, no fields, no time, default compression, unknown system.
    assert_eq!(bytes[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    assert!(bytes.len() < 700_000, "{}", bytes.len());
}

#[test]
fn disks_that_are_not_whole_gib_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("disk.raw");
    raw(&source, GIB + (1 << 20), &[]);
    let error = write(&world(), &source, &dir.path().join("out"), time()).unwrap_err();
    assert!(
        error.to_string().contains("whole 1 GiB up to 65536 GiB for gcp"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("size"));
}

fn refused(dir: &Path, tar: &[u8], why: &str) {
    let (archive, out) = (dir.join("bad.tar.gz"), dir.join("bad.raw"));
    let file = std::fs::File::create(&archive).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    gzip.write_all(tar).unwrap();
    gzip.finish().unwrap();
    let error = unpack(&world(), &archive, &out).unwrap_err();
    assert!(matches!(error, PackError::Package { .. }), "{error}");
    assert!(error.to_string().contains(why), "{error}");
    assert!(!out.exists());
}

#[test]
fn archives_of_something_else_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let archive = packed(dir.path(), GIB, &[(0, 100_000, 1)]);
    let good = decompressed(&archive);
    let dir = dir.path();
    refused(dir, &good[..good.len() / 2], "a whole archive");
    let end = 512 + 100_352;
    refused(dir, &good[..end], "to end after disk.raw");
    refused(
        dir,
        &[&good[..], &noise(1000, 1)].concat(),
        "to end after disk.raw",
    );
    refused(dir, &noise(10_240, 2), "GNU's old form");
    for name in ["../disk.raw", "disk.img"] {
        std::fs::write(dir.join("disk.raw"), "").unwrap();
        raw(&dir.join("disk.raw"), GIB, &[(0, 1, 1)]);
        let rename = format!("--transform=s,disk.raw,{name},");
        let tar = by_tar(dir, &["--hole-detection=raw", "-P", &rename]);
        refused(dir, &tar, &format!("expected disk.raw, found `{name}`"));
    }
    raw(&dir.join("disk.raw"), GIB / 2, &[(0, 1, 1)]);
    refused(dir, &by_tar(dir, &["--hole-detection=raw"]), "whole GiB");
    // Not compressed at all, and damaged in the middle.
    std::fs::write(&archive, &good).unwrap();
    assert!(matches!(
        unpack(&world(), &archive, &dir.join("x")),
        Err(PackError::Package { .. })
    ));
    let mut bytes = std::fs::read(packed(dir, GIB, &[(0, 1 << 20, 1)])).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&archive, &bytes).unwrap();
    assert!(matches!(
        unpack(&world(), &archive, &dir.join("x")),
        Err(PackError::Package { .. })
    ));
}
