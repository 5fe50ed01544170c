//! What the rules need to know of commits.

use crate::EngineError;
use std::path::Path;
use vrel_model::{HistoryCommit, origins};
use vrel_notes::conventional;
use vrel_process::freeze::{CommitForm, LandingCommit, Wanted};
use vrel_world::World;

/// The commits that can be reached from `to` but from none of `hidden`, the oldest first.
///
/// # Errors
/// When the repository, which may be bare, cannot be read.
pub fn landing_commits(
    world: &dyn World,
    repo: &Path,
    hidden: &[&str],
    to: &str,
    wanted: Wanted,
) -> Result<Vec<LandingCommit>, EngineError> {
    let mut history = Vec::new();
    world
        .git()
        .history(repo, hidden, to, &mut |commit| history.push(commit))?;
    history.reverse();
    let facts = history
        .into_iter()
        .map(|commit| facts(world, repo, commit, wanted));
    facts.collect()
}

fn facts(
    world: &dyn World,
    repo: &Path,
    commit: HistoryCommit,
    wanted: Wanted,
) -> Result<LandingCommit, EngineError> {
    let git = world.git();
    let is_merge = commit.parents.len() > 1;
    let form = conventional(&commit.message).map(|form| CommitForm {
        name: form.name,
        scope: form.scope,
        breaking: form.breaking,
    });
    Ok(LandingCommit {
        subject: commit
            .message
            .trim_start()
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end()
            .to_owned(),
        author: format!("{} <{}>", commit.author_name, commit.author_email),
        form,
        plain_merge: if is_merge {
            Some(git.is_plain_merge(repo, &commit.id)?)
        } else {
            None
        },
        picked_from: origins(&commit.message).into_iter().map(str::to_owned).collect(),
        paths: if wanted.paths {
            Some(git.changed_paths(repo, &commit.id)?)
        } else {
            None
        },
        id: commit.id,
    })
}
