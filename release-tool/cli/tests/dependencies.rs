//! Who may depend on whom, and who may touch the machine: ARCHITECTURE.md's invariants, held to what cargo and the
//! sources say.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each crate with the crates of this workspace that its code may use. What is not listed is forbidden.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("world", &["model"]),
    ("interface", &["model"]),
    ("process", &["interface", "model"]),
    ("notes", &["documents", "model"]),
    ("todo", &["model"]),
    ("pack", &["model", "world"]),
    ("graph", &["model", "trust", "world"]),
    ("documents", &["model"]),
    ("build", &["documents", "graph", "model", "pack", "world"]),
    ("trust", &["model", "world"]),
    ("origin", &["model", "trust", "world"]),
    ("forge", &["model", "world"]),
    (
        "engine",
        &[
            "build",
            "documents",
            "graph",
            "interface",
            "model",
            "notes",
            "origin",
            "pack",
            "process",
            "todo",
            "trust",
            "world",
        ],
    ),
    (
        "cli",
        &[
            "build",
            "documents",
            "engine",
            "forge",
            "graph",
            "interface",
            "model",
            "notes",
            "origin",
            "pack",
            "process",
            "todo",
            "trust",
            "world",
        ],
    ),
    (
        "testkit",
        &[
            "build",
            "documents",
            "engine",
            "graph",
            "interface",
            "model",
            "notes",
            "origin",
            "pack",
            "process",
            "todo",
            "trust",
            "world",
        ],
    ),
];

/// Crates that decide and write text: they must give the same answer wherever and whenever they run.
const PURE: &[&str] = &["model", "interface", "process", "documents", "notes", "todo"];

/// Libraries that reach files, programs, networks, clocks or randomness.
const EFFECTS: &[&str] = &[
    "vrel-world",
    "async-std",
    "ctrlc",
    "dirs",
    "fs2",
    "fs4",
    "getrandom",
    "git2",
    "gix",
    "home",
    "hyper",
    "libgit2-sys",
    "memmap2",
    "mio",
    "nix",
    "object_store",
    "octocrab",
    "rand",
    "reqwest",
    "rustix",
    "socket2",
    "tempfile",
    "tokio",
    "ureq",
    "walkdir",
];

/// Where the published tree and the forge meet the network: the files that may use an HTTP library, which the world does not wrap.
const NETWORK_EDGE: &[&str] = &[
    "forge/src/connection.rs",
    "origin/src/server.rs",
    "origin/src/http.rs",
    "origin/src/registry/connection.rs",
];

/// What only tests compile, beside the sources.
const TESTS: &[&str] = &["build/src/recipe/golden/"];

/// Ways of the standard library (and of jiff) to reach the machine, past [`vrel_world::World`].
const REACHES: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::env::",
    "std::os::",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "stdin()",
    "stdout()",
    "stderr()",
    "oci_client",
    "octocrab",
    "reqwest",
    "tokio",
    "TcpStream",
    "TcpListener",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The platform that this test runs on: only its crates are sure to be on the machine.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap_or_else(|| panic!("no host in {text}")).to_owned()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
        ])
        .arg(host())
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no `{key}` in {value}"))
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key]
        .as_array()
        .unwrap_or_else(|| panic!("no `{key}` in {value}"))
}

/// The crates of this workspace, without `vrel-`, with those that their `[dependencies]` name.
fn own_dependencies(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let own = |name: &str| name.strip_prefix("vrel-").map(str::to_owned);
    let members: BTreeSet<&str> = list(metadata, "workspace_members")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    list(metadata, "packages")
        .iter()
        .filter(|package| members.contains(text(package, "id")))
        .map(|package| {
            // A development dependency's kind is "dev", a normal one's is null.
            let uses = list(package, "dependencies")
                .iter()
                .filter(|dependency| dependency["kind"] != "dev");
            let uses = uses
                .filter_map(|dependency| own(text(dependency, "name")))
                .collect();
            (
                own(text(package, "name")).expect("every crate of the workspace is called vrel-something"),
                uses,
            )
        })
        .collect()
}

#[test]
fn crates_depend_only_downwards() {
    let found = own_dependencies(&metadata());
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    for (name, uses) in &found {
        let allowed = allowed.get(name.as_str());
        let allowed = allowed
            .unwrap_or_else(|| panic!("`{name}` is new: give it a row in ALLOWED and in ARCHITECTURE.md"));
        let forbidden: Vec<_> = uses
            .iter()
            .filter(|used| !allowed.contains(&used.as_str()))
            .collect();
        assert!(forbidden.is_empty(), "`{name}` must not depend on {forbidden:?}");
    }
    for name in allowed.keys() {
        assert!(
            found.contains_key(*name),
            "`{name}` has a row in ALLOWED but is not in the workspace"
        );
    }
}

