//! Which crates lock files name.

use crate::PackError;
use crate::vendor_crate::Locked;
use cargo_lock::Lockfile;
use std::collections::BTreeMap;

/// The crates that lock files name, by name and version; packages of the workspaces themselves are left out.
pub(crate) fn read_locks(locks: &[(&str, &str)]) -> Result<BTreeMap<String, Locked>, PackError> {
    let mut crates = BTreeMap::new();
    for (path, text) in locks {
        let lock: Lockfile = text.parse().map_err(|error: cargo_lock::Error| PackError::Lock {
            path: (*path).to_owned(),
            problem: error.to_string(),
        })?;
        for package in lock.packages {
            let Some(source) = &package.source else { continue };
            let (name, version) = (package.name.to_string(), package.version.to_string());
            let wrong = |problem: String| PackError::Crate {
                name: format!("{name} {version}"),
                problem: format!("{path}: {problem}"),
            };
            if !source.is_default_registry() {
                return Err(wrong(format!(
                    "expected a crate of crates.io, got one of {source}"
                )));
            }
            let checksum = package.checksum.as_ref().map(ToString::to_string);
            let checksum = checksum.as_deref().and_then(|text| text.parse().ok());
            let Some(checksum) = checksum else {
                return Err(wrong("expected a SHA-256 checksum, got none".to_owned()));
            };
            let locked = Locked {
                name: name.clone(),
                version: version.clone(),
                checksum,
            };
            if let Some(other) = crates.insert(locked.directory(), locked)
                && other.checksum != checksum
            {
                let other = other.checksum;
                return Err(wrong(format!(
                    "expected one checksum in all lock files, got {other} and {checksum}"
                )));
            }
        }
    }
    Ok(crates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(source: &str, checksum: &str) -> String {
        format!("version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n{source}{checksum}")
    }

    const REGISTRY: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";

    fn checksum(digit: &str) -> String {
        format!("checksum = \"{}\"\n", digit.repeat(64))
    }

    #[test]
    fn own_packages_are_left_out_and_shared_ones_counted_once() {
        let one = lock(REGISTRY, &checksum("1"));
        let own = lock("", "");
        let crates = read_locks(&[("Cargo.lock", &one), ("os/Cargo.lock", &one), ("x", &own)]).unwrap();
        assert_eq!(crates.into_keys().collect::<Vec<_>>(), ["a-1.0.0"]);
    }

    #[test]
    fn what_cannot_be_checked_is_refused() {
        let good = lock(REGISTRY, &checksum("1"));
        let git = lock(
            "source = \"git+https://example.org/a#0123456789abcdef0123456789abcdef01234567\"\n",
            "",
        );
        for (text, expected) in [
            (
                lock(REGISTRY, ""),
                "a 1.0.0: os/Cargo.lock: expected a SHA-256 checksum, got none",
            ),
            (
                lock(REGISTRY, &checksum("2")),
                "expected one checksum in all lock files",
            ),
            (
                git,
                "expected a crate of crates.io, got one of git+https://example.org/a",
            ),
            ("version = 4\nx".to_owned(), "os/Cargo.lock"),
        ] {
            let error = read_locks(&[("Cargo.lock", &good), ("os/Cargo.lock", &text)]).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
