//! Wrong content and wrong policies: refused with what was expected, what was found and where, and nothing is published.
//!
//! Each test is a person's session with the real program in a scene of its own, where compiler and emulator are acted.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use vrel_testkit::{Scene, published};

/// The arguments that cut the first candidate.
const CUT: [&str; 4] = ["cut-rc", "0.6.0-rc1", "--yes", "--init-origin"];

const QCOW2: &str = include_str!("../../../../artifacts/qcow2.toml");

/// How a program ended.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// Asserts the exit code, and that the messages have all these parts.
    #[track_caller]
    fn ends(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "no `{part}` in the messages:\n{}",
                self.stderr
            );
        }
    }
}

fn scene() -> Scene {
    let scene = Scene::new();
    scene.install_programs();
    scene
}

fn run(scene: &Scene, args: &[&str]) -> Ran {
    let mut command = scene.command(Path::new(env!("CARGO_BIN_EXE_vrel")));
    let output = command.args(args).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// What others can see: the remote's refs, and the origin's releases and pointer.
fn public(scene: &Scene) -> BTreeMap<String, Vec<u8>> {
    let mut seen = published(&scene.origin());
    let refs = Command::new("git")
        .arg("-C")
        .arg(scene.remote())
        .arg("for-each-ref")
        .output()
        .unwrap();
    assert!(refs.status.success());
    seen.insert("refs".to_owned(), refs.stdout);
    seen
}

/// Runs the tool, which must refuse with these parts of messages; nobody else sees anything of it.
#[track_caller]
fn refused(scene: &Scene, args: &[&str], code: i32, parts: &[&str]) {
    let before = public(scene);
    run(scene, args).ends(code, parts);
    let after = public(scene);
    let changed = after
        .iter()
        .filter(|(name, content)| before.get(*name) != Some(content));
    let changed: Vec<_> = changed.map(|(name, _)| name).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

/// Replaces text that is in a file, and commits it; returns the line of the change, from 1.
#[track_caller]
fn edit(scene: &Scene, path: &str, from: &str, to: &str) -> usize {
    let file = scene.repo().join(path);
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, after) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("no `{from}` in {path}:\n{text}"));
    put(scene, path, &format!("{before}{to}{after}"));
    before.matches('\n').count() + 1
}

/// Writes a file, and commits it.
fn put(scene: &Scene, path: &str, text: &str) {
    std::fs::write(scene.repo().join(path), text).unwrap();
    scene.git(&["add", "-A"]);
    scene.git(&["commit", "-q", "-m", "chore: a change"]);
    scene.git(&["push", "-q", "origin", "HEAD"]);
}

#[test]
fn code_for_another_machine_than_the_targets_name_is_refused() {
    let scene = scene();
    edit(&scene, "os/targets.toml", "machine = 243", "machine = 183");
    refused(
        &scene,
        &CUT,
        4,
        &["was compiled for another architecture than riscv64: expected machine 0xb7, got 0xf3"],
    );
}

#[test]
fn a_target_of_another_architecture_is_refused() {
    let scene = scene();
    edit(
        &scene,
        "os/targets.toml",
        "user = { target = \"riscv64imac-unknown-none-elf\"",
        "user = { target = \"x86_64-unknown-none\"",
    );
    refused(
        &scene,
        &CUT,
        4,
        &["init was compiled for another architecture than riscv64: expected machine 0xf3, got 0x3e"],
    );
    let scene = self::scene();
    edit(
        &scene,
        "os/targets.toml",
        "\"riscv64-acted-uefi\"",
        "\"aarch64-unknown-uefi\"",
    );
    refused(
        &scene,
        &CUT,
        4,
        &["was compiled for another architecture than riscv64: expected machine 0x5064, got 0xaa64"],
    );
}

#[test]
fn an_artifact_over_its_budget_is_refused_with_the_policy_that_sets_it() {
    let scene = scene();
    edit(
        &scene,
        "artifacts/iso.toml",
        "max-size = \"32 MiB\"",
        "max-size = \"64 KiB\"",
    );
    refused(
        &scene,
        &CUT,
        3,
        &[
            "veridianos-0.6.0-rc1-x86_64.iso is ",
            "its policy allows 64 KiB",
            "raise `max-size` in artifacts/iso.toml",
        ],
    );
}

#[test]
fn an_artifact_that_grew_too_much_since_the_release_before_is_refused() {
    let scene = scene();
    run(&scene, &CUT).ends(0, &[]);
    let programs: Vec<String> = (0..8).map(|number| format!("\"program-{number}\"")).collect();
    edit(
        &scene,
        "os/images/minimal.toml",
        "programs = [\"init\"",
        &format!("programs = [\"init\", {}", programs.join(", ")),
    );
    // Candidates are cut from the release branch, which is there now.
    scene.git(&["branch", "-q", "-f", "release/0.6", "HEAD"]);
    scene.git(&["push", "-q", "origin", "release/0.6"]);
    refused(
        &scene,
        &["cut-rc", "0.6.0-rc2", "--yes"],
        3,
        &[
            "veridianos-0.6.0-rc2-x86_64-initrd.tar grew from ",
            "its policy allows 50 % more",
            "raise `max-growth` in artifacts/initrd.toml",
        ],
    );
}

