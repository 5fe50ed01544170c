//! What bad input gets: an exit code that says whose turn it is, a message that names the object, a remedy; and nothing
//! was changed.
//!
//! Each test is a person's session with the real program in a scene of its own.

mod interface;
mod keys;
mod lines;
mod machine;
mod policy_files;
mod repository;
mod running;
mod together;
mod usage;
mod versions;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use vrel_testkit::{Scene, published};

const VREL: &str = env!("CARGO_BIN_EXE_vrel");

/// How long something that must happen may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The arguments that cut the first candidate.
const CUT: [&str; 4] = ["cut-rc", "0.6.0-rc1", "--yes", "--init-origin"];

/// How a program ended.
struct Ran {
    what: String,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// Asserts the exit code, and that the messages have all these parts.
    #[track_caller]
    fn ends(&self, code: i32, parts: &[&str]) {
        let Self {
            what, stdout, stderr, ..
        } = self;
        assert_eq!(
            self.code,
            Some(code),
            "{what}\nstdout:\n{stdout}\nstderr:\n{stderr}"
        );
        for part in parts {
            assert!(
                stderr.contains(part),
                "{what}: no `{part}` in the messages:\n{stderr}"
            );
        }
    }
}

fn scene() -> Scene {
    let scene = Scene::new();
    scene.install_programs();
    scene
}

fn vrel(scene: &Scene, args: &[&str]) -> Command {
    let mut command = scene.command(Path::new(VREL));
    command.args(args);
    command
}

fn finish(mut command: Command) -> Ran {
    let what = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().unwrap();
    Ran {
        what,
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the tool without a terminal.
fn run(scene: &Scene, args: &[&str]) -> Ran {
    finish(vrel(scene, args))
}

/// Starts the tool, to do something while it runs.
fn start(mut command: Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn end_of(child: Child, what: &str) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        what: what.to_owned(),
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Waits until something holds.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "still not: {what}");
        std::thread::yield_now();
    }
}

fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a release changes: refs here and on the remote, the origin's files, the journals.
fn state(scene: &Scene) -> BTreeMap<String, Vec<u8>> {
    let mut state = BTreeMap::new();
    for (name, dir) in [("repo", scene.repo()), ("remote", scene.remote())] {
        let refs = git(&dir, &["for-each-ref", "--format=%(refname) %(objectname)"]);
        state.insert(format!("refs of {name}"), refs.into_bytes());
    }
    for (name, dir) in [
        ("origin", scene.origin()),
        ("journal", scene.repo().join(".vrel/journal")),
    ] {
        // An empty directory is a change as well.
        state.insert(format!("{name} exists"), dir.exists().to_string().into_bytes());
        for (path, content) in published(&dir) {
            state.insert(format!("{name}/{path}"), content);
        }
    }
    state
}

/// Runs the tool, which must refuse with this exit code and these parts of messages, and change nothing.
#[track_caller]
fn refused(scene: &Scene, args: &[&str], code: i32, parts: &[&str]) {
    refused_as(scene, vrel(scene, args), code, parts);
}

/// The same for a command that was prepared in another way.
#[track_caller]
fn refused_as(scene: &Scene, command: Command, code: i32, parts: &[&str]) {
    let before = state(scene);
    finish(command).ends(code, parts);
    let after = state(scene);
    let changed: Vec<_> = before
        .keys()
        .chain(after.keys())
        .filter(|name| before.get(*name) != after.get(*name))
        .collect();
    assert!(changed.is_empty(), "{changed:?} changed");
}

/// Changes a file of the repository by replacing text that is in it once; returns the line of the change, from 1.
#[track_caller]
fn edit(scene: &Scene, path: &str, from: &str, to: &str) -> usize {
    let file = scene.repo().join(path);
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, after) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("no `{from}` in {path}:\n{text}"));
    std::fs::write(&file, format!("{before}{to}{after}")).unwrap();
    before.matches('\n').count() + 1
}

/// Commits everything and pushes it.
fn commit(scene: &Scene, message: &str) {
    scene.git(&["add", "-A"]);
    scene.git(&["commit", "-q", "-m", message]);
    scene.git(&["push", "-q", "origin", "HEAD"]);
}
