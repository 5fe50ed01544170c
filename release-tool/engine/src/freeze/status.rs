//! How freezes stand, and what landed since they began.

use super::{landing_commits, read_freezes, release_branch};
use crate::records::RecordsView;
use crate::{EngineError, Site};
use serde::Serialize;
use vrel_model::freeze::{FreezeException, FreezeState, FreezeWindow};
use vrel_model::{Config, Line, UtcTime};
use vrel_process::freeze::{Landing, Refusal, judge, wanted};
use vrel_world::{ErrorKind, World};

/// How a line's newest freeze stands.
#[derive(Clone, Debug, Serialize)]
pub struct FreezeReport {
    /// The line.
    pub line: String,
    /// How it stands.
    pub state: FreezeState,
    /// As it is recorded; its exceptions are below.
    pub window: FreezeWindow,
    /// When it was over; `None` while it is not.
    pub over_since: Option<UtcTime>,
    /// Whether it has begun, but the release branch is not made yet.
    pub branch_due: bool,
    /// The exceptions.
    pub exceptions: Vec<ExceptionReport>,
    /// What landed since; `None` before it began, or when this repository does not have the branch.
    pub landed: Option<LandedReport>,
    /// How many freezes of the line came before.
    pub earlier: usize,
}

/// An exception, and what used it.
#[derive(Clone, Debug, Serialize)]
pub struct ExceptionReport {
    /// Its number, from 1.
    pub number: usize,
    /// Whether its last day is over.
    pub expired: bool,
    /// The commits that landed by it.
    pub used_by: Vec<String>,
    /// As it is recorded.
    pub exception: FreezeException,
}

/// What landed since a freeze began.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LandedReport {
    /// The release branch's tip that was looked at.
    pub tip: String,
    /// Commits of types that mend.
    pub fixes: usize,
    /// Commits that change nothing but paths which are always open.
    pub paths: usize,
    /// Commits by an exception.
    pub exceptions: usize,
    /// Merges that change nothing themselves.
    pub merges: usize,
    /// Commits that should not be there: they came past the rule.
    pub against: Vec<Refusal>,
}

/// How the newest freeze of a line stands; `None` when it was never frozen. Nothing is asked of the remote.
///
/// # Errors
/// When the records or the repository cannot be read.
pub fn report(
    world: &dyn World,
    site: &Site,
    config: &Config,
    view: &RecordsView<'_>,
    line: Line,
) -> Result<Option<FreezeReport>, EngineError> {
    let now = world.now();
    let Some((_, mut file)) = read_freezes(view, line)? else {
        return Ok(None);
    };
    let Some(mut window) = file.windows.pop() else {
        return Ok(None);
    };
    let state = window.state(now);
    let mut used = vec![Vec::new(); window.exceptions.len()];
    let landed = landed(world, site, config, line, &window, &mut used)?;
    let exceptions = std::mem::take(&mut window.exceptions);
    let exceptions = exceptions
        .into_iter()
        .zip(used)
        .enumerate()
        .map(|(at, (exception, used_by))| ExceptionReport {
            number: at + 1,
            expired: exception.until.end() <= now,
            used_by,
            exception,
        });
    Ok(Some(FreezeReport {
        line: line.to_string(),
        state,
        over_since: window.over_since().filter(|over| *over <= now),
        branch_due: state == FreezeState::Frozen && window.commit.is_none(),
        exceptions: exceptions.collect(),
        landed,
        earlier: file.windows.len(),
        window,
    }))
}

/// Asks the remote for the line's release branch. Where there is no remote, or it has no such branch, there is nothing to
/// fetch.
///
/// # Errors
/// When the remote cannot be reached.
pub fn fetch_branch(world: &dyn World, site: &Site, config: &Config, line: Line) -> Result<(), EngineError> {
    let (git, root, remote) = (world.git(), site.root(), &config.git.remote);
    if git.remote_url(root, remote)?.is_none() {
        return Ok(());
    }
    let branch = release_branch(config, line)?;
    let spec = format!("+refs/heads/{branch}:refs/remotes/{remote}/{branch}");
    match git.fetch(root, remote, &[&spec]) {
        Err(error) if error.kind != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn landed(
    world: &dyn World,
    site: &Site,
    config: &Config,
    line: Line,
    window: &FreezeWindow,
    used: &mut [Vec<String>],
) -> Result<Option<LandedReport>, EngineError> {
    let (git, root) = (world.git(), site.root());
    let branch = release_branch(config, line)?;
    let here = git.resolve(root, &format!("refs/heads/{branch}"))?;
    let there = git.resolve(root, &format!("refs/remotes/{}/{branch}", config.git.remote))?;
    let tip = match (here, there) {
        (Some(here), Some(there)) if git.is_ancestor(root, &here, &there)? => Some(there),
        (here, there) => here.or(there),
    };
    let (Some(tip), Some(from)) = (tip, &window.commit) else {
        return Ok(None);
    };
    // Another clone made the branch from a commit that this one has not fetched.
    if git.revision(root, from)?.is_none() {
        return Ok(None);
    }
    let wanted = wanted([window], &config.freeze);
    let mut report = LandedReport {
        tip: tip.clone(),
        ..LandedReport::default()
    };
    for commit in landing_commits(world, root, &[from], &tip, wanted)? {
        count(
            &mut report,
            used,
            &commit.id,
            judge(line, window, &config.freeze, &commit, None),
        );
    }
    Ok(Some(report))
}

fn count(report: &mut LandedReport, used: &mut [Vec<String>], commit: &str, landing: Landing) {
    match landing {
        Landing::Fix => report.fixes += 1,
        Landing::Path => report.paths += 1,
        Landing::Merge => report.merges += 1,
        Landing::Refused(refusal) => report.against.push(refusal),
        Landing::Exception(number) => {
            report.exceptions += 1;
            if let Some(used) = used.get_mut(number - 1) {
                used.push(commit.to_owned());
            }
        }
    }
}
