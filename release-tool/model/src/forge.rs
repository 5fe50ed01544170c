//! `[forge]` of `vrel.toml`: the service that hosts the repository and its pull requests.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForgeKind {
    /// GitHub, or an installation of GitHub Enterprise Server.
    Github,
}

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

/// `[forge]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ForgeConfig {
    /// Which service.
    pub kind: ForgeKind,
    /// Where its interface for programs is.
    #[serde(default = "default_api_url")]
    pub api_url: String,
    /// The repository there.
    pub repository: RepositorySlug,
    /// The environment variable that holds the token.
    #[serde(default = "default_token_variable")]
    pub token_variable: String,
    /// How many people have to approve a pull request, its author not among them.
    #[serde(default = "default_approvals")]
    pub approvals: u32,
    /// Checks that must have run, by name. Whatever else ran must have passed, too.
    #[serde(default)]
    pub checks: Vec<String>,
}

fn default_api_url() -> String {
    "https://api.github.com".to_owned()
}

fn default_token_variable() -> String {
    "VREL_FORGE_TOKEN".to_owned()
}

fn default_approvals() -> u32 {
    ForgeConfig::APPROVALS
}

impl ForgeConfig {
    /// How many people have to approve a merge where nothing else is said, with a forge and without one.
    pub const APPROVALS: u32 = 2;
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
