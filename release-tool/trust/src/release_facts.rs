//! What every manifest of a release's supply chain says of the release itself.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use vrel_model::{ChannelName, UtcTime, Version};

/// The release that a bill of materials or a provenance statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// The product's id, as in file names.
    pub product: String,
    /// The product's name for people.
    pub product_name: String,
    /// The release.
    pub version: Version,
    /// The channel that it was cut for.
    pub channel: ChannelName,
    /// The git commit that it was built from, 40 lower-case hexadecimal digits.
    pub commit: String,
    /// The git tag that names the commit, or none.
    pub tag: Option<String>,
    /// Where the repository is for the public, an `https` URL without user or fragment.
    pub repository: String,
    /// Where the release's files are for the public: the URL of their directory, without a slash at its end; or none.
    pub directory: Option<String>,
    /// The time that stands in everything that is made: the commit's.
    pub source_date_epoch: UtcTime,
}

/// A fact that cannot stand in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is `{}`, expected {expected}", found.escape_debug())]
pub struct FactProblem {
    /// Which one.
    pub what: &'static str,
    /// Its value.
    pub found: String,
    /// What it must be like.
    pub expected: &'static str,
}

impl ReleaseFacts {
    /// Makes sure that the facts can be written into the formats: they have rules for URLs and digests.
    pub(crate) fn check(&self) -> Result<(), FactProblem> {
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if self.commit.len() != 40 || !self.commit.bytes().all(hexadecimal) {
            return Err(FactProblem {
                what: "the commit",
                found: self.commit.clone(),
                expected: "40 lower-case hexadecimal digits",
            });
        }
        let name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if self.product.is_empty() || !self.product.bytes().all(name) {
            return Err(FactProblem {
                what: "the product's id",
                found: self.product.clone(),
                expected: "ASCII letters, digits, `.`, `_` and `-`",
            });
        }
        check_url("the repository", &self.repository)?;
        self.directory
            .iter()
            .try_for_each(|url| check_url("the directory of the release's files", url))
    }

    /// The commit in the form that package managers, SPDX and in-toto share: `git+URL@COMMIT`.
    pub(crate) fn commit_uri(&self) -> String {
        format!("git+{}@{}", self.repository, self.commit)
    }

    /// An identifier for one purpose, where a format wants one that no other document has: a UUID of version 8 (RFC 9562)
    /// of the release and of the rest of the document.
    pub(crate) fn uuid(&self, purpose: &str, document: &[u8]) -> Uuid {
        let mut hash = Sha256::new();
        for part in [purpose, &self.product, &self.version.to_string(), &self.commit] {
            hash.update(part);
            hash.update([0]);
        }
        hash.update(document);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// Whether a text can stand as a URL in every format, with something appended to it.
pub(crate) fn is_url(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/%+".contains(&byte);
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && rest.bytes().all(plain))
}

fn check_url(what: &'static str, url: &str) -> Result<(), FactProblem> {
    if is_url(url) && !url.ends_with('/') {
        return Ok(());
    }
    Err(FactProblem {
        what,
        found: url.to_owned(),
        expected: "an https URL without user, query, fragment or a slash at its end",
    })
}
