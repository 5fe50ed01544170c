//! The crates of this repository, packed; and cargo building from nothing else.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use vrel_model::UtcTime;
use vrel_pack::Zstd;
use vrel_pack::vendor::{Packed, Vendor, fetch, write};
use vrel_world::RealWorld;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn cargo_home() -> PathBuf {
    match std::env::var_os("CARGO_HOME") {
        Some(home) => home.into(),
        None => Path::new(&std::env::var_os("HOME").unwrap()).join(".cargo"),
    }
}

fn run<A: AsRef<OsStr>>(command: &mut Command, args: impl IntoIterator<Item = A>) -> Vec<u8> {
    let output = command.args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output.stdout
}

fn pack(out: &Path) -> Packed {
    let root = root();
    let text = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let (tool, os) = (text("Cargo.lock"), text("os/Cargo.lock"));
    let vendor = Vendor {
        prefix: "vendor-test",
        time: UtcTime::from_unix(1_700_000_000).unwrap(),
        // The fastest: what is tested is not how small it gets.
        zstd: Zstd {
            level: 1,
            window_log: None,
            workers: 2,
        },
        cargo_home: &cargo_home(),
        locks: &[("Cargo.lock", &tool), ("os/Cargo.lock", &os)],
    };
    write(&RealWorld::default(), out, &vendor).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn cargo_builds_from_source_and_vendored_crates_alone() {
    let dir = tempfile::tempdir().unwrap();
    let cargo = PathBuf::from(env!("CARGO"));
    let (tool, os) = (root().join("Cargo.toml"), root().join("os/Cargo.toml"));
    fetch(&RealWorld::default(), &cargo, &cargo_home(), &[&tool, &os]).unwrap();
    let (one, two) = (dir.path().join("one.tar.zst"), dir.path().join("two.tar.zst"));
    let packed = pack(&one);
    assert!(packed.crates > 100, "{packed:?}");
    pack(&two);
    assert!(fs::read(&one).unwrap() == fs::read(&two).unwrap());

    let tar = dir.path().join("vendor.tar");
    run(
        &mut Command::new("zstd"),
        [OsStr::new("-dqo"), tar.as_os_str(), one.as_os_str()],
    );
    let into = [OsStr::new("-C"), dir.path().as_os_str(), OsStr::new("-xf")];
    run(Command::new("tar").args(into), [&tar]);
    let source = dir.path().join("source");
    fs::create_dir(&source).unwrap();
    // The files as they are now, and not those of the last commit, whose lock file may be another.
    let listed = run(
        Command::new("git").current_dir(root()),
        ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    );
    for name in String::from_utf8(listed).unwrap().split_terminator('\0') {
        let (from, to) = (root().join(name), source.join(name));
        // A file that was removed but not committed is listed too.
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
    let home = dir.path().join("vendor-test/cargo-home");
    let cargo = |in_dir: &Path| {
        let mut command = Command::new(&cargo);
        command
            .current_dir(in_dir)
            .env("CARGO_HOME", &home)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TARGET_DIR", dir.path().join("target"))
            // Whoever tries to fetch gets an error, whatever cargo's configuration says.
            .env("CARGO_HTTP_PROXY", "http://127.0.0.1:9")
            .env("CARGO_NET_RETRY", "0");
        command
    };
    for workspace in [source.clone(), source.join("os")] {
        run(
            &mut cargo(&workspace),
            ["metadata", "--offline", "--locked", "--format-version", "1"],
        );
    }
    // One with dependencies of each workspace.
    run(
        &mut cargo(&source),
        ["build", "--offline", "--locked", "-p", "vrel-model"],
    );
    run(
        &mut cargo(&source.join("os")),
        ["check", "--offline", "--locked", "-p", "boot", "--lib"],
    );
    // cargo looks at every file.
    let changed = dir.path().join("vendor-test/vendor");
    let mut hex = fs::read_dir(&changed).unwrap().map(|entry| entry.unwrap().path());
    let hex = hex.find(|path| {
        path.join("src/lib.rs").is_file() && path.file_name().unwrap().to_string_lossy().starts_with("hex-")
    });
    fs::write(hex.unwrap().join("src/lib.rs"), "changed").unwrap();
    fs::remove_dir_all(dir.path().join("target")).unwrap();
    let refused = cargo(&source)
        .args(["build", "--offline", "--locked", "-p", "vrel-model"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("checksum"), "{said}");
}

#[test]
fn a_crate_that_was_not_downloaded_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let lock = "version = 4\n\n[[package]]\nname = \"nothing-like-it\"\nversion = \"1.2.3\"\n\
                source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
                checksum = \"0000000000000000000000000000000000000000000000000000000000000000\"\n";
    let vendor = Vendor {
        prefix: "x",
        time: UtcTime::from_unix(0).unwrap(),
        zstd: Zstd {
            level: 1,
            window_log: None,
            workers: 1,
        },
        cargo_home: dir.path(),
        locks: &[("Cargo.lock", lock)],
    };
    let out = dir.path().join("out");
    let error = write(&RealWorld::default(), &out, &vendor).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the crate nothing-like-it-1.2.3: expected the downloaded source"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("cargo fetch --locked"));
    assert!(!out.exists());
}
