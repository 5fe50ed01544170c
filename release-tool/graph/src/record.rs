//! What the cache writes down.

use crate::{Recipe, canonical_json};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vrel_model::{Blake2bDigest, Sha256Digest, UtcTime};
use vrel_trust::{Digests, digest_bytes};

/// The format of records; one of another format is not read.
const FORMAT: u32 = 1;

/// A file that a node made: an object of the cache. [`crate::Cache::path`] says where it is, once it has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CachedFile {
    /// Length in bytes.
    pub length: u64,
    /// SHA-256.
    pub sha256: Sha256Digest,
    /// BLAKE2b-512.
    pub blake2b: Blake2bDigest,
}

impl From<Digests> for CachedFile {
    fn from(digests: Digests) -> Self {
        let Digests {
            length,
            sha256,
            blake2b,
        } = digests;
        Self {
            length,
            sha256,
            blake2b,
        }
    }
}

impl From<CachedFile> for Digests {
    fn from(file: CachedFile) -> Self {
        let CachedFile {
            length,
            sha256,
            blake2b,
        } = file;
        Self {
            length,
            sha256,
            blake2b,
        }
    }
}

/// The files that a node made, by output.
pub(crate) type Outputs = BTreeMap<String, CachedFile>;

/// What was made by a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ActionRecord {
    format: u32,
    /// The node that made it first, for people who look into the cache.
    pub(crate) node: String,
    pub(crate) recipe: Recipe,
    pub(crate) outputs: Outputs,
    /// When a run last used it, give or take [`PRECISION_DAYS`].
    pub(crate) last_used: UtcTime,
    /// The digest of all of the above.
    check: Option<Sha256Digest>,
}

/// How old the time of the last use may become before it is written anew: a run that builds nothing is to write nothing.
pub(crate) const PRECISION_DAYS: u32 = 1;

impl ActionRecord {
    pub(crate) fn new(node: &str, recipe: Recipe, outputs: Outputs, last_used: UtcTime) -> Self {
        Self {
            format: FORMAT,
            node: node.to_owned(),
            recipe,
            outputs,
            last_used,
            check: None,
        }
    }

    fn digest(&self) -> Option<Sha256Digest> {
        let unchecked = Self {
            check: None,
            ..self.clone()
        };
        let value = serde_json::to_value(unchecked).ok()?;
        Some(digest_bytes(canonical_json(&value).as_bytes()).sha256)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let checked = Self {
            check: self.digest(),
            ..self.clone()
        };
        // Strings, numbers and maps with text as keys always become JSON.
        let mut bytes = serde_json::to_vec_pretty(&checked).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads the record of a key.
    ///
    /// # Errors
    /// In words, why it is not one: a bit that changed on the disk must not give a file under the wrong name.
    pub(crate) fn parse(bytes: &[u8], key: Sha256Digest) -> Result<Self, String> {
        let record: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("expected a record, got {error}"))?;
        if record.format != FORMAT {
            return Err(format!(
                "expected a record of format {FORMAT}, got {}",
                record.format
            ));
        }
        if record.check.is_none() || record.check != record.digest() {
            return Err("expected a record that agrees with its own digest, got a changed one".to_owned());
        }
        if record.recipe.key() != key {
            return Err(format!(
                "expected the record of {key}, got that of {}",
                record.recipe.key()
            ));
        }
        if !record.outputs.keys().eq(&record.recipe.outputs) {
            return Err("expected one file for each output".to_owned());
        }
        Ok(Self {
            check: None,
            ..record
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record() -> ActionRecord {
        let recipe = Recipe {
            packer: "copy".to_owned(),
            version: 1,
            params: json!({"b": 1, "a": 2}),
            inputs: BTreeMap::new(),
            outputs: vec!["out".to_owned()],
        };
        let file = digest_bytes(b"content").into();
        let outputs = [("out".to_owned(), file)].into();
        ActionRecord::new(
            "node",
            recipe,
            outputs,
            UtcTime::from_unix(1_800_000_000).unwrap(),
        )
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let bytes = record().to_bytes();
        assert_eq!(
            ActionRecord::parse(&bytes, record().recipe.key()).unwrap(),
            record()
        );
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let bytes = record().to_bytes();
        let key = record().recipe.key();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            if let Ok(parsed) = ActionRecord::parse(&changed, key) {
                // White space is free.
                assert_eq!(parsed, record(), "byte {at}");
                assert!(bytes[at].is_ascii_whitespace(), "byte {at}");
            }
            assert!(
                ActionRecord::parse(&bytes[..at], key).is_err() || at + 1 == bytes.len(),
                "cut at {at}"
            );
        }
        let other = Sha256Digest::new([7; 32]);
        let error = ActionRecord::parse(&bytes, other).unwrap_err();
        assert!(error.contains("expected the record of 0707"), "{error}");
    }
}
