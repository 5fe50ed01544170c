//! Freezes: when only fixes may land, and what else may.

mod edit;
mod policy;

pub use edit::{add_exception, add_window, begin_window, end_window};
pub use policy::FreezeConfig;

use crate::toml_file::{self, TomlError};
use crate::{BranchName, Day, Line, PathGlob, Person, UtcTime, is_commit_id};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::str::FromStr;

/// `lines/X.Y/freeze.toml` of the records: all freezes of a line, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FreezeFile {
    /// Version of the format; 1.
    pub schema: Schema1,
    /// The freezes.
    #[serde(default, rename = "window")]
    pub windows: Vec<FreezeWindow>,
}

/// The number 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Schema1;

impl TryFrom<u32> for Schema1 {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        match number {
            1 => Ok(Self),
            other => Err(format!(
                "schema {other}: this program reads schema 1; a newer vrel wrote this file"
            )),
        }
    }
}

impl From<Schema1> for u32 {
    fn from(_: Schema1) -> Self {
        1
    }
}

/// One freeze.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", try_from = "RawWindow")]
pub struct FreezeWindow {
    /// What is frozen; the line's release branch is the first.
    pub branches: Vec<BranchName>,
    /// From when on.
    pub starts: UtcTime,
    /// Until when at most; `None` leaves it open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<UtcTime>,
    /// What the release branch is made from: main's tip when the freeze began. `None` while it is only announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Who decided it.
    pub by: Person,
    /// When.
    pub recorded: UtcTime,
    /// Why.
    pub reason: String,
    /// How it ended, if a person ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<FreezeEnd>,
    /// What may land all the same.
    #[serde(default, rename = "exception", skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<FreezeException>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawWindow {
    branches: Vec<BranchName>,
    starts: UtcTime,
    ends: Option<UtcTime>,
    commit: Option<String>,
    by: Person,
    recorded: UtcTime,
    reason: String,
    end: Option<FreezeEnd>,
    #[serde(default, rename = "exception")]
    exceptions: Vec<FreezeException>,
}

impl TryFrom<RawWindow> for FreezeWindow {
    type Error = String;

    fn try_from(raw: RawWindow) -> Result<Self, Self::Error> {
        if raw.branches.is_empty() {
            return Err("`branches` names no branch".to_owned());
        }
        if let Some(ends) = raw.ends.filter(|ends| *ends <= raw.starts) {
            return Err(format!("`ends` ({ends}) is not after `starts` ({})", raw.starts));
        }
        if let Some(commit) = raw.commit.as_deref().filter(|commit| !is_commit_id(commit)) {
            return Err(format!(
                "`commit`: `{commit}` is not an id of 40 hexadecimal digits"
            ));
        }
        Ok(Self {
            branches: raw.branches,
            starts: raw.starts,
            ends: raw.ends,
            commit: raw.commit,
            by: raw.by,
            recorded: raw.recorded,
            reason: raw.reason,
            end: raw.end,
            exceptions: raw.exceptions,
        })
    }
}

/// That a person ended a freeze.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FreezeEnd {
    /// When.
    pub at: UtcTime,
    /// Who.
    pub by: Person,
    /// Why.
    pub reason: String,
}

/// What may land although the branch is frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawException", into = "RawException")]
pub struct FreezeException {
    /// Which commits.
    pub what: Excepted,
    /// Why.
    pub reason: String,
    /// What could go wrong.
    pub risk: Risk,
    /// Who agreed.
    pub approver: Person,
    /// The last day on which it holds.
    pub until: Day,
    /// Who recorded it.
    pub by: Person,
    /// When.
    pub recorded: UtcTime,
}

/// Which commits an exception is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Excepted {
    /// One commit, by its id; and its cherry-picks that say so (`git cherry-pick -x`).
    Commit(String),
    /// Commits that change nothing but such paths.
    Path(PathGlob),
    /// Commits with this first line.
    Subject(String),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawException {
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathGlob>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    reason: String,
    risk: Risk,
    approver: Person,
    until: Day,
    by: Person,
    recorded: UtcTime,
}

