//! What is said of a release that was taken back: that a channel went back from it, or that it is a dud.

use crate::{UtcTime, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a person decided something that users are told of: one line of 1 to 500 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// Why a text is no reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a reason: one line of 1 to {MAX} characters", shortened(.0))]
pub struct ReasonError(pub String);

const MAX: usize = 500;

fn shortened(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

impl Reason {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = ReasonError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim();
        // Readers print it: what steers a terminal or turns the direction of writing has no place in it.
        let strange =
            |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if trimmed.is_empty() || trimmed.chars().count() > MAX || trimmed.contains(strange) {
            return Err(ReasonError(text.to_owned()));
        }
        Ok(Self(trimmed.to_owned()))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a security advisory: ASCII letters, digits, `.`, `_`, `:` and `-`, starting with a letter or digit, at most 64
/// bytes, for example `CVE-2026-12345`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdvisoryId(String);

/// Why a text is not the id of an advisory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not the id of an advisory; expected for example `CVE-2026-12345`", shortened(.0))]
pub struct AdvisoryIdError(pub String);

impl FromStr for AdvisoryId {
    type Err = AdvisoryIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        let starts = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        if starts && text.len() <= 64 && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(AdvisoryIdError(text.to_owned()))
        }
    }
}

impl fmt::Display for AdvisoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! text_serde {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

text_serde!(Reason);
text_serde!(AdvisoryId);

/// A release that nobody may use: its number is burnt, and it is never again the head of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dud {
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub since: UtcTime,
    /// The security advisory that says more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisory: Option<AdvisoryId>,
}

impl Dud {
    /// The reason and the advisory, for a sentence.
    #[must_use]
    pub fn why(&self) -> String {
        match &self.advisory {
            Some(advisory) => format!("{} ({advisory})", self.reason),
            None => self.reason.to_string(),
        }
    }
}

/// That a channel went back to an older release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rollback {
    /// The newest release that the channel has had: what comes next is newer than this one.
    pub from: Version,
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: UtcTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_that_steers_no_terminal() {
        let reason: Reason = "  loses data on ext4 – see #12 ".parse().unwrap();
        assert_eq!(reason.as_str(), "loses data on ext4 – see #12");
        assert!("é".repeat(500).parse::<Reason>().is_ok());
        for bad in ["", "  ", "a\nb", "a\u{1b}[2J", "a\u{202e}b", &"x".repeat(501)] {
            let error = bad.parse::<Reason>().unwrap_err().to_string();
            assert!(
                error.contains("is not a reason") && !error.contains('\u{1b}'),
                "{error}"
            );
        }
    }

    #[test]
    fn an_advisory_has_an_id() {
        for good in ["CVE-2026-12345", "GHSA-jfh8-c2jp-5v3q", "VOS:2026.1"] {
            assert_eq!(good.parse::<AdvisoryId>().unwrap().to_string(), good);
        }
        for bad in ["", "-x", "CVE 2026", "CVE-2026-1\n", &"x".repeat(65)] {
            assert!(bad.parse::<AdvisoryId>().is_err(), "{bad}");
        }
    }
}
