//! The tree of a pick.
//!
//! Where only one side changed an entry, the answer needs no merge and is found here, from the trees alone: what most
//! picks come to. Everything else is git's to decide (`git merge-tree`, the strategy of `git cherry-pick`), renames
//! included: libgit2's own merge compares files with another algorithm and does not follow renamed directories, so it
//! would now and then give another tree or another conflict than a person gets who repeats the pick by hand.

use crate::real::git::{RealGit, failed};
use crate::real::process::RealProcesses;
use crate::{ErrorKind, Exit, Processes, Result, Stream, WorldError};
use git2::{ObjectType, Oid, Repository, Tree};
use std::collections::BTreeMap;

/// A tree, or the files in conflict.
pub(super) enum Merged {
    Tree(Oid),
    Conflict(Vec<String>),
}

/// What has a name in a tree: its mode and its object.
type Entry = Option<(i32, Oid)>;

const TREE: i32 = 0o040_000;

fn tree_error(error: &git2::Error) -> WorldError {
    failed("merge", "the trees of a pick", error)
}

/// The merge of three trees as far as each entry changed on one side at most; `None` when that is not enough.
pub(super) fn plain(repo: &Repository, base: Oid, ours: Oid, theirs: Oid) -> Result<Option<Oid>> {
    if base == theirs {
        return Ok(Some(ours));
    }
    if base == ours {
        return Ok(Some(theirs));
    }
    let tree = |id: Oid| repo.find_tree(id).map_err(|error| tree_error(&error));
    let (base, ours, theirs) = (tree(base)?, tree(ours)?, tree(theirs)?);
    let mut changes = Vec::new();
    for (name, [base, theirs]) in changed(&base, &theirs) {
        let ours = ours.get_name_bytes(&name);
        let ours = ours.map(|entry| (entry.filemode_raw(), entry.id()));
        let Some(merged) = plain_entry(repo, base, ours, theirs)? else {
            return Ok(None);
        };
        changes.push((name, merged));
    }
    let write = || {
        let mut builder = repo.treebuilder(Some(&ours))?;
        for (name, merged) in &changes {
            match merged {
                Some((mode, id)) => drop(builder.insert(name.as_slice(), *id, *mode)?),
                None => builder.remove(name.as_slice())?,
            }
        }
        builder.write()
    };
    write().map(Some).map_err(|error| tree_error(&error))
}

/// One entry. Both sides having changed it alike is left to git as well: a file that is gone on both may have been renamed
/// on one.
fn plain_entry(repo: &Repository, base: Entry, ours: Entry, theirs: Entry) -> Result<Option<Entry>> {
    if base == ours {
        return Ok(Some(theirs));
    }
    let (Some((TREE, base)), Some((TREE, ours)), Some((TREE, theirs))) = (base, ours, theirs) else {
        return Ok(None);
    };
    if ours == theirs {
        return Ok(None);
    }
    let merged = plain(repo, base, ours, theirs)?;
    let is_empty = |id: Oid| repo.find_tree(id).map(|tree| tree.is_empty());
    match merged {
        None => Ok(None),
        Some(id) if is_empty(id).map_err(|error| tree_error(&error))? => Ok(Some(None)),
        Some(id) => Ok(Some(Some((TREE, id)))),
    }
}

/// The entries that differ between two trees, with what they are in each.
fn changed(base: &Tree<'_>, theirs: &Tree<'_>) -> BTreeMap<Vec<u8>, [Entry; 2]> {
    let mut entries: BTreeMap<Vec<u8>, [Entry; 2]> = BTreeMap::new();
    for (side, tree) in [base, theirs].into_iter().enumerate() {
        for entry in tree {
            let found = Some((entry.filemode_raw(), entry.id()));
            entries.entry(entry.name_bytes().to_vec()).or_default()[side] = found;
        }
    }
    entries.retain(|_, [base, theirs]| base != theirs);
    entries
}

/// The merge of three trees as git does it. They are given to it as commits of which the base is the parent of the others:
/// so it needs neither the option to name a base, which is newer than the command, nor a parent for a root commit.
pub(super) fn by_git(
    processes: &RealProcesses,
    repo: &Repository,
    base: Option<Oid>,
    ours: Oid,
    theirs: Oid,
) -> Result<Merged> {
    let base = match base {
        Some(base) => base,
        None => empty_tree(repo)?,
    };
    let base = bare_commit(repo, base, None)?;
    let (ours, theirs) = (
        bare_commit(repo, ours, Some(base))?,
        bare_commit(repo, theirs, Some(base))?,
    );
    commits_by_git(processes, repo, ours, theirs)
}

/// The merge of two commits as git does it, with the bases that it finds.
pub(super) fn commits_by_git(
    processes: &RealProcesses,
    repo: &Repository,
    ours: Oid,
    theirs: Oid,
) -> Result<Merged> {
    let command = RealGit::command(repo.path()).args([
        "-c",
        "core.quotePath=false",
        "merge-tree",
        "--write-tree",
        "--name-only",
        "--no-messages",
        &ours.to_string(),
        &theirs.to_string(),
    ]);
    let (mut lines, mut said) = (Vec::new(), Vec::new());
    let exit = processes.run(&command, &mut |stream, line| {
        let line = String::from_utf8_lossy(line).into_owned();
        match stream {
            Stream::Stdout => lines.push(line),
            Stream::Stderr => said.push(line),
        }
    })?;
    let tree = lines.first().and_then(|id| Oid::from_str(id).ok());
    match (exit, tree) {
        (Exit::Status(0), Some(tree)) => Ok(Merged::Tree(tree)),
        (Exit::Status(1), Some(_)) => {
            lines.remove(0);
            lines.sort();
            lines.dedup();
            Ok(Merged::Conflict(lines))
        }
        // The exit status of a command line that is not understood.
        (Exit::Status(129), _) => {
            let reason = "this git cannot merge without a work tree; install git 2.38 or newer";
            Err(WorldError::new(
                "merge",
                theirs.to_string(),
                ErrorKind::NotFound,
                reason,
            ))
        }
        _ => Err(WorldError::new(
            "merge",
            theirs.to_string(),
            ErrorKind::Other,
            said.join("; "),
        )),
    }
}

fn empty_tree(repo: &Repository) -> Result<Oid> {
    let write = repo.odb().and_then(|odb| odb.write(ObjectType::Tree, b""));
    write.map_err(|error| tree_error(&error))
}

/// A commit that nothing names and that says nothing but its tree and parent.
fn bare_commit(repo: &Repository, tree: Oid, parent: Option<Oid>) -> Result<Oid> {
    let parent = parent.map_or_else(String::new, |parent| format!("parent {parent}\n"));
    let who = "vrel <vrel@localhost> 0 +0000";
    let text = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\n");
    let write = repo
        .odb()
        .and_then(|odb| odb.write(ObjectType::Commit, text.as_bytes()));
    write.map_err(|error| tree_error(&error))
}