impl TryFrom<RawException> for FreezeException {
    type Error = String;

    fn try_from(raw: RawException) -> Result<Self, Self::Error> {
        let what = match (raw.commit, raw.path, raw.subject) {
            (Some(commit), None, None) if is_commit_id(&commit) => Excepted::Commit(commit),
            (Some(commit), None, None) => {
                return Err(format!(
                    "`commit`: `{commit}` is not an id of 40 hexadecimal digits"
                ));
            }
            (None, Some(path), None) => Excepted::Path(path),
            (None, None, Some(subject)) => Excepted::Subject(subject),
            _ => return Err("an exception has exactly one of `commit`, `path` and `subject`".to_owned()),
        };
        if raw.reason.trim().is_empty() {
            return Err("`reason` is empty".to_owned());
        }
        Ok(Self {
            what,
            reason: raw.reason,
            risk: raw.risk,
            approver: raw.approver,
            until: raw.until,
            by: raw.by,
            recorded: raw.recorded,
        })
    }
}

impl From<FreezeException> for RawException {
    fn from(exception: FreezeException) -> Self {
        let (commit, path, subject) = match exception.what {
            Excepted::Commit(commit) => (Some(commit), None, None),
            Excepted::Path(path) => (None, Some(path), None),
            Excepted::Subject(subject) => (None, None, Some(subject)),
        };
        Self {
            commit,
            path,
            subject,
            reason: exception.reason,
            risk: exception.risk,
            approver: exception.approver,
            until: exception.until,
            by: exception.by,
            recorded: exception.recorded,
        }
    }
}

impl std::fmt::Display for Excepted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Commit(commit) => write!(f, "commit {}", commit.get(..12).unwrap_or(commit)),
            Self::Path(glob) => write!(f, "path {glob}"),
            Self::Subject(subject) => write!(f, "subject “{subject}”"),
        }
    }
}

/// What could go wrong with a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Little, or nothing that testing would not show.
    Low,
    /// Something, in a part that is tested.
    Medium,
    /// Much, or in a part that is hard to test.
    High,
}

impl Risk {
    /// All of them, the smallest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// As files and people write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl FromStr for Risk {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|risk| risk.name() == text);
        found.ok_or_else(|| format!("`{text}` is not a risk; expected low, medium or high"))
    }
}

impl std::fmt::Display for Risk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How a freeze stands at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FreezeState {
    /// It will begin.
    Announced,
    /// Only fixes may land.
    Frozen,
    /// It has ended.
    Over,
}

impl FreezeWindow {
    /// How it stands.
    #[must_use]
    pub fn state(&self, now: UtcTime) -> FreezeState {
        if self.over_since().is_some_and(|over| over <= now) {
            FreezeState::Over
        } else if self.starts > now {
            FreezeState::Announced
        } else {
            FreezeState::Frozen
        }
    }

    /// When it ended or will end at the latest; `None` when nothing says so.
    #[must_use]
    pub fn over_since(&self) -> Option<UtcTime> {
        let ended = self.end.as_ref().map(|end| end.at);
        [ended, self.ends].into_iter().flatten().min()
    }
}

impl FreezeFile {
    /// Where the freezes of a line are recorded.
    #[must_use]
    pub fn path(line: Line) -> String {
        format!("lines/{line}/freeze.toml")
    }

    /// Parses the file. `path` is only used to name it in errors.
    ///
    /// # Errors
    /// On anything that is not such a file; with its place.
    pub fn parse(path: &str, text: &str) -> Result<Self, TomlError> {
        toml_file::parse(Path::new(path), text)
    }

    /// The freeze that is not over, with its index.
    #[must_use]
    pub fn current(&self, now: UtcTime) -> Option<(usize, &FreezeWindow)> {
        let mut windows = self.windows.iter().enumerate().rev();
        windows.find(|(_, window)| window.state(now) != FreezeState::Over)
    }
}

#[cfg(test)]
mod tests;
