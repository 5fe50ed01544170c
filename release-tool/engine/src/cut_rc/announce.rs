//! The living plan and the announcement.

use super::{Release, conflict, done, failed, missing};
use crate::EngineError;
use crate::cut_rc::documents::notes_facts;
use crate::run::Observation;
use std::path::PathBuf;
use vrel_model::{Packer, PlannedDocument, RefChange};
use vrel_todo::{Released, Todo};
use vrel_world::{FileCommit, PushRef};

const STEP: &str = "plan";

/// The plan's path as git names it.
fn plan_path(release: &Release<'_>) -> String {
    release.policies.config.plan.file.to_string_lossy().into_owned()
}

fn main_ref(release: &Release<'_>) -> String {
    format!("refs/heads/{}", release.policies.config.git.main)
}

/// The tip of the development branch, the living plan on it, and the plan with this release recorded.
fn recorded(release: &Release<'_>) -> Result<(String, String, String), EngineError> {
    let (git, root) = (release.world.git(), release.site.root());
    let path = plan_path(release);
    let main = main_ref(release);
    let tip = git
        .resolve(root, &main)?
        .ok_or_else(|| failed(STEP, format!("{main} is gone")))?;
    let bytes = git.file_at(root, &tip, &path)?;
    let bytes = bytes.ok_or_else(|| {
        conflict(
            STEP,
            format!("{path} is not on {main}"),
            "see `plan.file` in vrel.toml",
        )
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| conflict(STEP, format!("{path} is not UTF-8"), "mend it by hand"))?;
    let plan = release.plan;
    let is_notes = |document: &&PlannedDocument| document.packer == Packer::ReleaseNotes;
    let formats = || plan.documents.iter().filter(is_notes);
    let notes = formats()
        .find(|document| document.format == "html")
        .or_else(|| formats().next());
    let notes = format!(
        "{}/{}/{}",
        release.policies.config.publish.public_url.trim_end_matches('/'),
        plan.release_dir(),
        notes.map_or("", |document| document.name.as_str())
    );
    let todo = Todo::parse(&text)
        .map_err(|error| conflict(STEP, format!("{path}: {error}"), "mend the plan and resume"))?;
    let released = Released {
        version: &plan.version,
        channel: &plan.channel,
        date: plan.created,
        commit: &plan.commit,
        notes: &notes,
    };
    let new = todo.record_release(&released);
    let new = new.map_err(|error| conflict(STEP, format!("{path}: {error}"), "mend the plan and resume"))?;
    Ok((tip, text, new))
}

/// The push that the development branch still needs; `None` when it needs none.
fn to_push(release: &Release<'_>, tip: &str) -> Result<Option<PushRef>, EngineError> {
    if !release.policies.config.plan.push {
        return Ok(None);
    }
    let (git, root) = (release.world.git(), release.site.root());
    let main = main_ref(release);
    match git.ls_remote(root, &release.plan.remote)?.remove(&main) {
        None => Ok(Some(PushRef {
            name: main,
            expected: None,
        })),
        Some(there) if there == tip => Ok(None),
        // What the remote has beyond this branch is fine once the branch's own commits are part of it.
        Some(there) if git.is_ancestor(root, tip, &there).unwrap_or(false) => Ok(None),
        Some(there) if git.is_ancestor(root, &there, tip).unwrap_or(false) => Ok(Some(PushRef {
            name: main,
            expected: Some(there),
        })),
        Some(there) => Err(conflict(
            STEP,
            format!("{main} of the remote is at {there}, which is not part of this repository's {main}"),
            "run `git fetch` and `git rebase` on that branch, then resume; or set `plan.push = false` in vrel.toml",
        )),
    }
}

/// The plan on the development branch records the release, and the remote has it where it should.
pub(super) fn plan_is_recorded(release: &Release<'_>) -> Result<Observation, EngineError> {
    let (tip, old, new) = recorded(release)?;
    if old != new {
        return missing(format!("{} in {}", release.plan.version, plan_path(release)));
    }
    if work_tree_is_behind(release, &tip)? {
        return missing(format!("{} in the work tree", plan_path(release)));
    }
    match to_push(release, &tip)? {
        Some(push) => missing(format!("{} on the remote", push.name)),
        None => done(format!(
            "{} is recorded in {}",
            release.plan.version,
            plan_path(release)
        )),
    }
}

/// Whether the branch has moved and the checked-out file is still as it was before.
fn work_tree_is_behind(release: &Release<'_>, tip: &str) -> Result<bool, EngineError> {
    let (git, root) = (release.world.git(), release.site.root());
    let path = plan_path(release);
    let checked_out = git.head(root)?.branch.as_deref() == Some(release.policies.config.git.main.as_str());
    if !checked_out || !git.dirty_paths(root)?.contains(&path) {
        return Ok(false);
    }
    let Some(parent) = git.first_parent(root, tip)? else {
        return Ok(false);
    };
    let before = git.file_at(root, &parent, &path)?;
    Ok(release.read(&root.join(&path))? == before)
}

pub(super) fn record_plan(release: &Release<'_>) -> Result<(), EngineError> {
    let (git, root) = (release.world.git(), release.site.root());
    let path = plan_path(release);
    let (mut tip, old, new) = recorded(release)?;
    let subject = release
        .plan
        .refs
        .iter()
        .find_map(|planned| match &planned.change {
            RefChange::Commit(subject) => Some(subject.as_str()),
            _ => None,
        });
    let message = format!("{}\n", subject.unwrap_or("docs(plan): record a release"));
    let branch = release.policies.config.git.main.as_str();
    if old == new {
        // Committed by an attempt that died before the work tree followed: saying it again only brings that about.
        if let Some(parent) = git.first_parent(root, &tip)? {
            let again = FileCommit {
                branch,
                parent: &parent,
                path: &path,
                content: new.as_bytes(),
                message: &message,
                time: release.plan.created,
            };
            git.commit_file(root, &again)?;
        }
    } else {
        if git.dirty_paths(root)?.contains(&path) && git.head(root)?.branch.as_deref() == Some(branch) {
            let message = format!("{path} has changes that are not committed");
            return Err(conflict(STEP, message, "commit them, then run `vrel resume`"));
        }
        let commit = FileCommit {
            branch,
            parent: &tip,
            path: &path,
            content: new.as_bytes(),
            message: &message,
            time: release.plan.created,
        };
        tip = git.commit_file(root, &commit)?;
    }
    if let Some(push) = to_push(release, &tip)? {
        git.push(root, &release.plan.remote, &[push])?;
    }
    Ok(())
}

fn draft(release: &Release<'_>) -> Result<PathBuf, EngineError> {
    let message = release
        .plan
        .messages
        .first()
        .ok_or_else(|| failed("announce", "the plan has no message"))?;
    Ok(release.site.root().join(&message.path))
}

/// The draft is there. A person may have edited it already, so its content is not compared.
pub(super) fn draft_is_written(release: &Release<'_>) -> Result<Observation, EngineError> {
    let path = draft(release)?;
    match release.world.fs().metadata(&path)? {
        Some(_) => done(path.display()),
        None => missing(path.display()),
    }
}

pub(super) fn write_draft(release: &Release<'_>) -> Result<(), EngineError> {
    let text =
        vrel_notes::render_announcement(&notes_facts(release)?).map_err(|error| failed("announce", error))?;
    release.write(&draft(release)?, text.as_bytes())
}
