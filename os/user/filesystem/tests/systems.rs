//! The file systems: archives of GNU tar, devices, processes, quotas, and how they make one tree.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use common::{ROOMY, error, over, ram};
use filesystem::{
    BadArchive, DevFs, Entropy, Error, Facts, Flags, Kind, Memory, MountError, Outcome, ProcFs, Process,
    Quota, RamFs, Request, TarFs, Uptime,
};
use proptest::prelude::*;

/// Archives a directory with these files by the system's tar; `None` where there is no GNU tar.
fn archive(files: &BTreeMap<String, Vec<u8>>) -> Option<Vec<u8>> {
    let version = Command::new("tar").arg("--version").output().ok()?;
    if !String::from_utf8_lossy(&version.stdout).contains("GNU tar") {
        return None;
    }
    let root = std::env::temp_dir().join(format!("veridian-tar-{}-{:p}", std::process::id(), files));
    for (name, data) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, data).unwrap();
    }
    fs::create_dir_all(&root).unwrap();
    let tar = Command::new("tar")
        .args(["--format=ustar", "--create", "--directory"])
        .arg(&root)
        .arg(".")
        .output();
    fs::remove_dir_all(&root).unwrap();
    let tar = tar.unwrap();
    assert!(tar.status.success(), "{}", String::from_utf8_lossy(&tar.stderr));
    Some(tar.stdout)
}

