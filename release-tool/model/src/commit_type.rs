//! Types of conventional commits, as policy files name them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A type of commits, perhaps with a scope: `fix`, or `chore(records)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitType {
    name: String,
    scope: Option<String>,
}

/// Why a text is no type of commits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a type of commits; expected for example `fix` or `chore(records)`")]
pub struct CommitTypeError(pub String);

impl CommitType {
    /// Whether a commit of this type and scope is meant. Without a scope here, every scope is.
    #[must_use]
    pub fn includes(&self, name: &str, scope: Option<&str>) -> bool {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        same(&self.name, name)
            && self
                .scope
                .as_deref()
                .is_none_or(|wanted| scope.is_some_and(|scope| same(wanted, scope)))
    }
}

impl FromStr for CommitType {
    type Err = CommitTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || CommitTypeError(text.to_owned());
        let (name, scope) = match text.split_once('(') {
            Some((name, rest)) => (name, Some(rest.strip_suffix(')').ok_or_else(wrong)?)),
            None => (text, None),
        };
        let is_word =
            |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let is_scope = |scope: &str| !scope.trim().is_empty() && !scope.contains(['(', ')', ':', '!']);
        if !is_word(name) || scope.is_some_and(|scope| !is_scope(scope)) {
            return Err(wrong());
        }
        Ok(Self {
            name: name.to_owned(),
            scope: scope.map(str::to_owned),
        })
    }
}

impl fmt::Display for CommitType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Some(scope) => write!(f, "{}({scope})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl Serialize for CommitType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CommitType {
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
    fn a_scope_narrows_a_type() {
        let any: CommitType = "fix".parse().unwrap();
        assert!(any.includes("fix", None) && any.includes("FIX", Some("mm")) && !any.includes("feat", None));
        let one: CommitType = "chore(records)".parse().unwrap();
        assert!(one.includes("chore", Some("records")));
        assert!(!one.includes("chore", None) && !one.includes("chore", Some("deps")));
        for bad in ["", "fix!", "fix:", "fix(", "fix()", "(a)", "a b", "fix(a)b"] {
            assert!(bad.parse::<CommitType>().is_err(), "{bad}");
        }
    }
}
