//! Names of published objects.

use std::fmt;
use std::str::FromStr;
use vrel_model::{ArtifactName, Version};

/// The path of an object in the published tree: 1 to 8 segments, each a publishable file name, joined by `/`. It cannot
/// leave the tree, name a hidden or unfinished file, or need escaping in an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectPath(String);

/// Why a text is not the path of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not the path of a published object: {reason}", text.escape_debug())]
pub struct ObjectPathError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl ObjectPath {
    /// The pointer.
    #[must_use]
    pub fn pointer() -> Self {
        Self("pointer.json".to_owned())
    }

    /// A file of a release.
    #[must_use]
    pub fn release(version: &Version, file: &ArtifactName) -> Self {
        Self(format!("releases/{version}/{file}"))
    }

    /// The signature of a file of a release.
    ///
    /// # Errors
    /// When the signature's name would be too long.
    pub fn signature(version: &Version, file: &ArtifactName) -> Result<Self, ObjectPathError> {
        format!("releases/{version}/{file}.minisig").parse()
    }

    /// The path, with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectPath {
    type Err = ObjectPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |reason| ObjectPathError {
            text: text.to_owned(),
            reason,
        };
        let segments: Vec<&str> = text.split('/').collect();
        if segments.len() > 8 {
            return Err(error(format!("{} segments, expected at most 8", segments.len())));
        }
        for segment in segments {
            segment
                .parse::<ArtifactName>()
                .map_err(|bad| error(bad.to_string()))?;
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_tree_are_refused() {
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "../x",
            "releases/../../x",
            "releases/..",
            "a//b",
            "a/",
            "a\\b",
            "a\0b",
            "a/.lock",
            "a/.vrel-tmp-1",
            "a/-rf",
            "a/%2e%2e",
            "a b",
            "a?b",
            "a#b",
            "http://x",
            "1/2/3/4/5/6/7/8/9",
        ] {
            assert!(bad.parse::<ObjectPath>().is_err(), "{bad:?}");
        }
        let version = "0.6.0-rc1".parse().unwrap();
        let name = "a.iso".parse().unwrap();
        assert_eq!(
            ObjectPath::release(&version, &name).as_str(),
            "releases/0.6.0-rc1/a.iso"
        );
        assert_eq!(
            ObjectPath::signature(&version, &name).unwrap().as_str(),
            "releases/0.6.0-rc1/a.iso.minisig"
        );
        let long = "x".repeat(125).parse().unwrap();
        assert!(ObjectPath::signature(&version, &long).is_err());
    }
}
