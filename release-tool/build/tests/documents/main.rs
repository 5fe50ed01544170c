//! The documents that other programs help to make: manual pages and the reference.

mod api_docs;
mod man_pages;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The operating system's sources.
fn os() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../os")
        .canonicalize()
        .unwrap()
}

/// The files of a tree, by their paths in it.
fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(dir: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), &format!("{path}/"), found);
            } else {
                found.insert(path, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(dir, "", &mut found);
    found
}

fn assert_same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    assert!(
        one.keys().eq(other.keys()),
        "{:?}\n{:?}",
        one.keys(),
        other.keys()
    );
    let differing: Vec<_> = one
        .iter()
        .filter(|(path, content)| other[*path] != **content)
        .map(|(path, _)| path)
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
}

/// Has `tidy` check a page; it says nothing of one without mistakes.
fn assert_valid_html(path: &Path) {
    let output = Command::new("tidy")
        .args(["-quiet", "-errors", "-utf8", "--drop-empty-elements", "no"])
        .arg(path)
        .output()
        .unwrap_or_else(|error| panic!("tidy (see requirements.toml): {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}:\n{said}", path.display());
}

/// Every link of a page that stays in the tree leads to a file of it.
fn assert_links_lead_somewhere(files: &BTreeMap<String, Vec<u8>>, page: &str) {
    let html = String::from_utf8(files[page].clone()).unwrap();
    let dir = page.rsplit_once('/').map_or("", |(dir, _)| dir);
    for address in html
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        let target = address.split('#').next().unwrap();
        // `$` stands in a script that puts names together.
        if target.is_empty() || target.contains([':', '$']) {
            continue;
        }
        let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
        for part in target.split('/') {
            match part {
                ".." => {
                    parts
                        .pop()
                        .unwrap_or_else(|| panic!("{page}: {address} leaves the tree"));
                }
                _ => parts.push(part),
            }
        }
        assert!(files.contains_key(&parts.join("/")), "{page}: {address}");
    }
}
