//! Names of branches.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A branch's name as git accepts it (git-check-ref-format), without `refs/heads/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchName(String);

/// Why a text is no branch's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a branch's name: expected for example `records` or `release/0.6`, without `refs/heads/`"
)]
pub struct BranchNameError(pub String);

impl BranchName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ref's full name.
    #[must_use]
    pub fn full(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

impl FromStr for BranchName {
    type Err = BranchNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let forbidden = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
        let part_is_fine = |part: &str| {
            !(part.is_empty() || part.starts_with('.') || part.ends_with('.') || part.ends_with(".lock"))
        };
        let fine = text.split('/').all(part_is_fine)
            && !text.contains(forbidden)
            && !text.contains("..")
            && !text.contains("@{")
            && !text.starts_with('-')
            && !text.starts_with("refs/")
            && !matches!(text, "@" | "HEAD");
        if fine {
            Ok(Self(text.to_owned()))
        } else {
            Err(BranchNameError(text.to_owned()))
        }
    }
}

impl fmt::Display for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for BranchName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for BranchName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_git_takes() {
        for good in ["records", "release/0.6", "a-b.c", "ünï"] {
            assert_eq!(
                good.parse::<BranchName>().unwrap().full(),
                format!("refs/heads/{good}")
            );
        }
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.",
            "a..b",
            "a b",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[",
            "a\\b",
            "a.lock",
            "a@{1}",
            "@",
            "HEAD",
            "-a",
            "refs/heads/a",
            "a\tb",
        ] {
            assert!(bad.parse::<BranchName>().is_err(), "{bad:?}");
        }
    }
}