fn tree() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
    let path = prop::collection::vec("[a-c]", 1..4).prop_map(|names| names.join("/"));
    let data = (any::<u8>(), 0..2000usize).prop_map(|(byte, len)| vec![byte; len]);
    prop::collection::btree_map(path, data, 0..8).prop_map(|tree| {
        let names: Vec<String> = tree.keys().cloned().collect();
        let is_file = |name: &String| !names.iter().any(|other| other.starts_with(&format!("{name}/")));
        tree.into_iter().filter(|(name, _)| is_file(name)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_gnu_tar_packs_is_there(files in tree()) {
        let Some(bytes) = archive(&files) else { return Ok(()) };
        let mut fs = over(TarFs::new(&bytes).unwrap());
        for (name, data) in &files {
            prop_assert_eq!(&fs.get(name).unwrap(), data);
            prop_assert_eq!(fs.stat(name).unwrap().len, data.len() as u64);
            let (directory, last) = name.rsplit_once('/').unwrap_or(("/", name));
            prop_assert!(fs.list(directory).unwrap().contains(&last.to_string()));
        }
        let top: std::collections::BTreeSet<_> = files.keys().map(|name| name.split('/').next().unwrap().to_string()).collect();
        prop_assert_eq!(fs.list("/").unwrap(), top.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn no_bytes_make_an_archive_panic(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let _ = TarFs::new(&bytes);
    }
}

/// An archive with one empty file for each name.
fn names(names: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in names {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(b"00000000000\0");
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

#[test]
fn archives_with_names_that_do_not_fit_together_are_refused() {
    assert_eq!(TarFs::new(&names(&["a", "b/a", "b/c"])).err(), None);
    assert_eq!(
        TarFs::new(&names(&["a", "a"])).err(),
        Some(BadArchive::Conflict("a"))
    );
    assert_eq!(
        TarFs::new(&names(&["a", "a/b"])).err(),
        Some(BadArchive::Conflict("a/b"))
    );
    assert_eq!(
        TarFs::new(&names(&["a/b", "a"])).err(),
        Some(BadArchive::Conflict("a"))
    );
    for name in ["a/../b", "a//b", "a/./b", "..", "a/"] {
        assert_eq!(TarFs::new(&names(&[name])).err(), Some(BadArchive::Name(name)));
    }
    assert!(matches!(TarFs::new(b"short").err(), Some(BadArchive::Archive(_))));
}

#[test]
fn archives_cannot_be_changed() {
    let bytes = names(&["d/f"]);
    let mut fs = over(TarFs::new(&bytes).unwrap());
    let read_only = [
        fs.mkdir("d/new"),
        fs.unlink("d/f"),
        fs.rmdir("d"),
        fs.rename("d/f", "d/g"),
        fs.put("d/new", b"x"),
        fs.put("d/f", b"x"),
    ];
    assert_eq!(read_only.map(error), [Error::ReadOnly; 6]);
    assert_eq!(error(fs.stat("d/f/x")), Error::NotDirectory);
    assert_eq!(error(fs.get("d")), Error::IsDirectory);
}

struct Counter(u8);

impl Entropy for Counter {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 += 1;
            *byte = self.0;
        }
    }
}

#[test]
fn devices_do_what_their_names_say() {
    let mut fs = over(DevFs::new(3, None));
    assert_eq!(fs.list("/").unwrap(), ["console", "null", "zero"]);
    assert_eq!(error(fs.stat("random")), Error::NotFound);
    let both = Flags::READ | Flags::WRITE | Flags::TRUNCATE | Flags::CREATE;
    let null = fs.open("null", both).unwrap();
    assert_eq!(fs.write(null, b"gone").unwrap(), 4);
    assert_eq!(fs.read(null, 10).unwrap(), b"");
    let zero = fs.open("zero", both).unwrap();
    assert_eq!(fs.read(zero, 5).unwrap(), [0; 5]);
    let console = fs.open("console", both).unwrap();
    let stat = fs.fstat(console).unwrap();
    assert_eq!((stat.kind, stat.device), (Kind::Device, 3));
    for request in [
        Request::Read {
            handle: console,
            len: 1,
        },
        Request::Write {
            handle: console,
            len: 1,
        },
    ] {
        assert_eq!(fs.ask(request, &mut [0]), Outcome::Redirect { device: 3 });
    }
    assert_eq!(error(fs.mkdir("new")), Error::ReadOnly);

    let mut fs = over(DevFs::new(3, Some(Box::new(Counter(0)))));
    assert_eq!(fs.list("/").unwrap(), ["console", "null", "random", "zero"]);
    let random = fs.open("random", Flags::READ).unwrap();
    assert_eq!(fs.read(random, 3).unwrap(), [1, 2, 3]);
}

struct Still;

impl Facts for Still {
    fn memory(&self) -> Memory {
        Memory {
            total: 64 << 20,
            free: Some(1 << 20),
        }
    }
    fn processors(&self) -> Vec<String> {
        vec!["first".into(), "second".into()]
    }
    fn uptime(&self) -> Uptime {
        Uptime {
            up: 61_250_000_000,
            idle: 7_000_000,
        }
    }
    fn version(&self) -> String {
        "VeridianOS 1".into()
    }
    fn next_process(&self, from: u32) -> filesystem::Result<Option<u32>> {
        Ok([1, 5, u32::MAX].into_iter().find(|&number| number >= from))
    }
    fn process(&self, number: u32) -> filesystem::Result<Option<Process>> {
        Ok((number == 5).then(|| Process {
            name: "cat".into(),
            state: "running",
            parent: 1,
            group: 5,
            memory: 8192,
            arguments: vec!["cat".into(), "a b".into()],
        }))
    }
}

#[test]
fn the_system_shows_itself_as_files() {
    let mut fs = over(ProcFs::new(Box::new(Still)));
    assert_eq!(
        fs.list("/").unwrap(),
        ["1", "4294967295", "5", "cpuinfo", "meminfo", "uptime", "version"]
    );
    let mut text = |path: &str| fs.get(path).map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(
        text("meminfo").unwrap(),
        "MemTotal:        65536 kB\nMemFree:          1024 kB\n"
    );
    assert_eq!(text("uptime").unwrap(), "61.25 0.00\n");
    assert_eq!(text("version").unwrap(), "VeridianOS 1\n");
    assert_eq!(
        text("cpuinfo").unwrap(),
        "processor\t: 0\nmodel name\t: first\n\nprocessor\t: 1\nmodel name\t: second\n\n"
    );
    assert_eq!(text("5/cmdline").unwrap(), "cat\0a b\0");
    assert_eq!(
        text("5/status").unwrap(),
        "Name:\tcat\nState:\trunning\nPid:\t5\nPPid:\t1\nGroup:\t5\nVmSize:\t8 kB\n"
    );
    // Process 1 has gone between the listing and the reading.
    assert_eq!(text("1/status").unwrap_err(), Error::NotFound);
    for path in ["6", "05", "+5", "0", "4294967296", "5/x"] {
        assert_eq!(text(path).unwrap_err(), Error::NotFound, "{path}");
    }
    assert_eq!(fs.list("5").unwrap(), ["cmdline", "status"]);
}

#[test]
fn file_systems_make_one_tree() {
    let mut fs = ram();
    for directory in ["dev", "mnt", "mnt/under"] {
        fs.mkdir(directory).unwrap();
    }
    fs.put("file", b"x").unwrap();
    let device = || Box::new(DevFs::new(1, None));
    assert_eq!(
        fs.server.mount("/file", device()),
        Err(MountError::Path(Error::NotDirectory))
    );
    assert_eq!(
        fs.server.mount("/no", device()),
        Err(MountError::Path(Error::NotFound))
    );
    assert_eq!(fs.server.mount("/", device()), Err(MountError::Taken));
    fs.server.mount("/dev", device()).unwrap();
    assert_eq!(fs.server.mount("/dev", device()), Err(MountError::Taken));
    fs.server.mount("/mnt", Box::new(RamFs::new(ROOMY))).unwrap();
    // What was there before is hidden.
    assert_eq!(error(fs.stat("/mnt/under")), Error::NotFound);
    fs.mkdir("/mnt/new").unwrap();
    assert_eq!(fs.canonical("/mnt/new", "../../dev/./null").unwrap(), "/dev/null");
    assert_eq!(fs.get("/mnt/new/../../file").unwrap(), b"x");
    assert_eq!(error(fs.rename("/file", "/mnt/file")), Error::CrossDevice);
    assert_eq!(error(fs.rename("/mnt", "/other")), Error::Busy);
    assert_eq!(error(fs.rename("/mnt/new", "/mnt/new/x")), Error::IntoItself);
    assert_eq!(error(fs.rmdir("/dev")), Error::Busy);
    assert_eq!(error(fs.unlink("/dev")), Error::IsDirectory);
    assert_eq!(error(fs.mkdir("/dev")), Error::Exists);
    assert_eq!(error(fs.rmdir("/")), Error::Busy);
    assert_ne!(fs.stat("/mnt").unwrap().system, fs.stat("/").unwrap().system);
}

#[test]
fn quotas_hold_and_what_is_freed_can_be_used_again() {
    let mut fs = over(RamFs::new(Quota {
        bytes: 3 * 4096,
        nodes: 4,
    }));
    // A hole costs nothing.
    let sparse = fs
        .open("sparse", Flags::READ | Flags::WRITE | Flags::CREATE)
        .unwrap();
    fs.truncate(sparse, i64::MAX as u64).unwrap();
    assert_eq!(error(fs.truncate(sparse, 1 << 63)), Error::TooLarge);
    fs.seek(sparse, filesystem::Whence::End, 0).unwrap();
    assert_eq!(error(fs.write(sparse, b"x")), Error::TooLarge);
    fs.seek(sparse, filesystem::Whence::End, -1).unwrap();
    assert_eq!(fs.write(sparse, b"xy").unwrap(), 1);
    assert_eq!(fs.read_at(sparse, i64::MAX as u64 - 2, 9).unwrap(), b"\0x");
    // Three chunks in all: two are left, and of a third nothing is written.
    let full = fs.open("full", Flags::WRITE | Flags::CREATE).unwrap();
    assert_eq!(fs.write(full, &[1; 10_000]).unwrap(), 8192);
    assert_eq!(error(fs.write(full, &[1])), Error::NoSpace);
    // An open file keeps its chunks after its name is gone.
    fs.unlink("full").unwrap();
    assert_eq!(error(fs.put("third", b"x")), Error::NoSpace);
    fs.close(full).unwrap();
    fs.put("third", &[1; 8192]).unwrap();
    fs.mkdir("fourth").unwrap();
    assert_eq!(error(fs.mkdir("fifth")), Error::NoSpace);
}

#[test]
fn what_was_cut_off_does_not_come_back() {
    let mut fs = ram();
    fs.put("f", &[1; 10_000]).unwrap();
    let file = fs.open("f", Flags::READ | Flags::WRITE).unwrap();
    for len in [9000, 8192, 4095, 1, 0] {
        fs.truncate(file, len).unwrap();
        fs.truncate(file, 10_000).unwrap();
        let bytes = fs.get("f").unwrap();
        let (kept, new) = bytes.split_at(len as usize);
        assert!(
            kept.iter().all(|&byte| byte == 1) && new.iter().all(|&byte| byte == 0),
            "{len}"
        );
        fs.put("f", &[1; 10_000]).unwrap();
    }
}
