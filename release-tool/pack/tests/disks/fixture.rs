//! Raw disks to make others from, and QEMU's word on the result.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use vrel_model::{Arch, UtcTime};
use vrel_pack::{Ids, PackError};
use vrel_world::RealWorld;

pub(crate) fn world() -> RealWorld {
    RealWorld::default()
}

pub(crate) fn ids() -> Ids {
    Ids::new("veridianos", "0.6.0-rc1", Arch::X86_64)
}

pub(crate) fn time() -> UtcTime {
    UtcTime::from_unix(1_700_000_000).unwrap()
}

/// Runs a program, which must be satisfied, and returns what it printed.
pub(crate) fn run<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> String {
    let output = Command::new(program).args(args).env("LC_ALL", "C").output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program}: {}: {text}{errors}",
        output.status
    );
    text
}

/// A stretch of a disk: where it is, how long, and the seed of the noise in it.
pub(crate) type Stretch = (u64, usize, u32);

/// Bytes that look random and are never zero, of which every other 100 are the same, so that they compress to a half.
pub(crate) fn noise(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b1) | 1;
    (0..len)
        .map(|index| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            if (index / 100).is_multiple_of(2) {
                (state >> 24) as u8
            } else {
                0xa5
            }
        })
        .collect()
}

/// Makes a sparse file of `size` bytes with data at some places.
pub(crate) fn raw(path: &Path, size: u64, data: &[Stretch]) {
    let mut file = File::create(path).unwrap();
    file.set_len(size).unwrap();
    for &(position, len, seed) in data {
        let len = len.min(usize::try_from(size - position).unwrap());
        file.seek(SeekFrom::Start(position)).unwrap();
        file.write_all(&noise(len, seed)).unwrap();
    }
}

/// The sizes and contents that every format has to get right.
pub(crate) fn corner_cases() -> Vec<(u64, Vec<Stretch>)> {
    const MIB: u64 = 1 << 20;
    vec![
        (MIB, vec![]),
        (MIB, vec![(0, 1, 1), (MIB - 1, 1, 2)]),
        (MIB, vec![(0, 1 << 20, 3)]),
        // Data that ends and begins within clusters, grains and blocks.
        (
            10 * MIB,
            vec![(65_535, 2, 4), (3 * MIB - 1, 70_000, 5), (9 * MIB + 1, 5, 6)],
        ),
        // Every table begins anew with its first entry and ends with its last.
        (
            600 * MIB,
            vec![
                (32 * MIB - 512, 1024, 7),
                (512 * MIB - 1, 2, 8),
                (599 * MIB, 1 << 20, 9),
            ],
        ),
        // Beyond 4 GiB, the last bytes used.
        (
            4200 * MIB,
            vec![
                (0, 512, 10),
                (4096 * MIB - 3, 6, 11),
                (4200 * MIB - 70_000, 70_000, 12),
            ],
        ),
    ]
}

/// As [`corner_cases`], for formats that do not ask for whole MiB.
pub(crate) fn odd_sizes() -> Vec<(u64, Vec<Stretch>)> {
    vec![
        (512, vec![(3, 1, 1)]),
        (65_536 + 512, vec![(65_536, 512, 2)]),
        ((1 << 20) + 1536, vec![(0, 10, 3), ((1 << 20) + 1000, 536, 4)]),
        ((512 << 20) + 512, vec![((512 << 20) + 100, 100, 5)]),
    ]
}

/// Something that makes a disk of one format from a raw one.
pub(crate) type Make<'a> = &'a dyn Fn(&Path, &Path) -> Result<(), PackError>;

/// Makes the disk twice, and holds it to what QEMU says of it: no errors, the exact size, the same content. Returns its path.
pub(crate) fn agrees(dir: &Path, format: &str, size: u64, data: &[Stretch], make: Make<'_>) -> PathBuf {
    let (source, one, two) = (dir.join("disk.raw"), dir.join("one"), dir.join("two"));
    raw(&source, size, data);
    make(&source, &one).unwrap_or_else(|error| panic!("{error}"));
    make(&source, &two).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        same_bytes(&one, &two),
        "{format} of {size} bytes differs from one time to the next"
    );
    check(&one, format, size, &source);
    one
}

/// Whether two files are equal. QEMU, unlike `cmp`, does not read their holes.
pub(crate) fn same_bytes(one: &Path, two: &Path) -> bool {
    let len = |path: &Path| std::fs::metadata(path).unwrap().len();
    let mut compare = Command::new("qemu-img");
    compare
        .args(["compare", "-q", "-f", "raw", "-F", "raw"])
        .args([one, two]);
    len(one) == len(two) && compare.status().unwrap().success()
}

/// Holds a disk to what QEMU says of it.
pub(crate) fn check(disk: &Path, format: &str, size: u64, source: &Path) {
    if format != "vpc" && format != "raw" {
        let text = run("qemu-img", ["check", "-f", format, &disk.display().to_string()]);
        assert!(text.contains("No errors were found"), "{text}");
        assert!(!text.to_lowercase().contains("leak"), "{text}");
    }
    let info = run(
        "qemu-img",
        ["info", "--output=json", "-f", format, &disk.display().to_string()],
    );
    let info: Value = serde_json::from_str(&info).unwrap();
    assert_eq!(info["virtual-size"].as_u64(), Some(size), "{info}");
    assert_eq!(info["format"], format);
    let text = run(
        "qemu-img",
        [
            "compare",
            "-f",
            format,
            "-F",
            "raw",
            &disk.display().to_string(),
            &source.display().to_string(),
        ],
    );
    assert!(text.contains("Images are identical"), "{text}");
}

/// Random disks, the same ones each time: stretches of data anywhere within 3 MiB, of sizes around those that matter.
pub(crate) fn random_disks(unit: u64, mut test: impl FnMut(u64, &[Stretch])) {
    let sizes = (1..(3u64 << 20) / unit).prop_map(move |units| units * unit);
    let lengths = prop_oneof![
        1..600usize,
        4000..4200usize,
        65_000..66_000usize,
        100_000..1_200_000usize
    ];
    let disk = sizes.prop_flat_map(move |size| {
        let stretch = (0..size, lengths.clone(), any::<u32>());
        (Just(size), proptest::collection::vec(stretch, 0..6))
    });
    let config = Config {
        cases: 16,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let cases = std::cell::RefCell::new(&mut test);
    let outcome = runner.run(&disk, |(size, data)| {
        (cases.borrow_mut())(size, &data);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
