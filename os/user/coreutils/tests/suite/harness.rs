//! Running a command and its GNU counterpart.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// What became of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) status: Option<i32>,
    pub(crate) complained: bool,
}

impl Outcome {
    fn short(&self) -> String {
        let stdout: String = self.stdout.chars().take(300).collect();
        format!(
            "status {:?}, complained {}: {stdout}",
            self.status, self.complained
        )
    }
}

/// A directory that is removed with its value.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}", std::process::id()));
        let _left_by_another = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// With the files that the tables speak of.
    pub(crate) fn with_files() -> Self {
        let scratch = Self::new();
        for (name, bytes) in files() {
            let path = scratch.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        fs::create_dir(scratch.0.join("emptydir")).unwrap();
        fs::set_permissions(scratch.0.join("program"), fs::Permissions::from_mode(0o755)).unwrap();
        scratch
    }

    /// Every path with what is in the file, or nothing for a directory.
    pub(crate) fn tree(&self) -> BTreeMap<String, Option<Vec<u8>>> {
        let mut tree = BTreeMap::new();
        let mut rest = vec![self.0.clone()];
        while let Some(directory) = rest.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&self.0).unwrap().to_str().unwrap().to_string();
                if path.is_dir() {
                    tree.insert(name, None);
                    rest.push(path);
                } else {
                    tree.insert(name, Some(fs::read(&path).unwrap()));
                }
            }
        }
        tree
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _stays_behind = fs::remove_dir_all(&self.0);
    }
}

/// The files of a test directory.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let long: Vec<u8> = (0..50_000u32)
        .map(|i| b"abcdefghij :,"[(i * i % 13) as usize])
        .collect();
    let numbers: String = (1..=40).map(|i| format!("{}\n", i * 7919 % 101)).collect();
    let big: String = (1..=9000)
        .map(|i| format!("line {} of {}\n", i, i % 17))
        .collect();
    vec![
        ("empty", vec![]),
        ("one", b"no newline at the end".to_vec()),
        ("newlines", b"\n\n\n".to_vec()),
        ("lines", b"alpha\nbeta\n\ngamma delta\n\n\n\tepsilon\nlast line".to_vec()),
        ("nul", b"text\0with nul\nand more\0\0text\n\0".to_vec()),
        ("bytes", (0..=255).chain(0..=255).collect()),
        ("long", long),
        ("longer", b"x".repeat(40_000).into_iter().chain(*b"\ny\n").chain(b"z".repeat(70_000)).collect()),
        ("numbers", numbers.into_bytes()),
        ("big", big.into_bytes()),
        ("fields", b"a:b:c\nd:e\nf\n::g:\n\nh:i:j:k\nb c\td  e".to_vec()),
        ("table", b"pear 3 x\napple 10 y\n  fig 2 z\nApple 10 a\n\npear 3 x\n banana -5.25 q\ncherry 1e3\nkiwi +4\n".to_vec()),
        ("twice", b"a\na\nA\nb\nb\nb\n\n\nc\n x 1\ny 1\nz  1\nz".to_vec()),
        ("decimals", b"1.5\n-2\n10\n9\n\n-0\n0\n1.50\n.5\n-.5\n00012\n1,000\n99999999999999999999999\nx\n-x\n 7\n".to_vec()),
        ("words", b"The cat sat.\nconcatenate\ncat-like cat_like\n  the   end  \nCAT cat\nfoo(bar)*[x]^y$z\\\n".to_vec()),
        ("utf8", "grüße, 世界\nnaïve ☃\n".as_bytes().to_vec()),
        ("dir/a", b"a file\nwith cat\n".to_vec()),
        ("dir/b", b"b".to_vec()),
        ("dir/.hidden", b"hidden cat\n".to_vec()),
        ("dir/sub/deep", b"deep\ncat\n".to_vec()),
        ("dir/sub/more/deeper", vec![]),
        ("-dash", b"dash\n".to_vec()),
        ("program", b"#!/bin/sh\nexit 3\n".to_vec()),
        ("two words", b"1\n".to_vec()),
    ]
}

/// Runs this crate's command.
pub(crate) fn ours(arguments: &[&str], input: &[u8], directory: &Path) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coreutils"));
    command.arg0(arguments[0]).args(&arguments[1..]);
    run(command, input, directory)
}

/// Runs the machine's command.
pub(crate) fn gnu(arguments: &[&str], input: &[u8], directory: &Path) -> Outcome {
    let mut command = Command::new(arguments[0]);
    command.args(&arguments[1..]);
    run(command, input, directory)
}

/// Runs the command both ways. Wrong use has status 2 here always, and with GNU a different one for many commands.
fn both(arguments: &[&str], input: &[u8], a: &Path, b: &Path) -> (Outcome, Outcome) {
    let (own, mut other) = (ours(arguments, input, a), gnu(arguments, input, b));
    if own.status == Some(2) && matches!(other.status, Some(1 | 125)) && own.complained && other.complained {
        other.status = own.status;
    }
    (own, other)
}

fn run(mut command: Command, input: &[u8], directory: &Path) -> Outcome {
    command
        .current_dir(directory)
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env_remove("POSIXLY_CORRECT");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // A command may end without having read everything.
        scope.spawn(move || stdin.write_all(input).is_ok());
        child.wait_with_output().unwrap()
    });
    Outcome {
        stdout: output.stdout.escape_ascii().to_string(),
        status: output.status.code(),
        complained: !output.stderr.is_empty(),
    }
}

/// Runs both in directories of their own, and compares outcomes and files.
pub(crate) fn compare(arguments: &[&str], input: &[u8]) {
    let (a, b) = (Scratch::with_files(), Scratch::with_files());
    let (own, other) = both(arguments, input, &a.0, &b.0);
    assert_eq!(own, other, "left: this crate's, right: GNU's, of {arguments:?}");
    assert_eq!(a.tree(), b.tree(), "the files after {arguments:?}");
}

/// Compares for each line of a table: words, perhaps in single quotes, and perhaps `< FILE`. Collects all differences.
pub(crate) fn compare_table(table: &str) {
    let shared = Scratch::with_files();
    let original = shared.tree();
    let (mut a, mut b) = (Scratch::with_files(), Scratch::with_files());
    let mut wrong = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = split(line);
        let mut input = Vec::new();
        if words.len() > 2 && words[words.len() - 2] == "<" {
            input = fs::read(shared.0.join(words.pop().unwrap())).unwrap();
            words.pop();
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (own, other) = both(&words, &input, &a.0, &b.0);
        if own != other {
            wrong.push(format!(
                "{line}\n  this crate's: {}\n  GNU's:        {}",
                own.short(),
                other.short()
            ));
        }
        let (after, other) = (a.tree(), b.tree());
        if after != other {
            wrong.push(format!("{line}\n  leaves other files"));
        }
        if after != original || other != original {
            (a, b) = (Scratch::with_files(), Scratch::with_files());
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
