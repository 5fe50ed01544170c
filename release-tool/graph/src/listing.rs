//! What is in a source tree.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vrel_model::Sha256Digest;
use vrel_trust::digest_bytes;

/// One name in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Listed {
    /// A directory.
    Directory,
    /// A file that cannot be executed, with the digest of its content.
    File(Sha256Digest),
    /// A file that can.
    Executable(Sha256Digest),
}

/// All names in a tree, by relative path. Its digest is the tree's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Listing {
    entries: BTreeMap<String, Listed>,
}

impl Listing {
    pub(crate) fn insert(&mut self, path: String, listed: Listed) {
        self.entries.insert(path, listed);
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// One spelling for equal listings: the paths are sorted.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // Maps of strings and enums always become JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(crate) fn digest(&self) -> Sha256Digest {
        digest_bytes(&self.to_bytes()).sha256
    }

    /// The paths that one of the two has and the other has not or has differently.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut differ: Vec<String> = Vec::new();
        for (path, listed) in &self.entries {
            if other.entries.get(path) != Some(listed) {
                differ.push(path.clone());
            }
        }
        differ.extend(
            other
                .entries
                .keys()
                .filter(|path| !self.entries.contains_key(*path))
                .cloned(),
        );
        differ.sort();
        differ
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_tells_trees_apart_and_says_where() {
        let digest = |byte| Sha256Digest::new([byte; 32]);
        let mut one = Listing::default();
        one.insert("a".to_owned(), Listed::File(digest(1)));
        one.insert("b".to_owned(), Listed::Directory);
        let mut two = one.clone();
        assert_eq!(one.digest(), two.digest());
        two.insert("a".to_owned(), Listed::Executable(digest(1)));
        two.insert("b/c".to_owned(), Listed::File(digest(2)));
        assert_ne!(one.digest(), two.digest());
        assert_eq!(one.differences(&two), ["a", "b/c"]);
        assert_eq!(two.differences(&one), ["a", "b/c"]);
        assert_eq!(Listing::parse(&two.to_bytes()).unwrap(), two);
        assert_eq!(Listing::parse(b"[]"), None);
    }
}
