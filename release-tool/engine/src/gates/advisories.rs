//! Comparing the crates of lock files with a copy of the RustSec advisory database.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use vrel_model::toml_file;
use vrel_world::{FileKind, Fs, WorldError};

/// An advisory's head, the TOML block that its file starts with.
#[derive(Deserialize)]
struct Head {
    advisory: Advisory,
    #[serde(default)]
    versions: Versions,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    package: String,
    informational: Option<String>,
    withdrawn: Option<toml::Value>,
}

#[derive(Default, Deserialize)]
struct Versions {
    #[serde(default)]
    patched: Vec<semver::VersionReq>,
    #[serde(default)]
    unaffected: Vec<semver::VersionReq>,
}

#[derive(Deserialize)]
struct LockFile {
    #[serde(default)]
    package: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    version: semver::Version,
    source: Option<String>,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// How many advisories were read.
    pub(super) advisories: usize,
    /// How many crates were compared.
    pub(super) crates: usize,
    /// The vulnerable ones: `name version (RUSTSEC-…)`.
    pub(super) vulnerable: Vec<String>,
    /// Those that somebody warns of for another reason.
    pub(super) warned: Vec<String>,
}

/// The crates from a registry in a lock file.
pub(super) fn locked(path: &Path, text: &str) -> Result<BTreeSet<(String, semver::Version)>, String> {
    let file: LockFile = toml_file::parse(path, text).map_err(|error| error.to_string())?;
    let packages = file.package.into_iter();
    Ok(packages
        .filter(|package| package.source.is_some())
        .map(|package| (package.name, package.version))
        .collect())
}

/// Why the database cannot be used.
pub(super) enum Unusable {
    /// The machine failed.
    World(WorldError),
    /// It is not there, or not what it should be.
    NotAvailable(String),
}

impl From<WorldError> for Unusable {
    fn from(error: WorldError) -> Self {
        Self::World(error)
    }
}

/// Compares crates with the database in a directory.
pub(super) fn scan(
    fs: &dyn Fs,
    database: &Path,
    crates: &BTreeSet<(String, semver::Version)>,
) -> Result<Scan, Unusable> {
    let dir = database.join("crates");
    let is_dir = |path: &Path| -> Result<bool, WorldError> {
        let found = fs.metadata(path)?;
        Ok(found.is_some_and(|found| found.kind == FileKind::Directory))
    };
    if !is_dir(&dir)? {
        let said = format!("there is no advisory database at {}", database.display());
        return Err(Unusable::NotAvailable(said));
    }
    let mut scan = Scan {
        crates: crates.len(),
        ..Scan::default()
    };
    let mut by_name: BTreeMap<&str, Vec<&semver::Version>> = BTreeMap::new();
    for (name, version) in crates {
        by_name.entry(name).or_default().push(version);
    }
    for entry in fs.list(&dir)? {
        let package = dir.join(&entry.name);
        if entry.kind != FileKind::Directory {
            continue;
        }
        let files: Vec<_> = fs
            .list(&package)?
            .into_iter()
            .filter(|file| file.kind == FileKind::File && file.name.ends_with(".md"))
            .collect();
        scan.advisories += files.len();
        // Only those of crates that are used need to be understood.
        let Some(versions) = by_name.get(entry.name.as_str()) else {
            continue;
        };
        for file in files {
            let path = package.join(&file.name);
            let text = String::from_utf8_lossy(&fs.read(&path)?).into_owned();
            let head = head(&path, &text).map_err(Unusable::NotAvailable)?;
            compare(&head, &entry.name, versions, &mut scan);
        }
    }
    if scan.advisories == 0 {
        let said = format!("the advisory database at {} is empty", database.display());
        return Err(Unusable::NotAvailable(said));
    }
    Ok(scan)
}

