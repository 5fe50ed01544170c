//! What a later edition of a release may do to an earlier one: add to it.

use crate::{Manifest, ManifestArtifact};
use std::collections::BTreeMap;
use std::fmt;

/// What a later manifest of a release changed that was published before, or added without a right to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trespass {
    /// The file, or the manifest's field.
    pub object: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Trespass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.reason)
    }
}

impl Manifest {
    /// What is wrong with this manifest as a later one of the same release. It must say the same of the release, hold every
    /// earlier file with the same length and digests, and add only files of architectures that were lagging and no longer
    /// are; files for all architectures only when none lags any more.
    #[must_use]
    pub fn trespasses_on(&self, earlier: &Self) -> Vec<Trespass> {
        let later = self;
        let mut found = facts(earlier, later);
        let published: BTreeMap<_, _> = later.artifacts.iter().map(|file| (&file.name, file)).collect();
        for artifact in &earlier.artifacts {
            found.extend(kept(
                artifact.name.as_str(),
                published.get(&artifact.name).copied(),
                artifact,
            ));
        }
        let published: BTreeMap<_, _> = later.documents.iter().map(|file| (&file.name, file)).collect();
        for document in &earlier.documents {
            found.extend(kept(
                document.name.as_str(),
                published.get(&document.name).copied(),
                document,
            ));
        }
        for boot in earlier.boots.iter().filter(|boot| !later.boots.contains(boot)) {
            let reason = format!(
                "the record of its boot from {} was changed or dropped",
                boot.medium
            );
            found.push(trespass(boot.artifact.as_str(), reason));
        }
        for artifact in later.added_to(earlier) {
            let allowed = match artifact.arch {
                Some(arch) => {
                    let lags = |manifest: &Self| manifest.lagging.iter().any(|late| late.arch == arch);
                    lags(earlier) && !lags(later)
                }
                None => later.lagging.is_empty(),
            };
            if !allowed {
                let what = artifact
                    .arch
                    .map_or("for all architectures".to_owned(), |arch| format!("for {arch}"));
                let reason = format!("it is {what}, which the release was not waiting for");
                found.push(trespass(artifact.name.as_str(), reason));
            }
        }
        found.extend(lagging(earlier, later));
        found
    }

    /// The artifacts that this manifest has and an earlier one of the same release has not.
    pub fn added_to<'m>(&'m self, earlier: &'m Self) -> impl Iterator<Item = &'m ManifestArtifact> {
        let is_new =
            |artifact: &&ManifestArtifact| !earlier.artifacts.iter().any(|old| old.name == artifact.name);
        self.artifacts.iter().filter(is_new)
    }
}

fn trespass(object: &str, reason: impl Into<String>) -> Trespass {
    Trespass {
        object: object.to_owned(),
        reason: reason.into(),
    }
}

fn kept<T: PartialEq>(name: &str, found: Option<&T>, expected: &T) -> Option<Trespass> {
    match found {
        Some(found) if found == expected => None,
        Some(_) => Some(trespass(name, "it was published before with other content")),
        None => Some(trespass(name, "it was published before, and is dropped")),
    }
}

/// What both must say of the release.
fn facts(earlier: &Manifest, later: &Manifest) -> Vec<Trespass> {
    let none = || "none".to_owned();
    let previous = |manifest: &Manifest| manifest.previous.as_ref().map_or_else(none, ToString::to_string);
    let of = |manifest: &Manifest| {
        [
            ("product", manifest.product.clone()),
            ("product_name", manifest.product_name.clone()),
            ("version", manifest.version.to_string()),
            ("channel", manifest.channel.to_string()),
            ("commit", manifest.commit.clone()),
            ("tag", manifest.tag.clone().unwrap_or_else(none)),
            ("created", manifest.created.to_string()),
            ("source_date_epoch", manifest.source_date_epoch.to_string()),
            ("toolchain", manifest.toolchain.to_string()),
            ("previous", previous(manifest)),
        ]
    };
    let both = of(earlier).into_iter().zip(of(later));
    both.filter(|(before, after)| before != after)
        .map(|((field, before), (_, after))| {
            trespass(
                field,
                format!("it was {before} when the release was published, and is {after}"),
            )
        })
        .collect()
}

