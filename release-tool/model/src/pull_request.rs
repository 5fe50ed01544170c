//! What a forge knows of a proposed merge.

use crate::UtcTime;
use serde::{Deserialize, Serialize};

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Where a person reads it.
    pub url: String,
    /// Whether it can still be merged: neither merged nor closed.
    pub is_open: bool,
    /// Whether its author says that it is not ready.
    pub is_draft: bool,
    /// Who made it.
    pub author: String,
    /// The branch that is to be merged.
    pub head: String,
    /// That branch's tip.
    pub commit: String,
    /// The branch that it is to be merged into.
    pub base: String,
    /// Whether the forge can merge it; `None` when it has not found out.
    pub mergeable: Option<bool>,
    /// People and teams that were asked for a review and have not given one.
    pub asked: Vec<String>,
}

/// What a review says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewState {
    /// Merge it.
    Approved,
    /// Not like this.
    ChangesRequested,
    /// Neither.
    Commented,
    /// It was taken back, by whom ever.
    Dismissed,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Who gave it.
    pub person: String,
    /// Whether they are a person whom the project lets decide, and neither a program nor a passer-by.
    pub may_decide: bool,
    /// What it says.
    pub state: ReviewState,
    /// The tip that was looked at, where the forge knows it.
    pub commit: Option<String>,
    /// When it was given.
    pub at: UtcTime,
}

/// How a check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// It passed, or does not concern this change.
    Passed,
    /// It has not ended.
    Pending,
    /// It failed, was cut off, or waits for somebody.
    Failed,
}

/// A check of a commit by hosted CI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitCheck {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: CheckState,
    /// The same in the forge's words, for example `timed_out`.
    pub said: String,
    /// Where a person reads what it says.
    pub url: Option<String>,
    /// When it ended.
    pub ended: Option<UtcTime>,
}
