//! Names with placeholders, as policy files write them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A name with placeholders in braces, for example `{product}-{version}-{arch}.iso`. The placeholders are `product`,
/// `version`, `arch`, `format` and `line`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

/// Why a text is not a pattern, or cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A brace without its partner.
    #[error("`{0}`: a brace without its partner")]
    Unbalanced(String),
    /// A placeholder that does not exist, or has no value where the pattern is used.
    #[error("`{pattern}`: no value for the placeholder `{{{name}}}`; there are: {known}")]
    Placeholder {
        /// The pattern.
        pattern: String,
        /// The placeholder's name.
        name: String,
        /// The placeholders that have a value.
        known: String,
    },
}

const PLACEHOLDERS: [&str; 5] = ["product", "version", "arch", "format", "line"];

impl Pattern {
    /// Fills in the placeholders.
    ///
    /// # Errors
    /// When the pattern uses a placeholder that `values` does not name.
    pub fn expand(&self, values: &[(&str, &str)]) -> Result<String, PatternError> {
        let value_of = |name: &str| {
            values
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        };
        substitute(
            &self.0,
            value_of,
            &values.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        )
    }

    /// What a placeholder stands for in a name of this pattern, which has no other placeholder; `None` when the name is
    /// not one of these.
    #[must_use]
    pub fn value_in<'n>(&self, placeholder: &str, name: &'n str) -> Option<&'n str> {
        let (before, after) = self.0.split_once(&format!("{{{placeholder}}}"))?;
        name.strip_prefix(before)?.strip_suffix(after)
    }

    /// Whether the pattern uses this placeholder.
    #[must_use]
    pub fn uses(&self, placeholder: &str) -> bool {
        self.0.contains(&format!("{{{placeholder}}}"))
    }
}

fn substitute<'v>(
    pattern: &str,
    value_of: impl Fn(&str) -> Option<&'v str>,
    known: &[&str],
) -> Result<String, PatternError> {
    let unbalanced = || PatternError::Unbalanced(pattern.to_owned());
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(open) = rest.find('{') {
        let close = rest[open..]
            .find('}')
            .map(|at| open + at)
            .ok_or_else(unbalanced)?;
        let name = &rest[open + 1..close];
        let value = value_of(name).ok_or_else(|| PatternError::Placeholder {
            pattern: pattern.to_owned(),
            name: name.to_owned(),
            known: known.join(", "),
        })?;
        out.push_str(&rest[..open]);
        out.push_str(value);
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    if out.contains(['{', '}']) {
        Err(unbalanced())
    } else {
        Ok(out)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = |name: &str| PLACEHOLDERS.contains(&name).then_some("");
        substitute(text, known, &PLACEHOLDERS)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Pattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pattern {
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
    fn placeholders_are_filled_in_and_checked() {
        let pattern: Pattern = "{product}-{version}.iso".parse().unwrap();
        assert_eq!(
            pattern
                .expand(&[("product", "os"), ("version", "1.0.0")])
                .unwrap(),
            "os-1.0.0.iso"
        );
        assert!(pattern.uses("version") && !pattern.uses("arch"));
        let missing = pattern.expand(&[("product", "os")]).unwrap_err().to_string();
        assert!(
            missing.contains("no value for the placeholder `{version}`; there are: product"),
            "{missing}"
        );
        let branch: Pattern = "release/{line}.x".parse().unwrap();
        assert_eq!(branch.value_in("line", "release/0.6.x"), Some("0.6"));
        assert_eq!(branch.value_in("line", "release/0.6"), None);
        assert_eq!(branch.value_in("line", "feature/0.6.x"), None);
        assert!("{verison}".parse::<Pattern>().is_err());
        assert!("{version".parse::<Pattern>().is_err());
        assert!("version}".parse::<Pattern>().is_err());
    }
}
