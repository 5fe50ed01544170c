//! The two branches, here and on the remote.

use super::{BackportQueue, refused};
use crate::EngineError;
use std::collections::HashMap;
use vrel_model::HistoryCommit;
use vrel_process::{LineChanges, Present};
use vrel_world::ErrorKind;

/// The development branch and the line's, at their newest commits that this repository knows.
#[derive(Clone, Debug)]
pub struct LineBranches {
    /// The line's branch, without `refs/heads/`.
    pub branch: String,
    /// The development branch's newest commit.
    pub main: String,
    /// The line's newest commit.
    pub tip: String,
    /// Where the branch is here.
    pub local: Option<String>,
    /// Where it is on the remote, as last seen.
    pub remote: Option<String>,
    /// What the line has of its own.
    pub(super) changes: LineChanges,
    /// The commits that only the development branch has, oldest first.
    pub(super) ahead: Vec<HistoryCommit>,
}

impl LineBranches {
    /// Where a commit stands among those that only the development branch has.
    pub(super) fn order(&self) -> HashMap<&str, usize> {
        let ids = self.ahead.iter().map(|commit| commit.id.as_str());
        ids.enumerate().map(|(number, id)| (id, number)).collect()
    }
}

impl BackportQueue<'_> {
    /// Asks the remote for newer records and branches. Without a remote there is nothing to ask.
    ///
    /// # Errors
    /// When the remote cannot be reached.
    pub fn refresh(&self) -> Result<(), EngineError> {
        let remote = &self.config.git.remote;
        if !self.has_remote()? {
            return Ok(());
        }
        self.records().refresh()?;
        for branch in [self.config.git.main.clone(), self.branch()?] {
            let spec = format!("+refs/heads/{branch}:refs/remotes/{remote}/{branch}");
            match self.git().fetch(self.root(), remote, &[&spec]) {
                Err(error) if error.kind == ErrorKind::NotFound => {}
                fetched => fetched?,
            }
        }
        Ok(())
    }

    pub(super) fn has_remote(&self) -> Result<bool, EngineError> {
        let url = self.git().remote_url(self.root(), &self.config.git.remote)?;
        Ok(url.is_some())
    }

    pub(super) fn branch(&self) -> Result<String, EngineError> {
        let line = self.line.to_string();
        let pattern = &self.config.git.release_branch;
        pattern
            .expand(&[("line", &line)])
            .map_err(|error| EngineError::Policy {
                path: "vrel.toml".into(),
                reason: format!("`git.release-branch`: {error}"),
            })
    }

    /// Looks at the branches.
    ///
    /// # Errors
    /// When one is missing, or the line's branch here and on the remote have both gone on.
    pub fn branches(&self) -> Result<LineBranches, EngineError> {
        let (git, root) = (self.git(), self.root());
        let remote = &self.config.git.remote;
        let branch = self.branch()?;
        let both = |name: &str| -> Result<_, EngineError> {
            let local = git.resolve(root, &format!("refs/heads/{name}"))?;
            Ok((
                local,
                git.resolve(root, &format!("refs/remotes/{remote}/{name}"))?,
            ))
        };
        let newer = |name: &str, local: &Option<String>, seen: &Option<String>| {
            let (Some(here), Some(there)) = (local, seen) else {
                return Ok(local.clone().or_else(|| seen.clone()));
            };
            if git.is_ancestor(root, here, there)? {
                Ok(Some(there.clone()))
            } else if git.is_ancestor(root, there, here)? {
                Ok(Some(here.clone()))
            } else {
                Err(refused(
                    format!(
                        "`{name}` has commits here that `{remote}/{name}` lacks, and the other way round"
                    ),
                    format!("bring them together: `git rebase {remote}/{name} {name}`"),
                ))
            }
        };
        let main_name = &self.config.git.main;
        let (local, seen) = both(main_name)?;
        let main = newer(main_name, &local, &seen)?;
        let (local, seen) = both(&branch)?;
        let tip = newer(&branch, &local, &seen)?;
        let main = main.ok_or_else(|| {
            refused(
                format!("there is no branch `{main_name}`"),
                "`git.main` in vrel.toml names the development branch",
            )
        })?;
        let tip = tip.ok_or_else(|| {
            refused(
                format!("the line {} has no branch `{branch}`", self.line),
                format!(
                    "the line's first `vrel cut-rc`, or `vrel lts create {}`, makes it",
                    self.line
                ),
            )
        })?;
        let difference = git.difference(root, &[&main], &[&tip])?;
        let mut ahead = difference.ours;
        ahead.reverse();
        Ok(LineBranches {
            branch,
            main,
            tip,
            local,
            remote: seen,
            changes: LineChanges::new(&difference.theirs),
            ahead,
        })
    }

    /// How each of the commits is on the line already; `None` for those that are not.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn present(
        &self,
        branches: &LineBranches,
        commits: &[&str],
    ) -> Result<Vec<Option<Present>>, EngineError> {
        let standing: Vec<&str> = branches.changes.standing.iter().map(String::as_str).collect();
        let equal = self.git().equal_patches(self.root(), commits, &standing)?;
        let mut found = Vec::new();
        for (commit, equal) in commits.iter().zip(equal) {
            found.push(if self.git().is_ancestor(self.root(), commit, &branches.tip)? {
                Some(Present::Before)
            } else if let Some(by) = branches.changes.naming(commit) {
                Some(Present::Named { by: by.to_owned() })
            } else {
                equal.map(|at| Present::Same {
                    commit: standing[at].to_owned(),
                })
            });
        }
        Ok(found)
    }
}
