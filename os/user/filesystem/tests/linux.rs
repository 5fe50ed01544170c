//! The same random operations here and on a real directory of Linux: same results, same errors, same tree at the end.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use common::{Fs, ram};
use filesystem::{Error, Flags, Handle, Kind, Whence};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Mkdir(String),
    Rmdir(String),
    Unlink(String),
    Rename(String, String),
    Open(String, u32),
    Close(usize),
    Read(usize, usize),
    Write(usize, Vec<u8>),
    Seek(usize, u8, i64),
    Truncate(usize, u64),
    Length(usize),
    Stat(String),
    List(String),
}

/// A path of up to four steps that never leaves the directory, sometimes with doubled slashes and one at the end.
fn path() -> impl Strategy<Value = String> {
    let name =
        prop_oneof![6 => "[abc]", 1 => Just(".".into()), 1 => Just("..".into()), 1 => Just("é".into())];
    (prop::collection::vec(name, 1..5), 0..8u8).prop_map(|(names, extra)| {
        let (mut depth, mut kept) = (0, Vec::new());
        for name in names {
            match name.as_str() {
                ".." if depth == 0 => continue,
                ".." => depth -= 1,
                "." => {}
                _ => depth += 1,
            }
            kept.push(name);
        }
        let mut path = kept.join(if extra == 1 { "//" } else { "/" });
        if extra == 2 && !path.is_empty() {
            path.push('/');
        }
        if path.is_empty() { "a".into() } else { path }
    })
}

fn flags() -> impl Strategy<Value = u32> {
    // What the standard library can ask for: creation and truncation only with writing.
    prop_oneof![
        Just(Flags::READ),
        Just(Flags::READ | Flags::DIRECTORY),
        Just(Flags::WRITE),
        Just(Flags::READ | Flags::WRITE),
        Just(Flags::READ | Flags::WRITE | Flags::CREATE),
        Just(Flags::WRITE | Flags::CREATE | Flags::TRUNCATE),
        Just(Flags::READ | Flags::WRITE | Flags::CREATE | Flags::EXCLUSIVE),
        Just(Flags::READ | Flags::APPEND | Flags::CREATE),
        Just(Flags::WRITE | Flags::TRUNCATE),
    ]
    .prop_map(Flags::bits)
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..4usize;
    let data = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        (any::<u8>(), 0..9000usize).prop_map(|(byte, len)| vec![byte; len]),
    ];
    let offset = prop_oneof![-50..50i64, -10_000..20_000i64];
    prop_oneof![
        3 => path().prop_map(Step::Mkdir),
        2 => path().prop_map(Step::Rmdir),
        2 => path().prop_map(Step::Unlink),
        4 => (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        6 => (path(), flags()).prop_map(|(path, flags)| Step::Open(path, flags)),
        1 => slot.clone().prop_map(Step::Close),
        3 => (slot.clone(), 0..9000usize).prop_map(|(slot, len)| Step::Read(slot, len)),
        3 => (slot.clone(), data).prop_map(|(slot, data)| Step::Write(slot, data)),
        3 => (slot.clone(), 0..3u8, offset).prop_map(|(slot, whence, offset)| Step::Seek(slot, whence, offset)),
        1 => (slot.clone(), 0..20_000u64).prop_map(|(slot, len)| Step::Truncate(slot, len)),
        1 => slot.prop_map(Step::Length),
        2 => path().prop_map(Step::Stat),
        1 => path().prop_map(Step::List),
    ]
}

/// A directory that goes when it is dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("veridian-filesystem-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Our error for one of Linux's.
fn translate(error: &io::Error) -> Error {
    match error.raw_os_error() {
        Some(2) => Error::NotFound,
        Some(9) => Error::BadHandle,
        Some(16) => Error::Busy,
        Some(17) => Error::Exists,
        Some(20) => Error::NotDirectory,
        Some(21) => Error::IsDirectory,
        Some(22) => Error::BadArgument,
        Some(39) => Error::NotEmpty,
        other => panic!("no error of ours is like {other:?}: {error}"),
    }
}

/// What both sides say, as text: results are compared with it.
fn say<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        // Linux has one number for both.
        Err(Error::IntoItself) => format!("{:?}", Err::<T, _>(Error::BadArgument)),
        result => format!("{result:?}"),
    }
}

fn linux_open(path: &Path, bits: u32) -> io::Result<fs::File> {
    let flags = Flags::from_bits(bits).unwrap();
    let has = |flag| flags.has(flag);
    let mut options = fs::OpenOptions::new();
    options
        .read(has(Flags::READ))
        .write(has(Flags::WRITE))
        .append(has(Flags::APPEND))
        .truncate(has(Flags::TRUNCATE))
        .create(has(Flags::CREATE))
        .create_new(has(Flags::EXCLUSIVE));
    if has(Flags::DIRECTORY) {
        // O_DIRECTORY, which differs between architectures.
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, o_directory());
    }
    options.open(path)
}

fn o_directory() -> i32 {
    if cfg!(any(target_arch = "aarch64", target_arch = "arm")) {
        0o40000
    } else {
        0o200_000
    }
}

fn kind(metadata: &fs::Metadata) -> Kind {
    if metadata.is_dir() {
        Kind::Directory
    } else {
        Kind::File
    }
}

fn length(metadata: &fs::Metadata) -> u64 {
    if metadata.is_dir() { 0 } else { metadata.len() }
}

type Pairs = Vec<(Handle, fs::File)>;

