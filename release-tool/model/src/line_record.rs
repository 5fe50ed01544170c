//! `lines/X.Y/line.toml` of the records: how long a line is supported.

use crate::{Day, UtcTime};
use serde::{Deserialize, Serialize};

/// What changes a line's support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineChange {
    /// It became a long-term support line.
    Created,
    /// Its last day was changed.
    EndOfLife,
}

/// One change of a line's support.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LineEvent {
    /// What.
    pub what: LineChange,
    /// Who, `Name <mail>`.
    pub by: String,
    /// When.
    pub at: UtcTime,
    /// The last day from then on.
    pub end_of_life: Day,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LineRecord {
    /// The first day of its long-term support.
    pub since: Day,
    /// The last day on which it gets fixes.
    pub end_of_life: Day,
    /// What was changed, oldest first.
    #[serde(default, rename = "event")]
    pub events: Vec<LineEvent>,
}

/// Whether a line gets fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    /// Not yet.
    Planned,
    /// Yes.
    Supported,
    /// Not any more.
    Ended,
}

impl LineRecord {
    /// Whether the line gets fixes on a day.
    #[must_use]
    pub fn support(&self, day: Day) -> Support {
        if day < self.since {
            Support::Planned
        } else if day <= self.end_of_life {
            Support::Supported
        } else {
            Support::Ended
        }
    }
}

/// `[support]` of `channels/lts.toml`: what is promised of long-term support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SupportPolicy {
    /// For how many months a line is supported at least.
    pub months: u32,
    /// For how many months a line and the next one are supported together at least: the time that people have to move.
    pub overlap_months: u32,
    /// How many lines are supported at the same time at most.
    pub lines: usize,
}
