//! Editions of a release: what it was published with, and each time that architectures were added to it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Which edition of a release: 1 as it was published first, one more each time that lagging architectures are added. An
/// edition has a manifest, checksums and documents of its own, under names that end with its number; published files
/// never change, so each edition holds everything of the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Edition(u8);

/// Why a number is not an edition's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the number of an edition; expected 1 to 9")]
pub struct EditionError(pub u8);

/// The last edition that a release can have. Each adds an architecture at least, so that no release comes near it.
const LAST: u8 = 9;

impl Edition {
    /// What a release is published with.
    pub const FIRST: Self = Self(1);

    /// Its number, from 1.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether it is what the release was published with.
    #[must_use]
    pub fn is_first(self) -> bool {
        self == Self::FIRST
    }

    /// The one after it; `None` after the last that there can be.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        (self.0 < LAST).then_some(Self(self.0 + 1))
    }

    /// All that there can be, from the first.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (1..=LAST).map(Self)
    }

    /// Those before it, from the first.
    pub fn earlier(self) -> impl DoubleEndedIterator<Item = Self> {
        (1..self.0).map(Self)
    }

    /// The name that a file of the first edition has in this one: `manifest-2.json`, `SHA256SUMS-2`, `sbom-2.cdx.json`.
    /// The number stands before the endings, which are all of lower-case letters.
    #[must_use]
    pub fn name(self, first: &str) -> String {
        if self.is_first() {
            return first.to_owned();
        }
        let is_ending =
            |ending: &str| !ending.is_empty() && ending.bytes().all(|byte| byte.is_ascii_lowercase());
        let mut stem = first;
        while let Some((rest, ending)) = stem.rsplit_once('.') {
            if rest.is_empty() || !is_ending(ending) {
                break;
            }
            stem = rest;
        }
        format!("{stem}-{}{}", self.0, &first[stem.len()..])
    }

    /// The name of its manifest.
    #[must_use]
    pub fn manifest(self) -> String {
        self.name("manifest.json")
    }

    /// The name of its list of checksums.
    #[must_use]
    pub fn sums(self) -> String {
        self.name("SHA256SUMS")
    }

    /// The edition whose manifest has this name, exactly.
    #[must_use]
    pub fn of_manifest(name: &str) -> Option<Self> {
        Self::all().find(|edition| edition.manifest() == name)
    }
}

impl TryFrom<u8> for Edition {
    type Error = EditionError;

    fn try_from(number: u8) -> Result<Self, EditionError> {
        if (1..=LAST).contains(&number) {
            Ok(Self(number))
        } else {
            Err(EditionError(number))
        }
    }
}

impl From<Edition> for u8 {
    fn from(edition: Edition) -> Self {
        edition.0
    }
}

impl fmt::Display for Edition {
    /// The number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Edition {
    type Err = EditionError;

    fn from_str(text: &str) -> Result<Self, EditionError> {
        text.parse::<u8>().map_or(Err(EditionError(0)), Self::try_from)
    }
}

/// An edition after the first as its manifest's name. No other text is taken, so that a name can lead nowhere else.
pub(crate) mod as_manifest_name {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(edition: &Edition, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&edition.manifest())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Edition, D::Error> {
        let name = String::deserialize(deserializer)?;
        let edition = Edition::of_manifest(&name).filter(|edition| !edition.is_first());
        edition.ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{}` is not the name of a later manifest; expected manifest-2.json to manifest-{LAST}.json",
                name.escape_debug()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_stands_before_the_endings() {
        let second = Edition::FIRST.next().unwrap();
        for (first, expected) in [
            ("manifest.json", "manifest-2.json"),
            ("SHA256SUMS", "SHA256SUMS-2"),
            ("release-notes.md", "release-notes-2.md"),
            ("sbom.cdx.json", "sbom-2.cdx.json"),
            ("os-0.6.0-rc1.spdx.json", "os-0.6.0-rc1-2.spdx.json"),
            ("os-0.6.0", "os-0.6.0-2"),
            ("a.", "a.-2"),
        ] {
            assert_eq!(second.name(first), expected);
            assert_eq!(Edition::FIRST.name(first), first);
        }
    }

    #[test]
    fn an_edition_is_known_by_its_manifests_exact_name() {
        for edition in Edition::all() {
            assert_eq!(Edition::of_manifest(&edition.manifest()), Some(edition));
        }
        for strange in [
            "",
            "manifest-1.json",
            "manifest-10.json",
            "manifest-02.json",
            "../manifest-2.json",
            "Manifest-2.json",
        ] {
            assert_eq!(Edition::of_manifest(strange), None, "{strange}");
        }
        let third: Edition = serde_json::from_str("3").unwrap();
        assert_eq!(third.earlier().map(Edition::number).collect::<Vec<_>>(), [1, 2]);
        assert!(
            serde_json::from_str::<Edition>("0").is_err() && serde_json::from_str::<Edition>("10").is_err()
        );
        assert_eq!(Edition::all().last().unwrap().next(), None);
        assert!("0".parse::<Edition>().is_err() && "x".parse::<Edition>().is_err());
    }
}
