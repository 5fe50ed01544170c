//! Commits without a work tree, and moving refs.

use super::git::{failed, find_commit, identity, oid};
use crate::{ErrorKind, FileEdit, FilesCommit, Result, WorldError};
use git2::build::TreeUpdateBuilder;
use git2::{ErrorCode, FileMode, Repository, Tree};
use std::path::{Path, PathBuf};

pub(super) fn write_commit(repo: &Repository, commit: &FilesCommit<'_>) -> Result<String> {
    let author = identity(repo, commit.time)?;
    let parent = commit.parent.map(|id| find_commit(repo, id)).transpose()?;
    let write = || {
        let base = match &parent {
            Some(parent) => parent.tree()?,
            None => repo.find_tree(repo.treebuilder(None)?.write()?)?,
        };
        let tree = repo.find_tree(edited(repo, &base, commit.edits)?)?;
        let parents: Vec<_> = parent.iter().collect();
        repo.commit(None, &author, &author, commit.message, &tree, &parents)
    };
    let id = write().map_err(|error| failed("write the commit", commit.message.trim(), &error))?;
    Ok(id.to_string())
}

fn edited(
    repo: &Repository,
    base: &Tree<'_>,
    edits: &[FileEdit],
) -> std::result::Result<git2::Oid, git2::Error> {
    let mut update = TreeUpdateBuilder::new();
    for edit in edits {
        match edit {
            FileEdit::Write { path, content } => {
                update.upsert(path.as_str(), repo.blob(content)?, FileMode::Blob);
            }
            FileEdit::Remove { path } => {
                if base.get_path(Path::new(path)).is_ok() {
                    update.remove(path.as_str());
                }
            }
        }
    }
    update.create_updated(repo, base)
}

pub(super) fn set_ref(repo: &Repository, name: &str, commit: &str, expected: Option<&str>) -> Result<()> {
    const ACTION: &str = "move";
    let rejected = |reason: String| WorldError::new(ACTION, name, ErrorKind::Rejected, reason);
    if let Some(place) = work_tree_of(repo, name)? {
        let reason = format!(
            "it is checked out in {}; switch to another branch there",
            place.display()
        );
        return Err(rejected(reason));
    }
    let commit = oid(commit)?;
    let moved = match expected {
        Some(expected) => repo.reference_matching(name, commit, true, oid(expected)?, "vrel"),
        None => repo.reference(name, commit, false, "vrel"),
    };
    match moved {
        Ok(_) => Ok(()),
        Err(error)
            if matches!(
                error.code(),
                ErrorCode::Modified | ErrorCode::Exists | ErrorCode::NotFound
            ) =>
        {
            let found = repo
                .refname_to_id(name)
                .map_or_else(|_| "nothing".to_owned(), |id| id.to_string());
            let expected = expected.unwrap_or("nothing");
            Err(rejected(format!("it names {found}, expected {expected}")))
        }
        Err(error) => Err(failed(ACTION, name, &error)),
    }
}

/// The work tree in which a branch is checked out: the repository's own, or one that `git worktree` made.
fn work_tree_of(repo: &Repository, name: &str) -> Result<Option<PathBuf>> {
    let common = repo.commondir();
    let main =
        Repository::open(common).map_err(|error| failed("open", common.display().to_string(), &error))?;
    let on_branch = |git_dir: &Path| {
        let head = std::fs::read_to_string(git_dir.join("HEAD")).unwrap_or_default();
        head.strip_prefix("ref:")
            .is_some_and(|target| target.trim() == name)
    };
    if let Some(work_tree) = main.workdir().filter(|_| on_branch(common)) {
        return Ok(Some(work_tree.to_owned()));
    }
    let Ok(others) = std::fs::read_dir(common.join("worktrees")) else {
        return Ok(None);
    };
    let mut others = others.flatten().map(|entry| entry.path());
    let found = others.find(|git_dir| on_branch(git_dir));
    // `gitdir` names the file `.git` of the work tree.
    Ok(found.map(|git_dir| {
        let link = std::fs::read_to_string(git_dir.join("gitdir")).unwrap_or_default();
        Path::new(link.trim()).parent().map_or(git_dir, Path::to_owned)
    }))
}