/// Does the step on both sides; what they say.
fn both(step: &Step, ours: &mut Fs<'_>, root: &Path, open: &mut Pairs) -> Option<(String, String)> {
    let real = |path: &str| PathBuf::from(format!("{}/{path}", root.display()));
    let unit = |result: io::Result<()>| say(result.map_err(|error| translate(&error)));
    Some(match step {
        Step::Mkdir(path) => (say(ours.mkdir(path)), unit(fs::create_dir(real(path)))),
        Step::Rmdir(path) => (say(ours.rmdir(path)), unit(fs::remove_dir(real(path)))),
        Step::Unlink(path) => (say(ours.unlink(path)), unit(fs::remove_file(real(path)))),
        Step::Rename(from, to) => (say(ours.rename(from, to)), unit(fs::rename(real(from), real(to)))),
        Step::Open(path, flags) => {
            let mine = ours.open(path, Flags::from_bits(*flags).unwrap());
            let other = linux_open(&real(path), *flags).map_err(|error| translate(&error));
            let said = (
                say(mine.map(drop)),
                say(other.as_ref().map(|_| ()).map_err(|&error| error)),
            );
            if let (Ok(mine), Ok(other)) = (mine, other) {
                open.push((mine, other));
                if open.len() > 4 {
                    ours.close(open.remove(0).0).unwrap();
                }
            }
            said
        }
        Step::Stat(path) => {
            let mine = ours.stat(path).map(|stat| (stat.kind, stat.len));
            let other = fs::metadata(real(path)).map(|metadata| (kind(&metadata), length(&metadata)));
            (say(mine), say(other.map_err(|error| translate(&error))))
        }
        Step::List(path) => {
            let other = fs::read_dir(real(path)).map(|entries| {
                let mut names: Vec<_> = entries
                    .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                    .collect();
                names.sort();
                names
            });
            (
                say(ours.list(path)),
                say(other.map_err(|error| translate(&error))),
            )
        }
        Step::Close(slot) => {
            let at = open.len().checked_sub(1)?.min(*slot);
            ours.close(open.remove(at).0).unwrap();
            return None;
        }
        Step::Read(slot, len) => {
            let (mine, other) = open.get_mut(*slot)?;
            let mut bytes = vec![0; *len];
            let count = other.read(&mut bytes).map(|count| bytes[..count].to_vec());
            (
                say(ours.read(*mine, *len)),
                say(count.map_err(|error| translate(&error))),
            )
        }
        Step::Write(slot, data) => {
            let (mine, other) = open.get_mut(*slot)?;
            let count = other.write(data).map(|count| count as u64);
            (
                say(ours.write(*mine, data)),
                say(count.map_err(|error| translate(&error))),
            )
        }
        Step::Seek(slot, whence, offset) => {
            let (mine, other) = open.get_mut(*slot)?;
            if other.metadata().unwrap().is_dir() {
                return None;
            }
            let (whence, from) = match whence {
                0 => (Whence::Start, u64::try_from(*offset).map(SeekFrom::Start).ok()?),
                1 => (Whence::Current, SeekFrom::Current(*offset)),
                _ => (Whence::End, SeekFrom::End(*offset)),
            };
            let position = other.seek(from).map_err(|error| translate(&error));
            (say(ours.seek(*mine, whence, *offset)), say(position))
        }
        Step::Truncate(slot, len) => {
            let (mine, other) = open.get_mut(*slot)?;
            let result = other.set_len(*len).map_err(|error| translate(&error));
            // Linux says "invalid argument" for a file that is not open for writing.
            let mine = ours.truncate(*mine, *len).map_err(|error| match error {
                Error::BadHandle => Error::BadArgument,
                error => error,
            });
            (say(mine), say(result))
        }
        Step::Length(slot) => {
            let (mine, other) = open.get_mut(*slot)?;
            let metadata = other.metadata().unwrap();
            let stat = ours.fstat(*mine).map(|stat| (stat.kind, stat.len));
            (say(stat), say(Ok((kind(&metadata), length(&metadata)))))
        }
    })
}

fn our_tree(ours: &mut Fs<'_>, path: &str, tree: &mut BTreeMap<String, Option<Vec<u8>>>) {
    for name in ours.list(path).unwrap() {
        let child = format!("{path}/{name}");
        if ours.stat(&child).unwrap().kind == Kind::Directory {
            our_tree(ours, &child, tree);
            tree.insert(child, None);
        } else {
            let data = ours.get(&child).unwrap();
            tree.insert(child, Some(data));
        }
    }
}

fn real_tree(root: &Path, path: &str, tree: &mut BTreeMap<String, Option<Vec<u8>>>) {
    for entry in fs::read_dir(format!("{}{path}", root.display())).unwrap() {
        let entry = entry.unwrap();
        let child = format!("{path}/{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            real_tree(root, &child, tree);
            tree.insert(child, None);
        } else {
            tree.insert(child, Some(fs::read(entry.path()).unwrap()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn operations_do_what_linux_does(steps in prop::collection::vec(step(), 1..80)) {
        let root = Temporary::new();
        let mut ours = ram();
        let mut open = Vec::new();
        for step in &steps {
            if let Some((mine, other)) = both(step, &mut ours, &root.0, &mut open) {
                prop_assert_eq!(mine, other, "{:?}", step);
            }
        }
        let (mut mine, mut other) = (BTreeMap::new(), BTreeMap::new());
        for (handle, _) in open.drain(..) {
            ours.close(handle).unwrap();
        }
        our_tree(&mut ours, "/.", &mut mine);
        real_tree(&root.0, "/.", &mut other);
        prop_assert_eq!(mine, other);
    }
}
