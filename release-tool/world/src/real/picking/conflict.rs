//! The work tree in which a person resolves a conflict. `git cherry-pick` itself prepares it, so that everything a person
//! knows of it holds there: markers, stages, `CHERRY_PICK_HEAD`, recorded resolutions, `git status`.

use super::commit;
use crate::real::git::{RealGit, failed, find_commit, oid};
use crate::real::process::RealProcesses;
use crate::{ConflictState, ConflictTree, ErrorKind, Exit, Picked, Processes, Result, WorldError};
use git2::{Repository, StatusOptions};
use std::path::Path;
use vrel_model::{UtcTime, origins, with_origin};

pub(super) fn prepare(processes: &RealProcesses, repo: &Path, conflict: &ConflictTree<'_>) -> Result<()> {
    let ConflictTree { dir, onto, pick } = *conflict;
    if dir.exists() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        std::fs::create_dir_all(parent)
            .map_err(|error| WorldError::io("make the directory", parent, &error))?;
    }
    let place = dir.display().to_string();
    // What a killed run registered and did not finish.
    processes.output(&RealGit::command(repo).args(["worktree", "prune"]))?;
    processes.output(
        &RealGit::command(repo).args(["worktree", "add", "--quiet", "--detach", "--", &place, onto]),
    )?;
    let mut command = RealGit::command(dir).args(["cherry-pick", "-x"]);
    if let Some(number) = pick.mainline {
        command = command.args(["-m", &number.to_string()]);
    }
    let mut said = Vec::new();
    let exit = processes.run(&command.arg(&pick.commit), &mut |_, line| {
        said.push(String::from_utf8_lossy(line).into_owned());
    })?;
    // 1: it stopped at the conflict. 0: a resolution that git had recorded was committed.
    if matches!(exit, Exit::Status(0 | 1)) {
        return Ok(());
    }
    Err(WorldError::new(
        "pick",
        &pick.commit,
        ErrorKind::Other,
        said.join("; "),
    ))
}

fn open_tree(dir: &Path) -> Result<Repository> {
    Repository::open(dir).map_err(|error| failed("open the work tree", dir.display().to_string(), &error))
}

pub(super) fn look(processes: &RealProcesses, conflict: &ConflictTree<'_>) -> Result<Option<ConflictState>> {
    let dir = conflict.dir;
    if !dir.join(".git").exists() {
        return Ok(None);
    }
    let repo = open_tree(dir)?;
    let read_error = |error: git2::Error| failed("read the work tree", dir.display().to_string(), &error);
    let index = repo.index().map_err(read_error)?;
    if index.has_conflicts() {
        let mut paths: Vec<String> = index
            .conflicts()
            .map_err(read_error)?
            .flatten()
            .filter_map(|conflict| conflict.our.or(conflict.their).or(conflict.ancestor))
            .map(|entry| String::from_utf8_lossy(&entry.path).into_owned())
            .collect();
        paths.sort();
        paths.dedup();
        return Ok(Some(ConflictState::Unresolved { paths }));
    }
    let head = repo.refname_to_id("HEAD").map_err(read_error)?.to_string();
    // Clean filters and line ends are git's to judge, by what it is configured to.
    let mut unstaged = Vec::new();
    let command = RealGit::command(dir).args(["diff-files", "--name-only"]);
    processes
        .output(&RealGit::command(dir).args(["update-index", "-q", "--refresh"]))
        .map(drop)
        .ok();
    processes.run(&command, &mut |_, line| {
        unstaged.push(String::from_utf8_lossy(line).into_owned());
    })?;
    if !unstaged.is_empty() {
        return Ok(Some(ConflictState::Unstaged { paths: unstaged }));
    }
    if head != conflict.onto {
        return Ok(Some(ConflictState::Committed { commit: head }));
    }
    let mut options = StatusOptions::new();
    options.include_untracked(false);
    let staged = repo.statuses(Some(&mut options)).map_err(read_error)?;
    Ok(Some(if staged.is_empty() {
        ConflictState::GivenUp
    } else {
        ConflictState::Staged
    }))
}

pub(super) fn finish(
    processes: &RealProcesses,
    repo: &Repository,
    conflict: &ConflictTree<'_>,
    time: UtcTime,
) -> Result<Picked> {
    let ConflictTree { dir, onto, pick } = *conflict;
    let wrong = |reason: String| {
        Err(WorldError::new(
            "use",
            dir.display().to_string(),
            ErrorKind::Other,
            reason,
        ))
    };
    match look(processes, conflict)? {
        Some(ConflictState::Staged) => {
            let tree = open_tree(dir)?
                .index()
                .and_then(|mut index| index.write_tree())
                .map_err(|error| failed("write the tree of", dir.display().to_string(), &error))?;
            let original = find_commit(repo, &pick.commit)?;
            let made = commit::carry_over(repo, &original, oid(onto)?, tree, time, pick.moved)?;
            Ok(Picked::Commit(made.to_string()))
        }
        Some(ConflictState::Committed { commit }) => adopt(repo, conflict, &commit, time),
        Some(ConflictState::GivenUp) => Ok(Picked::Empty),
        Some(ConflictState::Unresolved { paths } | ConflictState::Unstaged { paths }) => {
            wrong(format!("not resolved: {}", paths.join(", ")))
        }
        None => wrong("there is no work tree".to_owned()),
    }
}

/// Takes the commit that a person made in the work tree, and adds the line that names the original if it lacks.
fn adopt(repo: &Repository, conflict: &ConflictTree<'_>, made: &str, time: UtcTime) -> Result<Picked> {
    let ConflictTree { onto, pick, .. } = *conflict;
    let commit = find_commit(repo, made)?;
    let parents: Vec<String> = commit.parent_ids().map(|id| id.to_string()).collect();
    if parents != [onto] {
        let reason = format!("expected one commit on {onto} in the work tree");
        return Err(WorldError::new("use", made, ErrorKind::Other, reason));
    }
    if origins(&String::from_utf8_lossy(commit.message_raw_bytes())).contains(&pick.commit.as_str()) {
        return Ok(Picked::Commit(made.to_owned()));
    }
    let message = with_origin(commit.message_raw_bytes(), &pick.commit);
    let encoding = commit.message_encoding().ok().flatten();
    let id = commit::write(
        repo,
        &commit,
        &[oid(onto)?],
        commit.tree_id(),
        time,
        encoding,
        &message,
    )?;
    Ok(Picked::Commit(id.to_string()))
}

pub(super) fn remove(processes: &RealProcesses, repo: &Path, dir: &Path) -> Result<()> {
    if dir.exists() {
        std::fs::remove_dir_all(dir).map_err(|error| WorldError::io("remove", dir, &error))?;
    }
    processes
        .output(&RealGit::command(repo).args(["worktree", "prune"]))
        .map(drop)
}
