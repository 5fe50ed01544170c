//! Commits as the release notes need them.

use crate::UtcTime;

/// One commit of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryCommit {
    /// The commit's id, 40 hexadecimal digits.
    pub id: String,
    /// The ids of its parents; more than one makes it a merge.
    pub parents: Vec<String>,
    /// The author's name, after `.mailmap`.
    pub author_name: String,
    /// The author's mail address, after `.mailmap`.
    pub author_email: String,
    /// When it was committed.
    pub time: UtcTime,
    /// The whole message, invalid UTF-8 replaced.
    pub message: String,
}

impl HistoryCommit {
    /// Whether it joins several lines of work.
    #[must_use]
    pub fn is_merge(&self) -> bool {
        self.parents.len() > 1
    }
}
