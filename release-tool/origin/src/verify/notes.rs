//! The release notes' download section: people copy checksums and links from it, so each must be true.

use super::SIGNATURE;
use super::editions::Came;
use std::collections::{BTreeMap, BTreeSet};
use vrel_model::{Edition, Manifest};

/// What is untrue in the notes of a release, or missing in them. Expected is one section whose heading begins with
/// "Download", and in it for every artifact that came with them one line with its name and its SHA-256.
pub(super) fn check(content: &[u8], came: &Came<'_>) -> Vec<String> {
    let manifest = &came.with.manifest;
    let Ok(text) = std::str::from_utf8(content) else {
        return vec!["it is not UTF-8".to_owned()];
    };
    let section = section(text);
    if section.is_empty() {
        return vec!["it has no section whose heading begins with `Download`".to_owned()];
    }
    let artifacts: BTreeMap<&str, String> = came
        .artifacts
        .iter()
        .map(|artifact| (artifact.name.as_str(), artifact.sha256.to_string()))
        .collect();
    let mut problems = Vec::new();
    let mut listed = BTreeSet::new();
    for (number, line) in section {
        let named: BTreeSet<&str> = words(line).filter(|word| artifacts.contains_key(word)).collect();
        let digests: BTreeSet<&str> = words(line).filter(|word| is_sha256(word)).collect();
        for digest in &digests {
            match named.iter().next() {
                Some(name)
                    if named.len() == 1 && artifacts.get(name).is_some_and(|sha256| sha256 == digest) =>
                {
                    listed.insert(*name);
                }
                Some(name) if named.len() == 1 => problems.push(format!(
                    "line {number} gives {digest} as the checksum of {name}, expected {}",
                    artifacts.get(name).map_or("none", String::as_str)
                )),
                _ => problems.push(format!(
                    "line {number} gives the checksum {digest} of no artifact, or of several"
                )),
            }
        }
        for target in links(line) {
            if !leads_somewhere(target, came.with.edition, manifest) {
                problems.push(format!(
                    "line {number} links to `{target}`, which is not part of the release"
                ));
            }
        }
    }
    for name in artifacts.keys().filter(|name| !listed.contains(*name)) {
        problems.push(format!(
            "its download section does not give the checksum of {name}"
        ));
    }
    problems
}

/// The lines of the download section with their numbers, from its heading to the next of the same or a higher level.
fn section(text: &str) -> Vec<(usize, &str)> {
    let level = |line: &str| {
        let hashes = line.len() - line.trim_start_matches('#').len();
        (1..=6)
            .contains(&hashes)
            .then_some(hashes)
            .filter(|hashes| line[*hashes..].starts_with(' '))
    };
    let mut lines = Vec::new();
    let mut inside = None;
    for (index, line) in text.lines().enumerate() {
        if let Some(found) = level(line) {
            let title = line.trim_start_matches('#').trim_start().to_ascii_lowercase();
            match inside {
                Some(own) if found > own => {}
                _ => inside = title.starts_with("download").then_some(found),
            }
        }
        if inside.is_some() {
            lines.push((index + 1, line));
        }
    }
    lines
}

/// The longest pieces of a line that could be file names or digests.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || "._+-".contains(c)))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| !word.is_empty())
}

fn is_sha256(word: &str) -> bool {
    word.len() == 64
        && word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The targets of a line's links, `[text](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
}

/// Whether a link's target is a file of the release, or lies outside of the origin altogether.
fn leads_somewhere(target: &str, edition: Edition, manifest: &Manifest) -> bool {
    let directory = format!("releases/{}/", manifest.version);
    let file = match target.rsplit_once(&directory) {
        Some((_, file)) => file,
        None if target.contains("://") || target.starts_with(['#', '/']) || target.starts_with("mailto:") => {
            return true;
        }
        None => target.strip_prefix("./").unwrap_or(target),
    };
    let artifact = |name: &str| {
        manifest
            .artifacts
            .iter()
            .any(|artifact| artifact.name.as_str() == name)
    };
    let lists = |edition: Edition, name: &str| name == edition.manifest() || name == edition.sums();
    let signed = |name: &str| {
        artifact(name) || lists(edition, name) || edition.earlier().any(|earlier| lists(earlier, name))
    };
    let document = |name: &str| {
        manifest
            .documents
            .iter()
            .any(|document| document.name.as_str() == name)
    };
    signed(file) || document(file) || file.strip_suffix(SIGNATURE).is_some_and(signed)
}
