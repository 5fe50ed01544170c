//! Container images, read back with skopeo, which shares its code with the runtimes that people use.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use vrel_model::{Arch, Sha256Digest, UtcTime};
use vrel_pack::oci::{Image, RootContent, RootFile, Written, write};
use vrel_world::RealWorld;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const CREATED: &str = "2023-11-14T22:13:20Z";
const VENDOR: &str = "The \"VeridianOS\" project";

fn image(version: &str) -> Image<'_> {
    Image {
        name: "VeridianOS",
        id: "veridianos",
        version,
        commit: COMMIT,
        source: "https://example.org/veridianos",
        licenses: "MIT OR Apache-2.0",
        vendor: VENDOR,
        time: CREATED.parse::<UtcTime>().unwrap(),
    }
}

fn init(content: RootContent<'_>) -> RootFile<'_> {
    RootFile {
        path: "root",
        mode: 0o755,
        content,
    }
}

/// Writes an image whose root file systems differ by architecture; `shell` is read from a file.
fn write_image(path: &Path, shell: &Path) -> Written {
    let version = "0.6.0-rc1";
    let inits = Arch::ALL.map(|arch| format!("init for {arch}"));
    let roots = Arch::ALL.iter().zip(&inits).map(|(arch, program)| {
        let shell = RootFile {
            path: "bin/shell",
            mode: 0o755,
            content: RootContent::File(shell),
        };
        (*arch, vec![shell, init(RootContent::Bytes(program.as_bytes()))])
    });
    write(&RealWorld::default(), path, &image(version), &roots.collect()).unwrap()
}

fn skopeo(args: &[&str]) -> Vec<u8> {
    let output = Command::new("skopeo")
        .arg("--insecure-policy")
        .args(args)
        .output();
    let output = output.unwrap_or_else(|error| panic!("skopeo: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    output.stdout
}

fn hex(bytes: &[u8]) -> String {
    Sha256Digest::new(Sha256::digest(bytes).into()).to_string()
}

/// A layout's blob, whose name is checked.
fn blob(layout: &Path, digest: &Value) -> Vec<u8> {
    let digest = digest.as_str().unwrap().strip_prefix("sha256:").unwrap();
    let bytes = fs::read(layout.join("blobs/sha256").join(digest)).unwrap();
    assert_eq!(hex(&bytes), digest);
    bytes
}

fn document(layout: &Path, digest: &Value) -> Value {
    serde_json::from_slice(&blob(layout, digest)).unwrap()
}

/// Paths, modes and contents of a layer.
fn files(tar: &[u8]) -> Vec<(String, u32, String)> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        assert_eq!(entry.header().mtime().unwrap(), 1_700_000_000);
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let path = entry.path().unwrap().display().to_string();
        (path, entry.header().mode().unwrap(), text)
    });
    entries.collect()
}

fn check_labels(labels: &Value) {
    for (key, value) in [
        ("title", "VeridianOS"),
        ("version", "0.6.0-rc1"),
        ("revision", COMMIT),
        ("source", "https://example.org/veridianos"),
        ("licenses", "MIT OR Apache-2.0"),
        ("created", CREATED),
        ("vendor", VENDOR),
    ] {
        assert_eq!(labels[format!("org.opencontainers.image.{key}")], value);
    }
}