#[test]
fn pure_crates_reach_no_library_with_effects() {
    let metadata = metadata();
    let names: BTreeMap<&str, &str> = list(&metadata, "packages")
        .iter()
        .map(|package| (text(package, "id"), text(package, "name")))
        .collect();
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"], "nodes")
        .iter()
        .map(|node| (text(node, "id"), node))
        .collect();
    for pure in PURE {
        let own = format!("vrel-{pure}");
        let start = nodes
            .keys()
            .find(|id| names[*id] == own)
            .unwrap_or_else(|| panic!("no crate {own}"));
        let (mut reached, mut open) = (BTreeSet::new(), vec![*start]);
        while let Some(id) = open.pop() {
            for dependency in list(nodes[id], "deps") {
                let normal = list(dependency, "dep_kinds")
                    .iter()
                    .any(|kind| kind["kind"].is_null());
                let id = text(dependency, "pkg");
                // What a compile-time macro does happens when the tool is built, not when it runs.
                if normal && !is_macro(&metadata, id) && reached.insert(id) {
                    open.push(id);
                }
            }
        }
        let bad: Vec<_> = reached
            .iter()
            .map(|id| names[id])
            .filter(|name| EFFECTS.contains(name))
            .collect();
        assert!(
            bad.is_empty(),
            "`{own}` must be free of effects but reaches {bad:?}"
        );
    }
}

fn is_macro(metadata: &Value, id: &str) -> bool {
    let package = list(metadata, "packages")
        .iter()
        .find(|package| text(package, "id") == id)
        .unwrap();
    list(package, "targets")
        .iter()
        .any(|target| list(target, "kind").iter().any(|kind| kind == "proc-macro"))
}

/// The sources of a crate, each without its tests.
fn sources(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
    let mut entries: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && path.file_stem().is_none_or(|stem| stem != "tests")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            found.push((path, code));
        }
    }
}

#[test]
fn libraries_reach_the_machine_only_through_the_world() {
    let mut breaches = Vec::new();
    let mut looked_at = 0;
    for (name, _) in ALLOWED
        .iter()
        .filter(|(name, _)| !["world", "cli", "testkit"].contains(name))
    {
        let mut files = Vec::new();
        sources(&root().join("release-tool").join(name).join("src"), &mut files);
        assert!(!files.is_empty(), "no sources of `{name}`");
        looked_at += files.len();
        // What only tests compile may use the machine.
        files.retain(|(path, _)| !TESTS.iter().any(|tests| path.to_string_lossy().contains(tests)));
        let is_edge = |path: &Path| NETWORK_EDGE.iter().any(|edge| path.ends_with(edge));
        for (path, code) in files.into_iter().filter(|(path, _)| !is_edge(path)) {
            let lines = code
                .lines()
                .enumerate()
                .filter(|(_, line)| !line.trim_start().starts_with("//"));
            for (number, line) in lines {
                breaches.extend(
                    REACHES
                        .iter()
                        .filter(|way| line.contains(*way))
                        .map(|way| format!("{}:{}: {way}", path.display(), number + 1)),
                );
            }
        }
    }
    assert!(
        breaches.is_empty(),
        "effects that do not go through the world:\n{}",
        breaches.join("\n")
    );
    assert!(looked_at > 30, "only {looked_at} files were looked at");
}

/// Every package that a choice of packages compiles, with the features that it is compiled with; a package has several
/// sets of them when programs that run while compiling use it too.
fn features(choice: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--no-dedupe", "--prefix", "none"])
        .args(["--format", "{p}|{f}"])
        .args(choice)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let listed = String::from_utf8(output.stdout).unwrap();
    // An empty line parts the trees of several packages.
    for line in listed.lines().filter(|line| !line.is_empty()) {
        let (package, features) = line.split_once('|').unwrap();
        let package = package.split(" (").next().unwrap_or(package);
        found
            .entry(package.to_owned())
            .or_default()
            .insert(features.to_owned());
    }
    found
}

/// Otherwise `ci/test`, whoever runs `cargo build`, and the tests that build a program would compile the libraries anew for
/// each other.
#[test]
fn the_tool_is_compiled_against_the_same_libraries_with_and_without_tests() {
    let all = features(&["--workspace", "--edges", "normal,build,dev"]);
    for choice in [&["-p", "vrel-cli"][..], &["-p", "vrel-cli", "-p", "vrel-testkit"]] {
        for edges in ["normal,build", "normal,build,dev"] {
            let chosen = features(&[choice, &["--edges", edges]].concat());
            assert!(chosen.len() > 100, "{chosen:?}");
            for (package, features) in chosen {
                assert_eq!(
                    Some(&features),
                    all.get(&package),
                    "{package} for {choice:?} with {edges}: name what is missing in the workspace's Cargo.toml"
                );
            }
        }
    }
}
