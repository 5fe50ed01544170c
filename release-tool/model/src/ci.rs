//! `[ci]` of `vrel.toml`: what runs by itself, when, where and as whom.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A time of day in UTC, written `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
}

/// Why a text is not a time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a time of day: `HH:MM` from 00:00 to 23:59, for example `02:17`", .0.escape_debug())]
pub struct TimeOfDayError(pub String);

impl TimeOfDay {
    /// 0 to 23.
    #[must_use]
    pub fn hour(self) -> u8 {
        self.hour
    }

    /// 0 to 59.
    #[must_use]
    pub fn minute(self) -> u8 {
        self.minute
    }
}

impl FromStr for TimeOfDay {
    type Err = TimeOfDayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |digits: &str, below: u8| {
            let fine = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number: u8 = digits.parse().ok().filter(|_| fine)?;
            (number < below).then_some(number)
        };
        text.split_once(':')
            .and_then(|(hour, minute)| {
                Some(Self {
                    hour: part(hour, 24)?,
                    minute: part(minute, 60)?,
                })
            })
            .ok_or_else(|| TimeOfDayError(text.to_owned()))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

/// A word that means the same to a shell, cron, systemd and YAML without quotes: letters, digits and `.`, `_`, `-`, `@`,
/// starting with a letter. Names of users, labels of runners, mail addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainWord(String);

/// An absolute path of a machine of such letters, digits and `/`, `.`, `_`, `-`, without empty parts and `..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainPath(String);

/// Why a text is neither of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlainError {
    /// See [`PlainWord`].
    #[error("`{}` is not a plain word: letters, digits, `.`, `_`, `-` and `@`, starting with a letter", .0.escape_debug())]
    Word(String),
    /// See [`PlainPath`].
    #[error("`{}` is not a plain path: absolute, of letters, digits, `.`, `_` and `-`, without `..`", .0.escape_debug())]
    Path(String),
}

fn is_plain(text: &str, others: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

impl PlainWord {
    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlainWord {
    type Err = PlainError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with(|first: char| first.is_ascii_alphabetic()) && is_plain(text, "._-@") {
            Ok(Self(text.to_owned()))
        } else {
            Err(PlainError::Word(text.to_owned()))
        }
    }
}

impl PlainPath {
    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlainPath {
    type Err = PlainError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.strip_prefix('/').map(|rest| rest.split('/'));
        let fine = |part: &str| !matches!(part, "" | "." | "..") && is_plain(part, "._-");
        if parts.is_some_and(|mut parts| parts.all(fine)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PlainError::Path(text.to_owned()))
        }
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    )*};
}

as_text!(TimeOfDay, PlainWord, PlainPath);

impl fmt::Display for PlainWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PlainPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `[ci]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CiConfig {
    /// When the nightly is made.
    pub nightly_at: TimeOfDay,
    /// When the channel of nightlies is looked at.
    pub alarm_at: TimeOfDay,
    /// The labels of the hosted machine that tests changes.
    pub runner: Vec<PlainWord>,
    /// The labels of the machine that makes nightlies; empty where no hosted workflow makes them.
    pub nightly_runner: Vec<PlainWord>,
    /// Where the clone lies that nightlies are made in.
    pub clone: PlainPath,
    /// Where `vrel` is installed on that machine.
    pub program: PlainPath,
    /// The file whose first line is the password of the keys.
    pub password_file: PlainPath,
    /// As whom nightlies are made.
    pub user: PlainWord,
    /// Whom cron writes to when something is wrong; `None`: the user.
    pub mail: Option<PlainWord>,
}

impl Default for CiConfig {
    fn default() -> Self {
        let path = |text: &str| PlainPath(text.to_owned());
        let word = |text: &str| PlainWord(text.to_owned());
        Self {
            nightly_at: TimeOfDay { hour: 2, minute: 17 },
            alarm_at: TimeOfDay { hour: 8, minute: 17 },
            runner: vec![word("ubuntu-24.04")],
            nightly_runner: Vec::new(),
            clone: path("/srv/veridian/nightly"),
            program: path("/usr/local/bin/vrel"),
            password_file: path("/etc/veridian/release.pass"),
            user: word("veridian"),
            mail: None,
        }
    }
}

/// How often nightlies are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rhythm {
    /// Every day.
    Daily,
    /// Every Monday.
    Weekly,
}

/// What runs by itself: everything that the files for cron, systemd and hosted CI say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CiPlan {
    /// The product's name for people.
    pub product: String,
    /// The channel of nightlies.
    pub channel: String,
    /// After how many hours it is stale; `None`: never.
    pub stale_after_hours: Option<u32>,
    /// How often a nightly is made.
    pub rhythm: Rhythm,
    /// The development branch.
    pub main: String,
    /// What the release branches are called, as a pattern of hosted CI.
    pub release_branches: String,
    /// The repository as `owner/name`, where it is known: copies of it run nothing by the clock.
    pub repository: Option<String>,
    /// `[ci]`.
    pub config: CiConfig,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_digits_and_stay_within_the_day() {
        for text in ["00:00", "02:17", "23:59"] {
            assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), text);
        }
        for text in [
            "", "2:17", "02:7", "24:00", "12:60", "+2:17", "02:17:00", "02-17", " 02:17",
        ] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_shell_cron_or_yaml_would_read_otherwise_is_no_plain_text() {
        for text in ["self-hosted", "ubuntu-24.04", "release@example.org", "a"] {
            assert!(text.parse::<PlainWord>().is_ok(), "{text}");
        }
        for text in [
            "", "a b", "a%b", "$HOME", "a;b", "-x", "1", "a:b", "a#", "a'b", "a\nb", "ä",
        ] {
            assert!(text.parse::<PlainWord>().is_err(), "{text:?}");
        }
        for text in ["/srv/veridian/nightly", "/a", "/etc/x.y_z-1"] {
            assert!(text.parse::<PlainPath>().is_ok(), "{text}");
        }
        for text in [
            "", "/", "srv", "/a//b", "/a/../b", "/a/", "/a b", "/a%b", "/a/$x", "/a\n",
        ] {
            assert!(text.parse::<PlainPath>().is_err(), "{text:?}");
        }
    }
}
