//! Files that a manifest of the supply chain answers for, and how two lists of them differ.

use std::collections::BTreeMap;
use std::fmt;
use vrel_model::{ArtifactName, Sha256Digest};

/// A file that a statement or a bill of materials is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name in the release's directory.
    pub name: ArtifactName,
    /// Its SHA-256.
    pub sha256: Sha256Digest,
}

/// A file of which a manifest says something else than what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectMismatch {
    /// It does not name the file.
    Missing {
        /// The file.
        name: ArtifactName,
    },
    /// It names a file that is not there.
    Unexpected {
        /// The file.
        name: ArtifactName,
    },
    /// It means other content.
    Digest {
        /// The file.
        name: ArtifactName,
        /// SHA-256 of what is there.
        expected: Sha256Digest,
        /// SHA-256 that it states.
        found: Sha256Digest,
    },
}

impl fmt::Display for SubjectMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name } => write!(f, "it does not name {name}"),
            Self::Unexpected { name } => write!(f, "it names {name}, which is not a file of the release"),
            Self::Digest {
                name,
                expected,
                found,
            } => write!(f, "it states the sha256 {found} for {name}, expected {expected}"),
        }
    }
}

/// Every file that one list has and the other does not, or has with another digest, sorted by name.
#[must_use]
pub fn subject_mismatches(expected: &[Subject], found: &[Subject]) -> Vec<SubjectMismatch> {
    let mut rest = by_name(found);
    let mut mismatches = BTreeMap::new();
    for (name, expected) in by_name(expected) {
        let mismatch = match rest.remove(name) {
            None => SubjectMismatch::Missing { name: name.clone() },
            Some(found) if found != expected => SubjectMismatch::Digest {
                name: name.clone(),
                expected,
                found,
            },
            Some(_) => continue,
        };
        mismatches.insert(name, mismatch);
    }
    mismatches.extend(
        rest.into_keys()
            .map(|name| (name, SubjectMismatch::Unexpected { name: name.clone() })),
    );
    mismatches.into_values().collect()
}

fn by_name(subjects: &[Subject]) -> BTreeMap<&ArtifactName, Sha256Digest> {
    subjects
        .iter()
        .map(|subject| (&subject.name, subject.sha256))
        .collect()
}

/// The first name that stands for two subjects.
pub(crate) fn doubled(subjects: &[Subject]) -> Option<&ArtifactName> {
    let mut names = std::collections::BTreeSet::new();
    subjects
        .iter()
        .map(|subject| &subject.name)
        .find(|name| !names.insert(*name))
}
