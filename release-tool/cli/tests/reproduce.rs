//! The double build with nothing acted: artifacts that are the same, and a program that is not.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn git(dir: &Path, args: &[&str]) {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(["-c", "user.name=Tester", "-c", "user.email=t@example.org"])
        .args(["-c", "commit.gpgSign=false"])
        .args(args)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A clone of this repository's commit in `dir`.
fn clone(dir: &Path) -> PathBuf {
    let repo = dir.join("repo");
    let (from, to) = (top(), repo.display().to_string());
    git(dir, &["clone", "-q", &from.display().to_string(), &to]);
    repo
}

fn reproduce(repo: &Path, args: &[&str]) -> (Output, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_vrel"))
        .args(["reproduce", "--json", "--arch", "riscv64"])
        .args(args)
        .current_dir(repo)
        // What is compiled does not depend on where, so the caches of this repository serve the first build.
        .env("VREL_CACHE_DIR", top().join(".vrel/cache"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut values = serde_json::Deserializer::from_str(&text).into_iter();
    let value = values
        .next()
        .and_then(Result::ok)
        .unwrap_or_else(|| panic!("no report: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (output, value)
}

fn names(report: &Value) -> Vec<&str> {
    let artifacts = report["artifacts"].as_array().unwrap();
    artifacts
        .iter()
        .map(|artifact| artifact["name"].as_str().unwrap())
        .collect()
}

#[test]
fn images_are_the_same_wherever_and_whenever_they_are_built() {
    let dir = tempfile::tempdir().unwrap();
    let repo = clone(dir.path());
    let kinds = [
        "kernel", "initrd", "disk", "qcow2", "vdi", "vhd", "vmdk", "iso", "ova", "symbols", "source",
    ];
    let args: Vec<&str> = kinds.iter().flat_map(|kind| ["--only", kind]).collect();
    let (output, report) = reproduce(&repo, &args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{report:#}\n{said}");
    assert_eq!(report["same"], true);
    assert_eq!(names(&report).len(), kinds.len(), "{report:#}");
    let artifacts = report["artifacts"].as_array().unwrap();
    for artifact in artifacts {
        assert!(artifact["difference"].is_null(), "{artifact}");
        assert!(artifact["length"].as_u64().unwrap() > 100, "{artifact}");
    }
    let varied: Vec<&str> = report["variations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|variation| variation["not_applied"].is_null() && variation["first"] != variation["second"])
        .map(|variation| variation["what"].as_str().unwrap())
        .collect();
    for what in ["sources", "cache", "jobs", "TZ", "LC_ALL", "HOME", "umask"] {
        assert!(varied.contains(&what), "{what} was not varied: {varied:?}");
    }
}

#[test]
fn a_kernel_that_remembers_where_it_was_built_is_caught() {
    let dir = tempfile::tempdir().unwrap();
    let repo = clone(dir.path());
    let edit = |file: &str, before: &str, after: &str| {
        let path = repo.join("os/kernel").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let changed = text.replacen(before, after, 1);
        assert_ne!(text, changed, "{file} has no `{before}`");
        std::fs::write(&path, changed).unwrap();
    };
    // The oldest mistake: the build directory in the program, past what the compiler can replace.
    edit(
        "build.rs",
        "    Ok(())",
        "    let word = if directory.contains(\"another name\") { \"second\" } else { \"first!\" };\n    \
         println!(\"cargo::rustc-env=BUILT_IN={word}\");\n    Ok(())",
    );
    edit(
        "src/main.rs",
        "kernel: this is {identity}\")",
        "kernel: this is {identity}, built in {}\", env!(\"BUILT_IN\"))",
    );
    git(
        &repo,
        &["commit", "-q", "-a", "-m", "feat: say where it was built"],
    );
    let kept = dir.path().join("kept");
    let (output, report) = reproduce(&repo, &["--only", "kernel", "--keep", kept.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{report:#}\n{said}");
    let name = names(&report)[0].to_owned();
    let difference = &report["artifacts"][0]["difference"];
    let offset = usize::try_from(difference["offset"].as_u64().unwrap()).unwrap();
    let read = |build: &str| std::fs::read(kept.join(build).join(&name)).unwrap();
    let first = read("first/artifacts");
    let second = read("second/a/deeper/place with another name/results");
    assert_eq!(first[..offset], second[..offset]);
    assert_ne!(first[offset], second[offset]);
    assert!(
        said.contains(&format!("{name}: ")) && said.contains(&format!("the first at offset {offset}: ")),
        "{said}"
    );
}
