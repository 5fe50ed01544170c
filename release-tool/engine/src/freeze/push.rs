//! What a repository says to a push, before it accepts it.

use super::{all_freezes, landing_commits};
use crate::records::RecordsView;
use crate::{EngineError, load_at_commit};
use serde::Serialize;
use std::path::Path;
use vrel_model::{BranchName, Config};
use vrel_process::Finding;
use vrel_process::freeze::{
    LineFreezes, RefUpdate, Refusal, active, check_commits, check_update, line_of_branch, wanted,
};
use vrel_world::World;

/// One ref of a push, as git tells its hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRef {
    /// What it names in the repository; `None` when it is new there.
    pub old: Option<String>,
    /// What it would name; `None` when it would be deleted.
    pub new: Option<String>,
    /// Its full name.
    pub name: String,
}

/// What is against a push. Nothing is: it may go on.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PushReport {
    /// Rules about whole refs, with the ref.
    pub refs: Vec<(String, Finding)>,
    /// Commits that must not land, with the ref and what is frozen.
    pub commits: Vec<FrozenRef>,
    /// Why nothing is governed here, where that is so.
    pub note: Option<String>,
}

/// A frozen ref that commits were pushed to which must not land.
#[derive(Clone, Debug, Serialize)]
pub struct FrozenRef {
    /// The ref's full name.
    pub name: String,
    /// Since when, until when, by whom and why.
    pub frozen: String,
    /// The commits.
    pub refusals: Vec<Refusal>,
}

impl PushReport {
    /// Whether anything is against it.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !(self.refs.is_empty() && self.commits.is_empty())
    }
}

/// Holds a push to the rules of the repository that receives it: the policy on its main branch and its own records. What
/// is pushed has no say in them.
///
/// # Errors
/// When the repository cannot be read. A push that could not be judged must not be accepted.
pub fn check_push(world: &dyn World, repo: &Path, pushed: &[PushedRef]) -> Result<PushReport, EngineError> {
    let mut report = PushReport::default();
    let (main, config) = match policy(world, repo)? {
        Policy::Found { main, config } => (main, *config),
        Policy::None(note) => {
            report.note = Some(note);
            return Ok(report);
        }
        Policy::Broken { main, error } => {
            // The way to mend it is a push to that branch.
            let others = pushed
                .iter()
                .filter(|one| one.name != format!("refs/heads/{main}"));
            report.refs.extend(others.map(|one| {
                let message =
                    format!("the rules on `{main}` cannot be read, so this push cannot be judged: {error}");
                (
                    one.name.clone(),
                    finding("policy-readable", message, format!("mend vrel.toml on `{main}`")),
                )
            }));
            return Ok(report);
        }
    };
    let records = config.git.records_branch.full();
    let view = RecordsView::new(world, repo, world.git().resolve(repo, &records)?);
    let freezes = all_freezes(&view);
    for one in pushed {
        report
            .refs
            .extend(about_ref(world, repo, &config, &main, one)?.map(|finding| (one.name.clone(), finding)));
        match &freezes {
            Ok(freezes) => report
                .commits
                .extend(about_commits(world, repo, &config, &main, freezes, one)?),
            Err(error) => report.refs.extend(unreadable(&config, one, error)),
        }
    }
    Ok(report)
}

enum Policy {
    Found { main: String, config: Box<Config> },
    Broken { main: String, error: EngineError },
    None(String),
}

/// The policy on the branch that HEAD names, or on the one that this policy calls main.
fn policy(world: &dyn World, repo: &Path) -> Result<Policy, EngineError> {
    let git = world.git();
    let head = git.head(repo)?;
    let (Some(branch), Some(commit)) = (head.branch, head.commit) else {
        return Ok(Policy::None(
            "HEAD names no branch with commits, so there are no rules yet".to_owned(),
        ));
    };
    if git.file_at(repo, &commit, "vrel.toml")?.is_none() {
        return Ok(Policy::None(format!(
            "there is no vrel.toml on `{branch}`, so there are no rules"
        )));
    }
    let config = match load_at_commit(world, repo, &commit) {
        Ok(config) => config,
        Err(error) => return Ok(Policy::Broken { main: branch, error }),
    };
    let main = config.git.main.clone();
    let tip = git
        .resolve(repo, &format!("refs/heads/{main}"))?
        .filter(|tip| *tip != commit);
    let Some(tip) = tip else {
        return Ok(Policy::Found {
            main,
            config: Box::new(config),
        });
    };
    Ok(match load_at_commit(world, repo, &tip) {
        Ok(config) => Policy::Found {
            main,
            config: Box::new(config),
        },
        Err(error) => Policy::Broken { main, error },
    })
}