/// Fewer architectures must lag, and the others as long as before.
fn lagging(earlier: &Manifest, later: &Manifest) -> Option<Trespass> {
    if let Some(late) = later.lagging.iter().find(|late| !earlier.lagging.contains(late)) {
        let reason = format!(
            "{} is said to lag until {}, which it did not",
            late.arch, late.until
        );
        return Some(trespass("lagging", reason));
    }
    (later.lagging.len() >= earlier.lagging.len()).then(|| trespass("lagging", "no architecture was added"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arch, Blake2bDigest, BootRecord, LaggingArch, ManifestDocument, Sha256Digest};

    fn artifact(name: &str, arch: Option<Arch>) -> ManifestArtifact {
        ManifestArtifact {
            name: name.parse().unwrap(),
            kind: "iso".parse().unwrap(),
            arch,
            length: 1,
            sha256: Sha256Digest::new([1; 32]),
            blake2b: Blake2bDigest::new([1; 64]),
        }
    }

    fn first() -> Manifest {
        Manifest {
            schema: 1,
            product_name: "OS".into(),
            product: "os".into(),
            version: "0.6.0-rc1".parse().unwrap(),
            channel: "beta".parse().unwrap(),
            commit: "1".repeat(40),
            tag: Some("v0.6.0-rc1".into()),
            created: "2026-11-21T03:00:00Z".parse().unwrap(),
            source_date_epoch: 1,
            toolchain: Sha256Digest::new([2; 32]),
            previous: None,
            artifacts: vec![artifact("x.iso", Some(Arch::X86_64))],
            documents: vec![ManifestDocument {
                name: "release-notes.md".parse().unwrap(),
                length: 1,
                sha256: Sha256Digest::new([3; 32]),
            }],
            boots: vec![BootRecord {
                artifact: "x.iso".parse().unwrap(),
                medium: "iso".into(),
                machine: "q35".into(),
                identity: "OS".into(),
            }],
            lagging: [Arch::Aarch64, Arch::Riscv64]
                .map(|arch| LaggingArch {
                    arch,
                    until: "2026-11-24T03:00:00Z".parse().unwrap(),
                })
                .into(),
        }
    }

    fn found(change: impl FnOnce(&mut Manifest)) -> Vec<String> {
        let mut later = first();
        later.artifacts.push(artifact("r.iso", Some(Arch::Riscv64)));
        later.lagging.retain(|late| late.arch != Arch::Riscv64);
        change(&mut later);
        later
            .trespasses_on(&first())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn what_was_lagging_may_be_added_and_nothing_else_may_change() {
        assert_eq!(found(|_| {}), [""; 0]);
        let only = |change: fn(&mut Manifest), expected: &str| {
            let found = found(change);
            assert!(found.len() == 1 && found[0] == expected, "{expected}: {found:#?}");
        };
        only(
            |m| drop(m.artifacts.remove(0)),
            "x.iso: it was published before, and is dropped",
        );
        only(
            |m| m.artifacts[0].length = 2,
            "x.iso: it was published before with other content",
        );
        only(
            |m| m.artifacts[0].sha256 = Sha256Digest::new([9; 32]),
            "x.iso: it was published before with other content",
        );
        only(
            |m| m.documents.clear(),
            "release-notes.md: it was published before, and is dropped",
        );
        only(
            |m| m.boots.clear(),
            "x.iso: the record of its boot from iso was changed or dropped",
        );
        only(
            |m| m.source_date_epoch = 2,
            "source_date_epoch: it was 1 when the release was published, and is 2",
        );
        only(
            |m| m.artifacts.push(artifact("y.iso", Some(Arch::X86_64))),
            "y.iso: it is for x86_64, which the release was not waiting for",
        );
        only(
            |m| m.artifacts.push(artifact("a.iso", Some(Arch::Aarch64))),
            "a.iso: it is for aarch64, which the release was not waiting for",
        );
        only(
            |m| m.artifacts.push(artifact("oci.tar", None)),
            "oci.tar: it is for all architectures, which the release was not waiting for",
        );
        only(
            |m| m.lagging[0].until = m.lagging[0].until.plus_days(1),
            "lagging: aarch64 is said to lag until 2026-11-25T03:00:00Z, which it did not",
        );
        let whole = |m: &mut Manifest| {
            m.lagging.clear();
            m.artifacts.push(artifact("a.iso", Some(Arch::Aarch64)));
            m.artifacts.push(artifact("oci.tar", None));
        };
        assert_eq!(found(whole), [""; 0]);
        let same = first().trespasses_on(&first());
        assert_eq!(same, [trespass("lagging", "no architecture was added")]);
    }
}
