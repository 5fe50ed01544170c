//! What commits hold and change.

use super::git::{failed, find_commit};
use crate::Result;
use git2::{ErrorCode, ObjectType, Repository, TreeWalkMode, TreeWalkResult};
use std::path::Path;

pub(super) fn paths_at(repo: &Repository, commit: &str, dir: &str) -> Result<Vec<String>> {
    let read_error = |error: git2::Error| failed("list", format!("{dir} of {commit}"), &error);
    let mut tree = find_commit(repo, commit)?.tree().map_err(read_error)?;
    let dir = dir.trim_end_matches('/');
    if !dir.is_empty() {
        let found = match tree.get_path(Path::new(dir)) {
            Ok(entry) if entry.kind() == Some(ObjectType::Tree) => entry.id(),
            Ok(_) => return Ok(Vec::new()),
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(read_error(error)),
        };
        tree = repo.find_tree(found).map_err(read_error)?;
    }
    let prefix = if dir.is_empty() {
        String::new()
    } else {
        format!("{dir}/")
    };
    let mut paths = Vec::new();
    let walked = tree.walk(TreeWalkMode::PreOrder, |parent, entry| {
        if entry.kind() == Some(ObjectType::Blob) {
            paths.push(format!(
                "{prefix}{parent}{}",
                String::from_utf8_lossy(entry.name_bytes())
            ));
        }
        TreeWalkResult::Ok
    });
    walked.map_err(read_error)?;
    paths.sort();
    Ok(paths)
}

pub(super) fn changed_paths(repo: &Repository, commit: &str) -> Result<Vec<String>> {
    let commit = find_commit(repo, commit)?;
    let compare = || {
        let before = commit.parents().next().map(|parent| parent.tree()).transpose()?;
        let difference = repo.diff_tree_to_tree(before.as_ref(), Some(&commit.tree()?), None)?;
        let name = |file: git2::DiffFile<'_>| {
            let path = file.path_bytes()?;
            Some(String::from_utf8_lossy(path).into_owned())
        };
        let mut paths: Vec<_> = difference
            .deltas()
            .flat_map(|delta| [name(delta.old_file()), name(delta.new_file())])
            .flatten()
            .collect();
        paths.sort();
        paths.dedup();
        Ok(paths)
    };
    compare().map_err(|error| failed("compare with its parent", commit.id().to_string(), &error))
}

pub(super) fn is_plain_merge(repo: &Repository, commit: &str) -> Result<bool> {
    let commit = find_commit(repo, commit)?;
    if commit.parent_count() != 2 {
        return Ok(false);
    }
    let merge = || -> std::result::Result<bool, git2::Error> {
        // The trees of the merge are needed for their ids only: they stay in memory.
        let objects = repo.odb()?;
        let _memory = objects.add_new_mempack_backend(i32::MAX)?;
        let (ours, theirs) = (commit.parent(0)?, commit.parent(1)?);
        let mut index = repo.merge_commits(&ours, &theirs, None)?;
        Ok(!index.has_conflicts() && index.write_tree_to(repo)? == commit.tree_id())
    };
    match merge() {
        // Histories without a common commit are not merged by themselves.
        Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
        merged => merged.map_err(|error| failed("merge again", commit.id().to_string(), &error)),
    }
}

pub(super) fn revision(repo: &Repository, text: &str) -> Result<Option<String>> {
    let found = match repo.revparse_single(text) {
        Ok(found) => found,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(failed("find the commit", text, &error)),
    };
    // A tree or a blob is no commit.
    Ok(found.peel_to_commit().ok().map(|commit| commit.id().to_string()))
}
