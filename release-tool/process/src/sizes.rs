//! How big artifacts are, beside those of another release.

use crate::Finding;
use serde::Serialize;
use std::collections::BTreeMap;
use vrel_model::{Arch, ArtifactKind, ByteSize, ManifestArtifact, PlannedArtifact, Sha256Digest};

/// One artifact in two releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SizeChange {
    /// What it is.
    pub kind: ArtifactKind,
    /// For which architecture, or none.
    pub arch: Option<Arch>,
    /// Bytes in the earlier release; `None` when it did not carry the artifact.
    pub before: Option<u64>,
    /// Bytes in the later release; `None` when it does not carry the artifact.
    pub after: Option<u64>,
    /// Whether the bytes are the same.
    pub same: bool,
}

impl SizeChange {
    /// By how much it grew, in tenths of a percent; negative when it shrank, `None` when one release lacks it or it was
    /// empty.
    #[must_use]
    pub fn growth(&self) -> Option<i64> {
        let (before, after) = (i128::from(self.before?), i128::from(self.after?));
        let growth = ((after - before) * 1000).checked_div(before)?;
        i64::try_from(growth).ok()
    }
}

/// The artifacts of two releases side by side, by kind and architecture.
#[must_use]
pub fn compare_sizes(before: &[ManifestArtifact], after: &[ManifestArtifact]) -> Vec<SizeChange> {
    type Sizes = (Option<(u64, Sha256Digest)>, Option<(u64, Sha256Digest)>);
    let mut rows: BTreeMap<(&ArtifactKind, Option<Arch>), Sizes> = BTreeMap::new();
    for artifact in before {
        let row = rows.entry((&artifact.kind, artifact.arch)).or_default();
        row.0 = Some((artifact.length, artifact.sha256));
    }
    for artifact in after {
        let row = rows.entry((&artifact.kind, artifact.arch)).or_default();
        row.1 = Some((artifact.length, artifact.sha256));
    }
    rows.into_iter()
        .map(|((kind, arch), (before, after))| SizeChange {
            kind: kind.clone(),
            arch,
            before: before.map(|(length, _)| length),
            after: after.map(|(length, _)| length),
            same: before.is_some() && before == after,
        })
        .collect()
}

/// Holds what was made to the sizes that the policies allow: each artifact with its length, and the artifacts of the
/// release before, where there is one.
#[must_use]
pub fn check_sizes(made: &[(&PlannedArtifact, u64)], previous: Option<&[ManifestArtifact]>) -> Vec<Finding> {
    const CHECK: &str = "size";
    let mut findings = Vec::new();
    for (artifact, length) in made {
        let policy = format!("artifacts/{}.toml", artifact.kind);
        if *length > artifact.max_size.0 {
            let message = format!(
                "{} is {} large; its policy allows {}",
                artifact.name,
                ByteSize(*length),
                artifact.max_size
            );
            let hint = format!("make it smaller, or raise `max-size` in {policy}");
            findings.push(Finding::policy(CHECK, message).hint(hint));
        }
        let before = previous.and_then(|previous| {
            previous
                .iter()
                .find(|before| before.kind == artifact.kind && before.arch == artifact.arch)
        });
        if let (Some(before), Some(percent)) = (before, artifact.max_growth) {
            let allowed = u128::from(before.length) * (100 + u128::from(percent)) / 100;
            if u128::from(*length) > allowed {
                let message = format!(
                    "{} grew from {} to {}; its policy allows {percent} % more",
                    artifact.name,
                    ByteSize(before.length),
                    ByteSize(*length)
                );
                let hint = format!("make it smaller, or raise `max-growth` in {policy}");
                findings.push(Finding::policy(CHECK, message).hint(hint));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_model::{Blake2bDigest, Packer};

    fn artifact(kind: &str, arch: Option<Arch>, length: u64) -> ManifestArtifact {
        ManifestArtifact {
            name: format!("{kind}-{length}").parse().unwrap(),
            kind: kind.parse().unwrap(),
            arch,
            length,
            sha256: Sha256Digest::new([length as u8; 32]),
            blake2b: Blake2bDigest::new([0; 64]),
        }
    }

    #[test]
    fn releases_are_compared_by_kind_and_architecture() {
        let x86 = Some(Arch::X86_64);
        let before = [
            artifact("iso", x86, 1000),
            artifact("source", None, 50),
            artifact("old", None, 1),
        ];
        let after = [
            artifact("iso", x86, 1255),
            artifact("source", None, 50),
            artifact("new", None, 2),
        ];
        let rows = compare_sizes(&before, &after);
        let row = |kind: &str| rows.iter().find(|row| row.kind.as_str() == kind).unwrap();
        assert_eq!(rows.len(), 4);
        assert_eq!((row("iso").growth(), row("iso").same), (Some(255), false));
        assert_eq!((row("source").growth(), row("source").same), (Some(0), true));
        assert_eq!((row("old").before, row("old").after), (Some(1), None));
        assert_eq!((row("new").growth(), row("new").same), (None, false));
        assert_eq!(compare_sizes(&after, &before)[0].growth(), Some(-203));
    }

    #[test]
    fn what_is_too_big_or_grew_too_much_is_named_with_its_policy() {
        let planned = PlannedArtifact {
            name: "x.iso".parse().unwrap(),
            kind: "iso".parse().unwrap(),
            packer: Packer::Iso,
            arch: None,
            from: None,
            description: String::new(),
            max_size: ByteSize(2000),
            max_growth: Some(10),
            boot: Vec::new(),
            options: serde_json::Value::Null,
        };
        let previous = [artifact("iso", None, 1000)];
        let texts = |length| -> Vec<String> {
            let findings = check_sizes(&[(&planned, length)], Some(&previous));
            findings.into_iter().map(|finding| finding.message).collect()
        };
        assert_eq!(texts(1100), [""; 0]);
        assert!(
            texts(1101)[0].contains("x.iso grew from 1000 B to 1.0 KiB"),
            "{:?}",
            texts(1101)
        );
        assert_eq!(texts(2001).len(), 2);
        assert_eq!(check_sizes(&[(&planned, 2000)], None), []);
    }
}