#[test]
fn an_architecture_that_another_artifact_is_converted_from_cannot_be_left_out() {
    let scene = scene();
    put(&scene, "artifacts/qcow2.toml", QCOW2);
    edit(
        &scene,
        "artifacts/disk.toml",
        "arches = [\"x86_64\", \"aarch64\", \"riscv64\"]",
        "arches = [\"x86_64\", \"aarch64\"]",
    );
    refused(
        &scene,
        &CUT,
        3,
        &[
            "artifacts/qcow2.toml: `from` is `disk`, which the release does not carry for riscv64",
            "list the same `arches` and `channels` in artifacts/disk.toml",
        ],
    );
    assert!(!scene.origin().exists());
}

/// A mistake in a policy: file, text in it, what it becomes, and the parts of the message, the first after `FILE:LINE:`.
type Mistake = (&'static str, &'static str, &'static str, &'static [&'static str]);

const MISTAKES: [Mistake; 5] = [
    (
        "artifacts/qcow2.toml",
        "packer = \"qcow2\"",
        "packer = \"qcow\"",
        &["10: unknown variant `qcow`", "hint: did you mean `qcow2`?"],
    ),
    (
        "artifacts/qcow2.toml",
        "[options]\ncompress = true",
        "[options]\ncompres = true",
        &["1: unknown field `compres`", "hint: did you mean `compress`?"],
    ),
    (
        "artifacts/qcow2.toml",
        "[options]\ncompress = true",
        "[options]\ncompress = \"yes\"",
        &["12: invalid type: string \"yes\", expected a boolean"],
    ),
    (
        "artifacts/qcow2.toml",
        "max-size = \"32 MiB\"",
        "max-size = [32]",
        &["12: invalid type: sequence, expected a string"],
    ),
    (
        "artifacts/initrd.toml",
        "max-growth = 50",
        "max-growth = \"half\"",
        &["14: invalid type: string \"half\", expected u32"],
    ),
];

#[test]
fn mistakes_in_policies_are_named_with_their_place_before_anything_begins() {
    let scene = scene();
    let qcow2 = format!("{QCOW2}\n[options]\ncompress = true\n");
    put(&scene, "artifacts/qcow2.toml", &qcow2);
    for (path, from, to, parts) in MISTAKES {
        // The mistake stands in the last line of what was put there.
        let line = edit(&scene, path, from, to) + to.matches('\n').count();
        let place = format!("{path}:{line}:{}", parts[0]);
        let others = parts[1..].iter().copied();
        let parts: Vec<&str> = std::iter::once(place.as_str()).chain(others).collect();
        refused(&scene, &CUT, 3, &parts);
        assert!(!scene.repo().join(".vrel/journal").exists());
        edit(&scene, path, to, from);
    }
}

/// Builds the ISO anew; what was built and why, the digest, and the messages.
#[track_caller]
fn iso(scene: &Scene) -> (Vec<(String, String)>, String, String) {
    // An artifact that is in its place already is not copied from the cache again.
    let placed = scene.repo().join(".vrel/build");
    if placed.exists() {
        std::fs::remove_dir_all(placed).unwrap();
    }
    let ran = run(scene, &["build", "--only", "iso", "--arch", "x86_64", "--json"]);
    ran.ends(0, &[]);
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let built = said["built"].as_array().unwrap().iter();
    let built = built.map(|node| (text(&node["node"]), text(&node["why"])));
    let artifact = &said["artifacts"][0];
    let output = Command::new("sha256sum")
        .arg(text(&artifact["path"]))
        .output()
        .unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    let digest = text(&artifact["sha256"]);
    assert!(found.starts_with(&digest), "{found}");
    (built.collect(), digest, ran.stderr)
}

/// Damages a file that nobody is to write to.
fn damage(path: &Path, how: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    how(&mut bytes);
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_damaged_in_the_cache_is_named_and_built_again() {
    let scene = scene();
    let (_, digest, _) = iso(&scene);
    let objects = scene.repo().join(".vrel/cache/artifacts/objects");
    let object = objects.join(&digest[..2]).join(&digest);
    let whole = std::fs::read(&object).unwrap();
    let length = whole.len();
    type Damage = fn(&mut Vec<u8>);
    let damages: [(Damage, String); 3] = [
        (
            |bytes| bytes.truncate(bytes.len() - 1),
            format!("expected {length} bytes, got {}", length - 1),
        ),
        (
            |bytes| bytes[40_000] ^= 1,
            format!("expected the SHA-256 {digest}, got "),
        ),
        (Vec::clear, format!("expected {length} bytes, got 0")),
    ];
    for (how, what) in damages {
        damage(&object, how);
        let (built, again, said) = iso(&scene);
        let warned = said.lines().any(|line| {
            line.starts_with("warning: ")
                && line.contains(&object.display().to_string())
                && line.contains(&what)
        });
        assert!(
            warned,
            "no warning of {} with `{what}`:\n{said}",
            object.display()
        );
        assert_eq!(built.len(), 1, "{built:?}");
        assert!(
            built[0].0 == "x86_64/iso" && built[0].1.contains(&what),
            "{built:?}"
        );
        assert_eq!(again, digest);
        assert!(std::fs::read(&object).unwrap() == whole, "{what}");
    }
    let (built, _, _) = iso(&scene);
    assert!(built.is_empty(), "{built:?}");
}
