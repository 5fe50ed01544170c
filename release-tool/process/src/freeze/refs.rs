//! What may never happen to the branches and tags of releases, frozen or not.

use crate::Finding;
use vrel_model::{Config, Line};

/// What a push does to one ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    /// The ref's full name.
    pub name: String,
    /// What it named; `None` when it is new.
    pub old: Option<String>,
    /// What it will name; `None` when it is deleted.
    pub new: Option<String>,
    /// Whether the new one contains the old one; of no meaning for a new or deleted ref.
    pub forward: bool,
}

/// The line whose release branch this is (without `refs/heads/`); `None` when it is no release branch.
#[must_use]
pub fn line_of_branch(config: &Config, branch: &str) -> Option<Line> {
    config.git.release_branch.value_in("line", branch)?.parse().ok()
}

/// Holds the change of a ref to the rules that have no exception: what releases were made from stays where it is.
#[must_use]
pub fn check_update(config: &Config, update: &RefUpdate) -> Option<Finding> {
    let old = update.old.as_deref()?;
    if let Some(tag) = update.name.strip_prefix("refs/tags/") {
        return release_tag(tag, old, update);
    }
    let branch = update.name.strip_prefix("refs/heads/")?;
    let (check, what) = if branch == config.git.records_branch.as_str() {
        ("records-only-grow", "holds what was decided".to_owned())
    } else {
        let line = line_of_branch(config, branch)?;
        (
            "release-branch-only-grows",
            format!("is what releases of {line} are made from"),
        )
    };
    let short = old.get(..12).unwrap_or(old);
    if update.new.is_none() {
        let message = format!("`{branch}` {what}; it is not deleted");
        return Some(Finding::policy(check, message).hint("the branch of a line that has ended may stay"));
    }
    if update.forward {
        return None;
    }
    let message =
        format!("`{branch}` {what}; it is not rewritten, and the pushed one does not contain {short}");
    let hint = format!("fetch, then add to what is there: `git fetch` and `git rebase origin/{branch}`");
    Some(Finding::policy(check, message).hint(hint))
}

/// Tags `v` and a digit are releases', whether this version of the tool can read the rest or not.
fn release_tag(tag: &str, old: &str, update: &RefUpdate) -> Option<Finding> {
    let digits = tag.strip_prefix('v')?;
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || update.new.as_deref() == Some(old) {
        return None;
    }
    let done = if update.new.is_none() { "deleted" } else { "moved" };
    let message = format!("the tag {tag} is a release's, and others may have it; it is not {done}");
    Some(
        Finding::policy("release-tag-stays", message)
            .hint("a bad release is followed by a new one with a higher number"),
    )
}
