//! Memory, in a program of its own: the peak is that of the whole process.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use vrel_model::{Arch, UtcTime};
use vrel_pack::{Ids, disk, gcp, ova, qcow2, vdi, vhd, vmdk};
use vrel_world::RealWorld;

/// What every packer may use in all, in KiB: far less than the data of the disk below.
const LIMIT: u64 = 32 << 10;

/// The most memory that this process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A partition of 4 GiB with 64 MiB that hardly compress, all over it.
fn partition(path: &Path) {
    let mut file = File::create(path).unwrap();
    file.set_len(4 << 30).unwrap();
    let mut state = 1u32;
    let mut piece = vec![0; 1 << 20];
    for number in 0..64 {
        for byte in &mut piece {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            *byte = (state >> 24) as u8;
        }
        file.seek(SeekFrom::Start(number * (60 << 20))).unwrap();
        file.write_all(&piece).unwrap();
    }
}

#[test]
fn no_format_holds_a_disk_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let world = RealWorld::default();
    let path = |name: &str| dir.path().join(name);
    let ids = Ids::new("veridianos", "0.6.0-rc1", Arch::X86_64);
    let time = UtcTime::from_unix(1_700_000_000).unwrap();
    let package = ova::Package {
        name: "veridianos",
        product: "VeridianOS",
        version: "0.6.0-rc1",
        arch: Arch::X86_64,
    };
    let (esp, raw, out) = (path("esp"), path("raw"), path("out"));
    partition(&esp);
    let before = peak();
    assert!(before < LIMIT / 2, "{before} KiB before anything was packed");
    let options = serde_json::from_str(r#"{ "size": "5 GiB" }"#).unwrap();
    disk::write_file(&world, &raw, &esp, &options, &ids).unwrap();
    let packed = |format: &str| {
        assert!(std::fs::metadata(&out).unwrap().len() > 64 << 20, "{format}");
        let peak = peak();
        assert!(peak < LIMIT, "{format}: {peak} KiB");
    };
    qcow2::write(&world, &raw, &out, &qcow2::Options { compress: true }).unwrap();
    packed("qcow2");
    vdi::write(&world, &raw, &out, &vdi::Options {}, &ids).unwrap();
    packed("vdi");
    vhd::write(&world, &raw, &out, &vhd::Options {}, &ids, time).unwrap();
    packed("vhd");
    vmdk::write(&world, &raw, &out, &vmdk::Options {}, "disk.vmdk", &ids).unwrap();
    packed("vmdk");
    gcp::write(&world, &raw, &out, time).unwrap();
    packed("gcp");
    gcp::unpack(&world, &out, &path("unpacked")).unwrap();
    packed("gcp, unpacking");
    ova::write(&world, &raw, &out, &ova::Options::default(), &package, &ids, time).unwrap();
    packed("ova");
    ova::unpack(&world, &out, &path("machine")).unwrap();
    packed("ova, unpacking");
}
