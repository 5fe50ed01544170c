//! A change has exactly what depends on it built again: the real tool and the real compiler on a clone of this repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The nodes that programs go into, besides what compiles them.
const WITH_PROGRAMS: [&str; 13] = [
    "aws-import",
    "disk",
    "gcp",
    "iso",
    "ova",
    "parts/esp",
    "parts/initrd",
    "parts/programs",
    "qcow2",
    "symbols",
    "vdi",
    "vhd",
    "vmdk",
];

/// The nodes that programs do not go into.
const WITHOUT_PROGRAMS: [&str; 4] = [
    "parts/compiled-kernel",
    "parts/compiled-loader",
    "parts/kernel",
    "parts/kernel-flat",
];

/// What compiles the programs.
const COMPILER: &str = "parts/compiled-programs";

fn top() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    top.canonicalize().unwrap()
}

/// Runs a program that must succeed; what it said on its standard output.
#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// A clone of this repository with a cache of its own, in which only compiled crates are shared with this repository:
/// cargo knows by itself what of those is up to date.
struct Scratch {
    dir: tempfile::TempDir,
}

/// What a build said.
struct Built {
    /// The nodes that were built, without the architecture.
    nodes: BTreeSet<String>,
    /// How many nodes there are.
    count: u64,
    /// The digest of each artifact by kind.
    digests: BTreeMap<String, String>,
}

impl Scratch {
    fn new() -> Self {
        let clone = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let head = succeed(
            Command::new("git")
                .arg("-C")
                .arg(top())
                .args(["rev-parse", "HEAD"]),
        );
        succeed(
            Command::new("git")
                .args(["clone", "-q", "--no-checkout"])
                .args([top(), clone.repo()]),
        );
        succeed(Command::new("git").arg("-C").arg(clone.repo()).args([
            "checkout",
            "-q",
            "--detach",
            head.trim(),
        ]));
        std::fs::create_dir(clone.cache()).unwrap();
        for compiled in ["builds", "sysroots"] {
            let shared = top().join(".vrel/cache").join(compiled);
            std::fs::create_dir_all(&shared).unwrap();
            std::os::unix::fs::symlink(shared, clone.cache().join(compiled)).unwrap();
        }
        clone
    }

    fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    #[track_caller]
    fn vrel(&self, args: &[&str]) -> String {
        succeed(
            Command::new(env!("CARGO_BIN_EXE_vrel"))
                .args(args)
                .current_dir(self.repo())
                .env("VREL_CACHE_DIR", self.cache()),
        )
    }

    #[track_caller]
    fn build(&self) -> Built {
        let said = self.vrel(&["build", "--arch", "riscv64", "--json"]);
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let nodes = said["built"].as_array().unwrap().iter().map(|node| {
            let node = text(&node["node"]);
            node.strip_prefix("riscv64/").unwrap_or(&node).to_owned()
        });
        let artifacts = said["artifacts"].as_array().unwrap().iter();
        Built {
            nodes: nodes.collect(),
            count: said["nodes"].as_u64().unwrap(),
            digests: artifacts
                .map(|artifact| (text(&artifact["kind"]), text(&artifact["sha256"])))
                .collect(),
        }
    }

    fn explain(&self, node: &str) -> String {
        self.vrel(&["build", "--arch", "riscv64", "--explain", node])
    }

    /// Replaces text that is in a file once.
    #[track_caller]
    fn edit(&self, path: &str, from: &str, to: &str) {
        let file = self.repo().join(path);
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {path}:\n{text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
    }

    fn append(&self, path: &str, more: &str) {
        let file = self.repo().join(path);
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text + more).unwrap();
    }
}

fn names(parts: &[&[&str]]) -> BTreeSet<String> {
    parts.concat().into_iter().map(str::to_owned).collect()
}

/// The kinds whose content is not the same.
fn differing(one: &Built, other: &Built) -> BTreeSet<String> {
    assert!(one.digests.keys().eq(other.digests.keys()));
    let pairs = one.digests.iter();
    let differing = pairs.filter(|(kind, digest)| other.digests[*kind] != **digest);
    differing.map(|(kind, _)| kind.clone()).collect()
}

#[test]
fn a_change_has_exactly_what_depends_on_it_built_again() {
    let clone = Scratch::new();
    let first = clone.build();
    assert_eq!(
        first.nodes,
        names(&[&WITH_PROGRAMS, &WITHOUT_PROGRAMS, &[COMPILER]])
    );
    assert_eq!(first.count, first.nodes.len() as u64);

    let again = clone.build();
    assert_eq!(again.nodes, BTreeSet::new());
    assert_eq!(again.digests, first.digests);

    one_byte_of_a_program(&clone, &first);
    a_comment(&clone, &first);
    an_option_of_one_kind(&clone, &first);
}

fn one_byte_of_a_program(clone: &Scratch, first: &Built) {
    const FILE: &str = "os/user/init/src/first.rs";
    const EDIT: [&str; 2] = ["FAILURE: u32 = 1;", "FAILURE: u32 = 2;"];
    clone.edit(FILE, EDIT[0], EDIT[1]);
    let why = clone.explain(&format!("riscv64/{COMPILER}"));
    assert!(
        why.contains(&format!("riscv64/{COMPILER}: to be built")) && why.contains("user/init/src/first.rs"),
        "{why}"
    );
    let kernel = clone.explain("riscv64/parts/kernel");
    assert!(
        kernel.starts_with("riscv64/parts/kernel: up to date") && !kernel.contains("to be built"),
        "{kernel}"
    );

    let changed = clone.build();
    assert_eq!(changed.nodes, names(&[&WITH_PROGRAMS, &[COMPILER]]));
    let kernels = ["kernel", "kernel-flat"].map(str::to_owned);
    let others = first.digests.keys().cloned();
    assert_eq!(
        differing(first, &changed),
        others.filter(|kind| !kernels.contains(kind)).collect()
    );

    // What was built before the change is still known.
    clone.edit(FILE, EDIT[1], EDIT[0]);
    let back = clone.build();
    assert_eq!(back.nodes, BTreeSet::new());
    assert_eq!(back.digests, first.digests);
}

/// The compiler is called, and nothing after it: what it made is what was there.
fn a_comment(clone: &Scratch, first: &Built) {
    clone.append("os/user/init/Cargo.toml", "# A remark.\n");
    let built = clone.build();
    assert_eq!(built.nodes, names(&[&[COMPILER]]));
    assert_eq!(built.digests, first.digests);
}

fn an_option_of_one_kind(clone: &Scratch, first: &Built) {
    clone.append("artifacts/qcow2.toml", "\n[options]\ncompress = true\n");
    let why = clone.explain("riscv64/qcow2");
    assert!(why.contains("because the parameters changed: options"), "{why}");
    let built = clone.build();
    assert_eq!(built.nodes, names(&[&["qcow2"]]));
    assert_eq!(differing(first, &built), names(&[&["qcow2"]]));
}
