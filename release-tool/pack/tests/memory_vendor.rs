//! Memory while crates are packed, in a program of its own: the peak is that of the whole process.

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;
use vrel_model::UtcTime;
use vrel_pack::Zstd;
use vrel_pack::vendor::{Packed, Vendor, write};
use vrel_world::RealWorld;

/// What may be used in all, in KiB: less than one of the crates below and the compressor take together.
const LIMIT: u64 = 160 << 10;

/// How many crates, of how many files, of how many bytes.
const CRATES: u32 = 1;
const FILES: u32 = 2;
const FILE: u64 = 44 << 20;

/// The most memory that this process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Bytes that compress to about a half, and are never the same for two seeds.
struct Noise {
    state: u32,
    left: u64,
}

impl Read for Noise {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.left).unwrap());
        for byte in &mut buffer[..count] {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 17;
            self.state ^= self.state << 5;
            *byte = b'a' + (self.state >> 28) as u8;
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// Writes what a registry would give out, and returns its part of the lock file.
fn make_crate(directory: &Path, number: u32) -> String {
    let name = format!("big-{number}");
    let path = directory.join(format!("{name}-1.0.0.crate"));
    let out = GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::fast());
    let mut builder = tar::Builder::new(out);
    for file in 0..FILES {
        let mut header = tar::Header::new_gnu();
        header.set_size(FILE);
        header.set_mode(0o644);
        let noise = Noise {
            state: 1 + number * FILES + file,
            left: FILE,
        };
        builder
            .append_data(&mut header, format!("{name}-1.0.0/src/{file}.txt"), noise)
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap();
    let mut hash = Sha256::new();
    let mut file = std::fs::File::open(&path).unwrap();
    let mut piece = vec![0; 64 << 10];
    loop {
        match file.read(&mut piece).unwrap() {
            0 => break,
            count => hash.update(&piece[..count]),
        }
    }
    let mut hex = String::new();
    for byte in hash.finalize() {
        write!(hex, "{byte:02x}").unwrap();
    }
    format!(
        "[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{hex}\"\n\n"
    )
}

#[test]
fn no_crate_is_held_in_memory_however_large() {
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("registry/cache/index");
    std::fs::create_dir_all(&cache).unwrap();
    let mut lock = "version = 4\n\n".to_owned();
    for number in 0..CRATES {
        lock.push_str(&make_crate(&cache, number));
    }
    let before = peak();
    assert!(before < LIMIT / 4, "{before} KiB before anything was packed");
    let out = home.path().join("vendor.tar.zst");
    let vendor = Vendor {
        prefix: "vendor-test",
        time: UtcTime::from_unix(1_700_000_000).unwrap(),
        // As releases are packed.
        zstd: Zstd {
            level: 12,
            window_log: None,
            workers: 2,
        },
        cargo_home: home.path(),
        locks: &[("Cargo.lock", &lock)],
    };
    let packed = write(&RealWorld::default(), &out, &vendor).unwrap();
    let (crates, files) = (CRATES as usize, (CRATES * (FILES + 1)) as usize);
    assert_eq!(packed, Packed { crates, files });
    assert!(std::fs::metadata(&out).unwrap().len() > u64::from(CRATES * FILES) * FILE / 4);
    let peak = peak();
    assert!(peak < LIMIT, "{peak} KiB");
}