fn check_image(layout: &Path, described: &Value, arch: Arch, name: &str) {
    assert_eq!(
        described["platform"],
        json!({ "architecture": name, "os": "veridianos" })
    );
    let manifest = document(layout, &described["digest"]);
    let config = document(layout, &manifest["config"]["digest"]);
    assert_eq!(
        (&config["architecture"], &config["os"]),
        (&name.into(), &"veridianos".into())
    );
    assert_eq!(config["created"], CREATED);
    assert_eq!(config["config"]["Entrypoint"], json!(["/root"]));
    check_labels(&config["config"]["Labels"]);
    let packed = blob(layout, &manifest["layers"][0]["digest"]);
    assert_eq!(manifest["layers"][0]["size"], packed.len());
    let mut layer = Vec::new();
    let mut unpacked = flate2::read::GzDecoder::new(&packed[..]);
    unpacked.read_to_end(&mut layer).unwrap();
    assert_eq!(
        config["rootfs"]["diff_ids"],
        json!([format!("sha256:{}", hex(&layer))])
    );
    let os_release = format!(
        "NAME=VeridianOS\nID=veridianos\nVERSION_ID=0.6.0-rc1\nBUILD_ID={COMMIT}\nPRETTY_NAME=\"VeridianOS 0.6.0-rc1\"\n"
    );
    let expected = [
        ("bin/", 0o755, ""),
        ("bin/shell", 0o755, "shell"),
        ("etc/", 0o755, ""),
        ("etc/os-release", 0o644, &os_release),
        ("root", 0o755, &format!("init for {arch}")),
    ];
    let expected = expected.map(|(path, mode, text)| (path.to_owned(), mode, text.to_owned()));
    assert_eq!(files(&layer), expected);
}

#[test]
fn skopeo_copies_every_architecture_with_what_was_put_in() {
    let dir = tempfile::tempdir().unwrap();
    let (archive, shell) = (dir.path().join("image.tar"), dir.path().join("shell"));
    fs::write(&shell, "shell").unwrap();
    let written = write_image(&archive, &shell);
    let source = format!("oci-archive:{}", archive.display());
    let raw = skopeo(&["inspect", "--raw", &source]);
    assert_eq!(hex(&raw), written.index.to_string());

    let layout = dir.path().join("layout");
    let target = format!("oci:{}:copied", layout.display());
    skopeo(&["copy", "--all", "--preserve-digests", &source, &target]);
    let outer: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let digest = &outer["manifests"][0]["digest"];
    assert_eq!(*digest, format!("sha256:{}", written.index));
    let index = document(&layout, digest);
    check_labels(&index["annotations"]);
    assert_eq!(index["manifests"].as_array().unwrap().len(), 3);
    for (entry, (arch, name)) in Arch::ALL
        .into_iter()
        .zip(["amd64", "arm64", "riscv64"])
        .enumerate()
    {
        let described = &index["manifests"][entry];
        assert_eq!(
            described["digest"],
            format!("sha256:{}", written.manifests[&arch])
        );
        check_image(&layout, described, arch, name);
    }
    let of_one = [
        "--override-os",
        "veridianos",
        "--override-arch",
        "riscv64",
        "inspect",
        &source,
    ];
    let of_one: Value = serde_json::from_slice(&skopeo(&of_one)).unwrap();
    assert_eq!(
        (&of_one["Architecture"], &of_one["Os"]),
        (&"riscv64".into(), &"veridianos".into())
    );
}

#[test]
fn the_same_files_give_the_same_archive() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one.tar"), dir.path().join("two.tar"));
    let shell = dir.path().join("shell");
    fs::write(&shell, vec![7; 300_000]).unwrap();
    assert_eq!(write_image(&one, &shell), write_image(&two, &shell));
    assert!(fs::read(one).unwrap() == fs::read(two).unwrap());
}

#[test]
fn what_cannot_be_an_image_is_refused_and_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let (path, missing) = (dir.path().join("image.tar"), dir.path().join("missing"));
    let version = "0.6.0";
    let refused = |roots| {
        let error = write(&RealWorld::default(), &path, &image(version), &roots);
        error.unwrap_err().to_string()
    };
    let same = vec![init(RootContent::Bytes(b"init"))];
    let error = refused(BTreeMap::from([
        (Arch::X86_64, same.clone()),
        (Arch::Riscv64, same),
    ]));
    assert!(
        error.starts_with("container image for riscv64: expected a root file system of its own"),
        "{error}"
    );
    let absent = vec![init(RootContent::File(&missing))];
    let error = refused(BTreeMap::from([(Arch::X86_64, absent)]));
    assert!(error.contains(&missing.display().to_string()), "{error}");
    assert!(refused(BTreeMap::new()).contains("at least one architecture"));
    assert!(!path.exists());
}
