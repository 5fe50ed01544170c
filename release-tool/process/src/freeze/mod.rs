//! What may land while a branch is frozen, and what may never happen to the branches and tags of releases.

mod landing;
mod refs;
#[cfg(test)]
mod tests;

pub use landing::{Landing, Wanted, judge, wanted};
pub use refs::{RefUpdate, check_update, line_of_branch};

use serde::Serialize;
use vrel_model::freeze::{FreezeConfig, FreezeFile, FreezeState, FreezeWindow};
use vrel_model::{BranchName, Line, UtcTime};

/// A commit that would become part of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LandingCommit {
    /// Its id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
    /// The author's name and address.
    pub author: String,
    /// Its type; `None` when the message follows no convention.
    pub form: Option<CommitForm>,
    /// Whether it merges others and changes nothing itself; `None` when it is no merge.
    pub plain_merge: Option<bool>,
    /// The commits that it says it was picked from.
    pub picked_from: Vec<String>,
    /// The paths that it changes; `None` where nobody needed them (see [`wanted`]).
    pub paths: Option<Vec<String>>,
}

/// What a conventional message says of its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitForm {
    /// The type, for example `fix`.
    pub name: String,
    /// The scope.
    pub scope: Option<String>,
    /// Whether it breaks what worked.
    pub breaking: bool,
}

/// The freezes of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFreezes {
    /// The line.
    pub line: Line,
    /// Its file in the records.
    pub file: FreezeFile,
}

/// A commit that must not land.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Its id.
    pub commit: String,
    /// The first line of its message.
    pub subject: String,
    /// The author's name and address.
    pub author: String,
    /// The rule's name.
    pub rule: &'static str,
    /// What was found and what was expected.
    pub why: String,
    /// The remedy.
    pub hint: String,
}

/// The freezes that hold on a branch at a moment.
#[must_use]
pub fn active<'f>(
    freezes: &'f [LineFreezes],
    branch: &BranchName,
    now: UtcTime,
) -> Vec<(Line, &'f FreezeWindow)> {
    let windows = freezes
        .iter()
        .flat_map(|line| line.file.windows.iter().map(move |window| (line.line, window)));
    windows
        .filter(|(_, window)| window.branches.contains(branch) && window.state(now) == FreezeState::Frozen)
        .collect()
}

/// Holds commits that would become part of a branch to the freezes that hold on it. Every commit counts, whatever brought
/// it: a merge is no way around the rule.
#[must_use]
pub fn check_commits(
    branch: &BranchName,
    freezes: &[LineFreezes],
    policy: &FreezeConfig,
    commits: &[LandingCommit],
    now: UtcTime,
) -> Vec<Refusal> {
    let active = active(freezes, branch, now);
    let judged = commits.iter().flat_map(|commit| {
        active.iter().filter_map(move |(line, window)| {
            match judge(*line, window, policy, commit, Some(now)) {
                Landing::Refused(refusal) => Some(refusal),
                _ => None,
            }
        })
    });
    judged.collect()
}

/// Holds commits to the form that notes and freezes go by. Merges need none.
#[must_use]
pub fn check_form(commits: &[LandingCommit]) -> Vec<Refusal> {
    let wrong = commits
        .iter()
        .filter(|commit| commit.form.is_none() && commit.plain_merge.is_none());
    wrong
        .map(|commit| {
            let why = "the first line is not `type(scope): description` with a known type".to_owned();
            let hint =
                "write for example `fix(kernel): …` with `git commit --amend` or `git rebase -i`".to_owned();
            commit.refused("conventional-form", why, hint)
        })
        .collect()
}

impl LandingCommit {
    fn refused(&self, rule: &'static str, why: String, hint: String) -> Refusal {
        Refusal {
            commit: self.id.clone(),
            subject: self.subject.clone(),
            author: self.author.clone(),
            rule,
            why,
            hint,
        }
    }

    fn short(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }
}
