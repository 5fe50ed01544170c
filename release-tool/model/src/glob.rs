//! Patterns of paths.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A pattern of paths of the repository, as `.gitignore` files write them: `docs/**`, `os/kernel/*.rs`. `*` stays within one
/// directory.
#[derive(Clone, Debug)]
pub struct PathGlob {
    text: String,
    matcher: globset::GlobMatcher,
}

/// Why a text is no pattern of paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a pattern of paths: {reason}; expected for example `docs/**`")]
pub struct PathGlobError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl PathGlob {
    /// Whether a path, with `/`, is one of those that are meant.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.matcher.is_match(path)
    }
}

impl PartialEq for PathGlob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PathGlob {}

impl FromStr for PathGlob {
    type Err = PathGlobError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |reason: String| PathGlobError {
            text: text.to_owned(),
            reason,
        };
        if text.is_empty() || text.starts_with('/') || text.split('/').any(|part| part == "..") {
            return Err(wrong(
                "it must be relative to the repository's top directory".to_owned(),
            ));
        }
        let glob = globset::GlobBuilder::new(text)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| wrong(error.kind().to_string()))?;
        Ok(Self {
            text: text.to_owned(),
            matcher: glob.compile_matcher(),
        })
    }
}

impl fmt::Display for PathGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for PathGlob {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for PathGlob {
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
    fn stars_stay_in_their_directory() {
        for (glob, path, expected) in [
            ("docs/**", "docs/src/a.md", true),
            ("docs/**", "docs-old/a.md", false),
            ("os/*.rs", "os/a.rs", true),
            ("os/*.rs", "os/kernel/a.rs", false),
            ("**/*.md", "a.md", true),
            ("README.md", "README.md", true),
            ("README.md", "docs/README.md", false),
        ] {
            let parsed: PathGlob = glob.parse().unwrap();
            assert_eq!(parsed.matches(path), expected, "{glob} {path}");
        }
        for bad in ["", "/docs", "../docs", "docs/[", "{a"] {
            assert!(bad.parse::<PathGlob>().is_err(), "{bad}");
        }
    }
}