fn head(path: &Path, text: &str) -> Result<Head, String> {
    let block = text
        .trim_start()
        .strip_prefix("```toml")
        .and_then(|rest| rest.split_once("\n```"))
        .map(|(block, _)| block);
    let block = block.ok_or_else(|| format!("{}: it does not start with a block of TOML", path.display()))?;
    toml_file::parse(path, block).map_err(|error| error.to_string())
}

fn compare(head: &Head, name: &str, versions: &[&semver::Version], scan: &mut Scan) {
    let Head {
        advisory,
        versions: fixed,
    } = head;
    if advisory.withdrawn.is_some() || advisory.package != name {
        return;
    }
    for version in versions {
        let safe = |all: &[semver::VersionReq]| all.iter().any(|one| one.matches(version));
        if safe(&fixed.patched) || safe(&fixed.unaffected) {
            continue;
        }
        match &advisory.informational {
            None => scan
                .vulnerable
                .push(format!("{name} {version} ({})", advisory.id)),
            Some(kind) => scan
                .warned
                .push(format!("{name} {version} ({}, {kind})", advisory.id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_world::{RealWorld, World};

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n\n\
        [[package]]\nname = \"leaky\"\nversion = \"1.2.3\"\nsource = \"registry+https://example.org\"\nchecksum = \"x\"\n\n\
        [[package]]\nname = \"sound\"\nversion = \"2.0.0\"\nsource = \"registry+https://example.org\"\n";

    fn advisory(id: &str, package: &str, more: &str, patched: &str) -> String {
        format!(
            "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2026-01-01\"\n{more}\n\
             [versions]\npatched = [{patched}]\n```\n\n# It leaks\n\nMore than it should.\n"
        )
    }

    fn scanned(files: &[(&str, String)]) -> Result<Scan, String> {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join("crates").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let crates = locked(Path::new("Cargo.lock"), LOCK).unwrap();
        assert_eq!(crates.len(), 2);
        let world = RealWorld::default();
        scan(world.fs(), dir.path(), &crates).map_err(|error| match error {
            Unusable::NotAvailable(said) => said,
            Unusable::World(error) => error.to_string(),
        })
    }

    #[test]
    fn a_vulnerable_version_is_named_and_a_patched_one_is_not() {
        let bad = advisory("RUSTSEC-2026-0001", "leaky", "", "\">= 1.2.4\"");
        let found = scanned(&[("leaky/RUSTSEC-2026-0001.md", bad)]).unwrap();
        assert_eq!(found.vulnerable, ["leaky 1.2.3 (RUSTSEC-2026-0001)"]);
        assert_eq!((found.crates, found.advisories), (2, 1));
        let good = advisory("RUSTSEC-2026-0001", "leaky", "", "\">= 1.2.3\"");
        assert_eq!(
            scanned(&[("leaky/RUSTSEC-2026-0001.md", good)])
                .unwrap()
                .vulnerable,
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_is_informational_warns_and_what_is_withdrawn_does_not_count() {
        let old = advisory(
            "RUSTSEC-2026-0002",
            "sound",
            "informational = \"unmaintained\"",
            "",
        );
        let gone = advisory("RUSTSEC-2026-0003", "sound", "withdrawn = \"2026-02-01\"", "");
        let found = scanned(&[
            ("sound/RUSTSEC-2026-0002.md", old),
            ("sound/RUSTSEC-2026-0003.md", gone),
        ])
        .unwrap();
        assert_eq!(found.vulnerable, Vec::<String>::new());
        assert_eq!(found.warned, ["sound 2.0.0 (RUSTSEC-2026-0002, unmaintained)"]);
    }

    #[test]
    fn a_database_that_is_not_there_or_damaged_never_passes() {
        assert!(
            scanned(&[])
                .unwrap_err()
                .contains("there is no advisory database")
        );
        let error = scanned(&[("leaky/RUSTSEC-2026-0001.md", "# no head".to_owned())]).unwrap_err();
        assert!(error.contains("does not start with a block of TOML"), "{error}");
        let error = scanned(&[("other/readme.txt", String::new())]).unwrap_err();
        assert!(error.contains("is empty"), "{error}");
    }
}
