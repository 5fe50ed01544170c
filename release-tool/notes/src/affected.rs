//! Which versions a security issue is in, and which fix it.

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use vrel_model::Version;

/// Releases that have a security issue: one, or all from a first to a last one, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    first: Version,
    last: Version,
}

impl Affected {
    /// Whether a version is among them.
    #[must_use]
    pub fn contains(&self, version: &Version) -> bool {
        (&self.first..=&self.last).contains(&version)
    }
}

impl fmt::Display for Affected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{} to {}", self.first, self.last)
        }
    }
}

impl FromStr for Affected {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let version = |text: &str| Version::from_str(text.trim()).map_err(|error| error.to_string());
        let (first, last) = match text.split_once(" to ") {
            Some((first, last)) => (version(first)?, version(last)?),
            None => {
                let only = version(text)?;
                (only.clone(), only)
            }
        };
        if first > last {
            return Err(format!(
                "`{text}`: {first} is above {last}; write `{last} to {first}`"
            ));
        }
        Ok(Self { first, last })
    }
}

impl Serialize for Affected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Affected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// Reads one version, or a list of them.
pub(crate) fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Version>, D::Error> {
    struct Versions;

    impl<'de> Visitor<'de> for Versions {
        type Value = Vec<Version>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a version such as \"0.6.1\", or a list of versions")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            text.parse().map(|version| vec![version]).map_err(E::custom)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut versions = Vec::new();
            while let Some(version) = seq.next_element()? {
                versions.push(version);
            }
            Ok(versions)
        }
    }

    deserializer.deserialize_any(Versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_between_two_are_affected_and_those_two() {
        let some: Affected = "0.5.0 to 0.5.10".parse().unwrap();
        for (version, is_affected) in [
            ("0.4.9", false),
            ("0.5.0-rc1", false),
            ("0.5.0", true),
            ("0.5.9", true),
            ("0.5.10", true),
            ("0.5.11", false),
        ] {
            assert_eq!(some.contains(&version.parse().unwrap()), is_affected, "{version}");
        }
        assert_eq!(some.to_string(), "0.5.0 to 0.5.10");
        assert_eq!("0.6.0".parse::<Affected>().unwrap().to_string(), "0.6.0");
    }

    #[test]
    fn what_is_no_range_says_why() {
        let error = |text: &str| text.parse::<Affected>().unwrap_err();
        assert_eq!(
            error("0.5.10 to 0.5.9"),
            "`0.5.10 to 0.5.9`: 0.5.10 is above 0.5.9; write `0.5.9 to 0.5.10`"
        );
        assert!(
            error("all").starts_with("`all` is not a version"),
            "{}",
            error("all")
        );
    }
}
