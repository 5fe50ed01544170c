//! What a line has already.

use super::short;
use crate::Finding;
use std::collections::{BTreeMap, BTreeSet};
use vrel_model::{HistoryCommit, Line, origins, reverted};

/// How a change is on the line already.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum Present {
    /// The line forked after it.
    Before,
    /// A commit there names it.
    Named {
        /// The commit on the line.
        by: String,
    },
    /// A commit there makes the same change, by patch id.
    Same {
        /// The commit on the line.
        commit: String,
    },
}

impl Present {
    /// The commit on the line that has the change; `None` where it is older than the line.
    #[must_use]
    pub fn commit(&self) -> Option<&str> {
        match self {
            Self::Before => None,
            Self::Named { by: commit } | Self::Same { commit } => Some(commit),
        }
    }
}

/// The commits that only a line has, without those that were taken back there.
#[derive(Clone, Debug, Default)]
pub struct LineChanges {
    /// The commit on the line for each commit that it names.
    named: BTreeMap<String, String>,
    /// The commits that count, newest first.
    pub standing: Vec<String>,
}

impl LineChanges {
    /// From the line's own commits, newest first. A commit that a later one reverts does not count, and neither does a
    /// revert that was reverted itself.
    #[must_use]
    pub fn new(commits: &[HistoryCommit]) -> Self {
        let mut gone: BTreeSet<&str> = BTreeSet::new();
        let mut changes = Self::default();
        for commit in commits {
            if gone.contains(commit.id.as_str()) {
                continue;
            }
            gone.extend(reverted(&commit.message));
            // Of several the newest counts, which was seen first.
            for origin in origins(&commit.message) {
                changes
                    .named
                    .entry(origin.to_owned())
                    .or_insert_with(|| commit.id.clone());
            }
            changes.standing.push(commit.id.clone());
        }
        changes
    }

    /// The commit on the line that names this one.
    #[must_use]
    pub fn naming(&self, commit: &str) -> Option<&str> {
        self.named.get(commit).map(String::as_str)
    }
}

/// A commit that somebody wants on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nominee {
    /// The commit.
    pub commit: String,
    /// Whether the development branch has it.
    pub on_main: bool,
    /// Whether the line has its change already.
    pub present: Option<Present>,
}

/// Whether a commit may be nominated for a line: the development branch must have it, so that no newer line lacks what an
/// older one got.
#[must_use]
pub fn check_nominee(nominee: &Nominee, line: Line, main: &str) -> Vec<Finding> {
    if nominee.on_main {
        return Vec::new();
    }
    let message = format!(
        "{} is not on `{main}`; {line} takes only what `{main}` has, so that no later line loses it",
        short(&nominee.commit)
    );
    vec![Finding::policy("backport-on-main", message).hint(format!("land it on `{main}` first"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> String {
        digit.to_string().repeat(40)
    }

    fn commit(digit: char, message: String) -> HistoryCommit {
        HistoryCommit {
            id: id(digit),
            parents: Vec::new(),
            author_name: String::new(),
            author_email: String::new(),
            time: "2026-11-21T14:00:00Z".parse().unwrap(),
            message,
        }
    }

    #[test]
    fn what_was_reverted_is_not_there_and_what_was_restored_is() {
        let picked = || {
            commit(
                '1',
                format!("fix: a\n\n(cherry picked from commit {})\n", id('a')),
            )
        };
        let undo = || commit('2', format!("Revert\n\nThis reverts commit {}.\n", id('1')));
        let redo = || commit('3', format!("Reapply\n\nThis reverts commit {}.\n", id('2')));
        assert_eq!(
            LineChanges::new(&[picked()]).naming(&id('a')),
            Some(id('1').as_str())
        );
        assert_eq!(LineChanges::new(&[undo(), picked()]).naming(&id('a')), None);
        let restored = LineChanges::new(&[redo(), undo(), picked()]);
        assert_eq!(restored.naming(&id('a')), Some(id('1').as_str()));
        assert_eq!(restored.standing, [id('3'), id('1')]);
    }

    #[test]
    fn what_main_lacks_is_refused() {
        let mut nominee = Nominee {
            commit: id('a'),
            on_main: true,
            present: None,
        };
        let line = "0.6.0".parse::<vrel_model::Version>().unwrap().line();
        assert_eq!(check_nominee(&nominee, line, "main"), []);
        nominee.on_main = false;
        assert!(
            check_nominee(&nominee, line, "main")[0]
                .message
                .contains("aaaaaaaaaaaa is not on `main`; 0.6")
        );
    }
}
