//! Versions as people mean them.
//!
//! The project follows Semantic Versioning 2.0.0, with two deliberate rules on top, both of which live only here:
//! a release candidate's number counts as a number (`rc2` before `rc10`, which SemVer §11.4 compares as text), and
//! `rc1` and `rc.1` are the same candidate, printed as `rc1`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How far a version is on its way to a release. The order of the variants is the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// `X.Y.Z-nightly.YYYYMMDD`, an automated build of that day.
    Nightly {
        /// The day as the number YYYYMMDD.
        date: u32,
    },
    /// `X.Y.Z-rcN`, a release candidate.
    Candidate {
        /// N, from 1.
        number: u32,
    },
    /// `X.Y.Z`.
    Final,
}

/// A release's version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    stage: Stage,
}

/// A release line: the versions that share MAJOR.MINOR, and with them a release branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// MAJOR.
    pub major: u64,
    /// MINOR.
    pub minor: u64,
}

/// Why a text is not a version of this project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Not Semantic Versioning at all.
    #[error("`{text}` is not a version: {reason}")]
    Malformed {
        /// What was typed.
        text: String,
        /// What is wrong with it, or what was meant.
        reason: String,
    },
    /// Semantic Versioning, but not a stage that this project has.
    #[error(
        "`{text}`: `{found}` is not a stage; a version is X.Y.Z, X.Y.Z-rcN (N from 1) or X.Y.Z-nightly.YYYYMMDD"
    )]
    Stage {
        /// What was typed.
        text: String,
        /// The pre-release or build part.
        found: String,
    },
}

impl Version {
    /// A final version.
    #[must_use]
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self {
            major,
            minor,
            patch,
            stage: Stage::Final,
        }
    }

    /// The release candidate `number` (from 1) of this version's X.Y.Z, or `None` for 0.
    #[must_use]
    pub fn candidate(&self, number: u32) -> Option<Self> {
        (number > 0).then(|| Self {
            stage: Stage::Candidate { number },
            ..self.clone()
        })
    }

    /// The version without its stage: what a candidate is a candidate of.
    #[must_use]
    pub fn final_version(&self) -> Self {
        Self {
            stage: Stage::Final,
            ..self.clone()
        }
    }

    /// MAJOR.
    #[must_use]
    pub fn major(&self) -> u64 {
        self.major
    }

    /// MINOR.
    #[must_use]
    pub fn minor(&self) -> u64 {
        self.minor
    }

    /// PATCH.
    #[must_use]
    pub fn patch(&self) -> u64 {
        self.patch
    }

    /// The nightly of a day in UTC on the way to this version's release; `None` outside the years 1 to 9999.
    #[must_use]
    pub fn nightly(&self, time: crate::UtcTime) -> Option<Self> {
        let date = calendar_day(&time.date().replace('-', ""))?;
        Some(Self {
            stage: Stage::Nightly { date },
            ..self.clone()
        })
    }

    /// Nightly, candidate or final.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether this is a release candidate.
    #[must_use]
    pub fn is_candidate(&self) -> bool {
        matches!(self.stage, Stage::Candidate { .. })
    }

    /// The line that the version is on.
    #[must_use]
    pub fn line(&self) -> Line {
        Line {
            major: self.major,
            minor: self.minor,
        }
    }

    /// The name of the release's git tag, `v` and the version.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("v{self}")
    }

    /// The git tag that a published release has; a nightly has none, because a tag for every day would bury all others.
    #[must_use]
    pub fn published_tag(&self) -> Option<String> {
        (!matches!(self.stage, Stage::Nightly { .. })).then(|| self.tag())
    }

    /// The version that a tag names, or `None` for a tag that is not a release's. Tags written in the `rc.1` form are
    /// understood too.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        tag.strip_prefix('v')?.parse().ok()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        match self.stage {
            Stage::Final => Ok(()),
            Stage::Candidate { number } => write!(f, "-rc{number}"),
            Stage::Nightly { date } => write!(f, "-nightly.{date}"),
        }
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = semver::Version::parse(text).map_err(|error| VersionError::Malformed {
            text: text.to_owned(),
            reason: malformed_reason(text, &error),
        })?;
        let bad_stage = |found: &str| VersionError::Stage {
            text: text.to_owned(),
            found: found.to_owned(),
        };
        if !parsed.build.is_empty() {
            return Err(bad_stage(&format!("+{}", parsed.build)));
        }
        let pre = parsed.pre.as_str();
        let stage = if pre.is_empty() {
            Stage::Final
        } else if let Some(digits) = pre.strip_prefix("rc") {
            let number =
                counting_number(digits.strip_prefix('.').unwrap_or(digits)).ok_or_else(|| bad_stage(pre))?;
            Stage::Candidate { number }
        } else if let Some(digits) = pre.strip_prefix("nightly.") {
            Stage::Nightly {
                date: calendar_day(digits).ok_or_else(|| bad_stage(pre))?,
            }
        } else {
            return Err(bad_stage(pre));
        };
        Ok(Self {
            major: parsed.major,
            minor: parsed.minor,
            patch: parsed.patch,
            stage,
        })
    }
}

