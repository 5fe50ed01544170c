//! Commits as the release notes need them.

use crate::UtcTime;

/// One commit of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryCommit {
    /// The commit's id, 40 hexadecimal digits.
    pub id: String,
    /// Number of parents; more than one is a merge.
    pub parents: usize,
    /// The author's name, after `.mailmap`.
    pub author_name: String,
    /// The author's mail address, after `.mailmap`.
    pub author_email: String,
    /// When it was committed.
    pub time: UtcTime,
    /// The whole message, invalid UTF-8 replaced.
    pub message: String,
}