fn about_ref(
    world: &dyn World,
    repo: &Path,
    config: &Config,
    main: &str,
    pushed: &PushedRef,
) -> Result<Option<Finding>, EngineError> {
    let forward = match (&pushed.old, &pushed.new) {
        // Tags may name something else than a commit; only a branch moves forward.
        (Some(old), Some(new)) if pushed.name.starts_with("refs/heads/") => {
            world.git().is_ancestor(repo, old, new)?
        }
        _ => false,
    };
    let update = RefUpdate {
        name: pushed.name.clone(),
        old: pushed.old.clone(),
        new: pushed.new.clone(),
        forward,
    };
    if let Some(finding) = check_update(config, &update) {
        return Ok(Some(finding));
    }
    let Some(new) = &pushed.new else { return Ok(None) };
    if pushed.name == format!("refs/heads/{main}") {
        return Ok(load_at_commit(world, repo, new).err().map(|error| {
            let message = format!("with this commit the rules could not be read any more: {error}");
            finding(
                "policy-readable",
                message,
                "mend vrel.toml; if it is right, update vrel on the server first",
            )
        }));
    }
    if pushed.name == config.git.records_branch.full() {
        let view = RecordsView::new(world, repo, Some(new.clone()));
        return Ok(all_freezes(&view).err().map(|error| {
            let message = format!("with this commit the freezes could not be read any more: {error}");
            finding("records-readable", message, "mend that file")
        }));
    }
    Ok(None)
}

fn about_commits(
    world: &dyn World,
    repo: &Path,
    config: &Config,
    main: &str,
    freezes: &[LineFreezes],
    pushed: &PushedRef,
) -> Result<Option<FrozenRef>, EngineError> {
    let branch = pushed
        .name
        .strip_prefix("refs/heads/")
        .and_then(|name| name.parse::<BranchName>().ok());
    let (Some(branch), Some(new)) = (branch, &pushed.new) else {
        return Ok(None);
    };
    // Otherwise a freeze of it could not be ended any more.
    if branch == config.git.records_branch {
        return Ok(None);
    }
    let now = world.now();
    let windows = active(freezes, &branch, now);
    let Some((line, window)) = windows.first() else {
        return Ok(None);
    };
    // A new branch starts from main: what is there is what the line is made from.
    let base = match &pushed.old {
        Some(old) => Some(old.clone()),
        None => world.git().resolve(repo, &format!("refs/heads/{main}"))?,
    };
    let hidden: Vec<&str> = base.iter().map(String::as_str).collect();
    let wanted = wanted(windows.iter().map(|(_, window)| *window), &config.freeze);
    let commits = landing_commits(world, repo, &hidden, new, wanted)?;
    let refusals = check_commits(&branch, freezes, &config.freeze, &commits, now);
    let until = window
        .over_since()
        .map_or_else(String::new, |end| format!(" until {end}"));
    let frozen = format!(
        "{line} is frozen since {}{until} ({}: {})",
        window.starts, window.by, window.reason
    );
    Ok((!refusals.is_empty()).then(|| FrozenRef {
        name: pushed.name.clone(),
        frozen,
        refusals,
    }))
}

/// Freezes that cannot be read must not let anything into a release branch.
fn unreadable(config: &Config, pushed: &PushedRef, error: &EngineError) -> Option<(String, Finding)> {
    let branch = pushed.name.strip_prefix("refs/heads/")?;
    line_of_branch(config, branch)?;
    let message = format!("whether `{branch}` is frozen cannot be read: {error}");
    let hint = format!("mend that file on the branch `{}`", config.git.records_branch);
    Some((pushed.name.clone(), finding("records-readable", message, hint)))
}

fn finding(check: &'static str, message: String, hint: impl Into<String>) -> Finding {
    Finding::policy(check, message).hint(hint)
}