/// Says what a person probably meant, where that is plain; else what the SemVer parser says.
fn malformed_reason(text: &str, error: &semver::Error) -> String {
    let meant = text.trim().trim_start_matches(['v', 'V']).replace(' ', "");
    let meant = if meant.matches('.').count() == 1 && !meant.contains('-') {
        format!("{meant}.0")
    } else {
        meant
    };
    if meant != text && meant.parse::<Version>().is_ok() {
        format!("did you mean `{meant}`?")
    } else {
        format!("{error}; expected for example 0.6.0 or 0.6.0-rc1")
    }
}

fn counting_number(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if plain { digits.parse().ok() } else { None }
}

fn calendar_day(digits: &str) -> Option<u32> {
    if digits.len() != 8 {
        return None;
    }
    let number = counting_number(digits)?;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    jiff::civil::Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()?;
    Some(number)
}

/// Why a text is not a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a line of releases; expected for example 0.6")]
pub struct LineError(pub String);

impl FromStr for Line {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || LineError(text.to_owned());
        let (major, minor) = text.split_once('.').ok_or_else(wrong)?;
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| wrong());
        let line = Self {
            major: number(major)?,
            minor: number(minor)?,
        };
        // No leading zeros or signs.
        if line.to_string() == text {
            Ok(line)
        } else {
            Err(wrong())
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
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
    fn a_line_has_one_spelling() {
        let line = Line { major: 0, minor: 16 };
        assert_eq!("0.16".parse(), Ok(line));
        for bad in ["", "0", "0.6.0", "0.06", "+0.6", "0.", ".6", "0.6-rc1", "v0.6"] {
            assert!(bad.parse::<Line>().is_err(), "{bad}");
        }
    }
    use proptest::prelude::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn candidates_sort_by_number_and_before_the_final() {
        let mut versions = [
            "0.6.0",
            "0.6.0-rc10",
            "0.6.0-rc2",
            "0.6.0-nightly.20261121",
            "0.5.7",
            "0.10.0",
        ]
        .map(v);
        versions.sort();
        let sorted = versions.map(|version| version.to_string());
        assert_eq!(
            sorted,
            [
                "0.5.7",
                "0.6.0-nightly.20261121",
                "0.6.0-rc2",
                "0.6.0-rc10",
                "0.6.0",
                "0.10.0"
            ]
        );
    }

    #[test]
    fn both_spellings_of_a_candidate_are_one_version() {
        assert_eq!(v("0.6.0-rc.1"), v("0.6.0-rc1"));
        assert_eq!(v("0.6.0-rc.1").to_string(), "0.6.0-rc1");
        assert_eq!(Version::from_tag("v0.6.0-rc.1"), Some(v("0.6.0-rc1")));
        assert_eq!(Version::from_tag("0.6.0"), None);
    }

    #[test]
    fn what_is_not_a_version_says_what_was_meant() {
        let message = |text: &str| text.parse::<Version>().unwrap_err().to_string();
        assert_eq!(
            message("v0.6.0-rc1"),
            "`v0.6.0-rc1` is not a version: did you mean `0.6.0-rc1`?"
        );
        assert_eq!(message("0.6"), "`0.6` is not a version: did you mean `0.6.0`?");
        assert!(message("six").contains("expected for example 0.6.0"));
        for text in [
            "0.6.0-rc0",
            "0.6.0-rc01",
            "0.6.0-rc",
            "0.6.0-RC1",
            "0.6.0-beta.1",
            "0.6.0-nightly.20261399",
            "0.6.0+x",
        ] {
            assert!(
                message(text).contains("is not a stage"),
                "{text}: {}",
                message(text)
            );
        }
        for text in ["", "0.6.0-", "00.6.0", "0.6.0-rc1\n", " 0.6.x", "0.6.0 -rc 1 x"] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn display_and_parse_agree(major in 0u64..50, minor in 0u64..50, patch in 0u64..50, rc in 0u32..200) {
            let base = Version::new(major, minor, patch);
            let version = base.candidate(rc).unwrap_or(base);
            prop_assert_eq!(version.to_string().parse::<Version>().unwrap(), version.clone());
            prop_assert_eq!(Version::from_tag(&version.tag()), Some(version));
        }

        #[test]
        fn order_follows_semver_where_the_numbers_are_equal_in_length(a in 1u32..10, b in 1u32..10) {
            let base = Version::new(0, 6, 0);
            let ours = base.candidate(a).cmp(&base.candidate(b));
            let parse = |n: u32| semver::Version::parse(&format!("0.6.0-rc{n}")).unwrap();
            prop_assert_eq!(ours, parse(a).cmp(&parse(b)));
        }
    }
}
