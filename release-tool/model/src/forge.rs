//! The service that hosts the repository.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A repository of a forge, `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositorySlug {
    owner: String,
    name: String,
}

/// Why a text is not a repository's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a repository of a forge: `owner/name`, for example `veridianos/veridianos`", .0.escape_debug())]
pub struct RepositorySlugError(pub String);

impl RepositorySlug {
    /// Who it belongs to.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name there.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for RepositorySlug {
    type Err = RepositorySlugError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fine = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.len() <= 100
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        match text.split_once('/') {
            Some((owner, name)) if fine(owner) && fine(name) => Ok(Self {
                owner: owner.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(RepositorySlugError(text.to_owned())),
        }
    }
}

impl fmt::Display for RepositorySlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl Serialize for RepositorySlug {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RepositorySlug {
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
    fn a_repository_is_an_owner_and_a_name() {
        let slug: RepositorySlug = "veridianos/veridian.os_1".parse().unwrap();
        assert_eq!((slug.owner(), slug.name()), ("veridianos", "veridian.os_1"));
        for text in [
            "", "a", "a/", "/b", "a/b/c", "a/..", "a b/c", "a/b?x", "a/b#c", "ä/b",
        ] {
            assert!(text.parse::<RepositorySlug>().is_err(), "{text}");
        }
    }
}
