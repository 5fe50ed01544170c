//! Starting a freeze: decided first, then the branch, then the announcement. Each part looks whether it is done already,
//! so a start that was interrupted is finished by starting again.

use super::{cannot_edit, committer, read_freezes, refused, release_branch};
use crate::records::{Records, RecordsView};
use crate::{EngineError, Site};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use vrel_model::freeze::{FreezeFile, FreezeState, FreezeWindow, add_window, begin_window};
use vrel_model::{BranchName, Config, Line, UtcTime};
use vrel_notes::{FreezeAnnouncement, render_freeze_announcement};
use vrel_world::{FileEdit, PushRef, World};

/// What a person wants to freeze.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// The line.
    pub line: Line,
    /// From when on; `None`: from now on, or as announced.
    pub starts: Option<UtcTime>,
    /// Until when at most; `None` leaves it open, or as announced.
    pub ends: Option<UtcTime>,
    /// Further branches.
    pub also: Vec<BranchName>,
    /// Why; may be left out where the freeze is announced already.
    pub reason: Option<String>,
}

/// What starting would do.
#[derive(Clone, Debug, Serialize)]
pub struct FreezePlan {
    /// The line.
    pub line: String,
    /// The freeze as it will be recorded, or is.
    pub window: FreezeWindow,
    /// How it will stand.
    pub state: FreezeState,
    /// What is to be done, in order.
    pub steps: Vec<FreezeStep>,
}

/// One thing that starting does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FreezeStep {
    /// What changes: a ref, or a file.
    pub object: String,
    /// How.
    pub what: String,
    /// Whether it is so already.
    pub done: bool,
}

impl FreezePlan {
    /// Whether the end state holds already.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.steps.iter().all(|step| step.done)
    }
}

/// What is known of the branches.
struct Facts {
    main: String,
    main_there: Option<String>,
    branch_here: Option<String>,
    branch_there: Option<String>,
    has_remote: bool,
}

/// What starting would do, as far as this repository knows; `remote` are the remote's refs, where it was asked.
///
/// # Errors
/// When the line is frozen or announced otherwise, when `main` is not what the remote has, and when something cannot be
/// read.
pub fn plan_start(
    world: &dyn World,
    site: &Site,
    config: &Config,
    request: &StartRequest,
    remote: Option<&BTreeMap<String, String>>,
) -> Result<FreezePlan, EngineError> {
    let view = Records::new(world, site, config).view()?;
    let facts = facts(world, site, config, request.line, remote)?;
    let (window, edit) = decide(world, site, config, request, &facts, &view)?;
    let state = window.state(world.now());
    let mut steps = vec![FreezeStep {
        object: format!("refs/heads/{}", config.git.records_branch),
        what: format!("record in {}", FreezeFile::path(request.line)),
        done: edit.is_none(),
    }];
    let name = format!("refs/heads/{}", release_branch(config, request.line)?);
    match (&facts.branch_here, &facts.branch_there) {
        _ if state != FreezeState::Frozen => {}
        (None, None) => {
            let commit = window.commit.as_deref().unwrap_or(&facts.main);
            steps.push(step(&name, format!("new branch at {}", short(commit)), false));
            if facts.has_remote {
                steps.push(step(&name, format!("push to {}", config.git.remote), false));
            }
        }
        (Some(tip), None) => {
            steps.push(step(&name, format!("stays at {}", short(tip)), true));
            if facts.has_remote {
                steps.push(step(&name, format!("push to {}", config.git.remote), false));
            }
        }
        (_, Some(tip)) => steps.push(step(&name, format!("stays at {}", short(tip)), true)),
    }
    let draft = draft_path(request.line, &window);
    let done = world.fs().metadata(&site.root().join(&draft))?.is_some();
    steps.push(step(
        &draft.display().to_string(),
        "draft of the announcement".to_owned(),
        done,
    ));
    Ok(FreezePlan {
        line: request.line.to_string(),
        window,
        state,
        steps,
    })
}

/// Brings about what [`plan_start`] shows.
///
/// # Errors
/// As [`plan_start`], and when the remote refuses. Starting again goes on.
pub fn apply_start(
    world: &dyn World,
    site: &Site,
    config: &Config,
    request: &StartRequest,
    remote: Option<&BTreeMap<String, String>>,
) -> Result<FreezePlan, EngineError> {
    let records = Records::new(world, site, config);
    let facts = facts(world, site, config, request.line, remote)?;
    let mut decided = None;
    let message = format!("freeze {}\n", request.line);
    records.change(&message, &mut |view| {
        let (window, edit) = decide(world, site, config, request, &facts, view)?;
        decided = Some(window);
        Ok(edit.into_iter().collect())
    })?;
    let window = decided.ok_or_else(|| refused("nothing was decided", "run the command again"))?;
    if window.state(world.now()) == FreezeState::Frozen {
        make_branch(world, site, config, request.line, &facts, &window)?;
    }
    let draft = site.root().join(draft_path(request.line, &window));
    if world.fs().metadata(&draft)?.is_none() {
        let text = announcement(world, config, request.line, &window)?;
        world.fs().create_dir_all(&site.outbox())?;
        world.fs().write(&draft, text.as_bytes(), 0o644)?;
    }
    plan_start(
        world,
        site,
        config,
        request,
        Some(&after(config, request.line, &facts, remote)?),
    )
}

/// The remote's refs once the branch is pushed.
fn after(
    config: &Config,
    line: Line,
    facts: &Facts,
    remote: Option<&BTreeMap<String, String>>,
) -> Result<BTreeMap<String, String>, EngineError> {
    let mut refs = remote.cloned().unwrap_or_default();
    let name = format!("refs/heads/{}", release_branch(config, line)?);
    refs.entry(name).or_insert_with(|| facts.main.clone());
    Ok(refs)
}

fn facts(
    world: &dyn World,
    site: &Site,
    config: &Config,
    line: Line,
    remote: Option<&BTreeMap<String, String>>,
) -> Result<Facts, EngineError> {
    let (git, root) = (world.git(), site.root());
    let main = &config.git.main;
    let tip = git.resolve(root, &format!("refs/heads/{main}"))?.ok_or_else(|| {
        refused(
            format!("there is no local branch `{main}`"),
            "`git.main` in vrel.toml names the development branch",
        )
    })?;
    let branch = release_branch(config, line)?;
    let tracking = format!("refs/remotes/{}/{branch}", config.git.remote);
    let branch = format!("refs/heads/{branch}");
    Ok(Facts {
        main: tip,
        main_there: remote.and_then(|refs| refs.get(&format!("refs/heads/{main}")).cloned()),
        branch_here: git.resolve(root, &branch)?,
        branch_there: match remote {
            Some(refs) => refs.get(&branch).cloned(),
            None => git.resolve(root, &tracking)?,
        },
        has_remote: git.remote_url(root, &config.git.remote)?.is_some(),
    })
}

impl Facts {
    /// What the release branch is at, or is to be made from: then it must be what the remote has as main.
    fn base(&self, config: &Config) -> Result<String, EngineError> {
        if let Some(tip) = self.branch_there.as_ref().or(self.branch_here.as_ref()) {
            return Ok(tip.clone());
        }
        match &self.main_there {
            Some(there) if *there != self.main => {
                let (main, remote) = (&config.git.main, &config.git.remote);
                Err(refused(
                    format!(
                        "`{main}` is at {} here and at {} on {remote}; the line is made from what everybody has",
                        short(&self.main),
                        short(there)
                    ),
                    format!("run `git pull` or `git push {remote} {main}`"),
                ))
            }
            _ => Ok(self.main.clone()),
        }
    }
}

/// The freeze as it is to be recorded, and the change of the file unless it says so already.
fn decide(
    world: &dyn World,
    site: &Site,
    config: &Config,
    request: &StartRequest,
    facts: &Facts,
    view: &RecordsView<'_>,
) -> Result<(FreezeWindow, Option<FileEdit>), EngineError> {
    let (line, now) = (request.line, world.now());
    let file = read_freezes(view, line)?;
    let write = |text: Result<String, String>| {
        let content = text.map_err(|reason| cannot_edit(line, reason))?.into_bytes();
        let path = FreezeFile::path(line);
        Ok::<_, EngineError>(FileEdit::Write { path, content })
    };
    let current = file.as_ref().and_then(|(text, file)| {
        let (at, window) = file.current(now)?;
        Some((text, at, window))
    });
    if let Some((text, at, window)) = current {
        agrees(request, window, now)?;
        if window.commit.is_some() || window.state(now) != FreezeState::Frozen {
            return Ok((window.clone(), None));
        }
        let begun = FreezeWindow {
            commit: Some(facts.base(config)?),
            ..window.clone()
        };
        let edit = write(begin_window(text, at, &facts.base(config)?))?;
        return Ok((begun, Some(edit)));
    }
    let window = new_window(world, site, config, request, now, facts)?;
    let text = file.as_ref().map(|(text, _)| text.as_str());
    let edit = write(add_window(text, &window))?;
    Ok((window, Some(edit)))
}

/// Whether a freeze that is recorded is the one that is asked for.
fn agrees(request: &StartRequest, window: &FreezeWindow, now: UtcTime) -> Result<(), EngineError> {
    let line = request.line;
    let since = match window.state(now) {
        FreezeState::Announced => format!("announced for {}", window.starts),
        _ => format!("frozen since {}", window.starts),
    };
    let until = window
        .over_since()
        .map_or_else(String::new, |end| format!(" until {end}"));
    let decided = format!(
        "{line} is {since}{until}, decided by {} on {}",
        window.by, window.recorded
    );
    let starts_now = request.starts.is_none() && window.state(now) == FreezeState::Announced;
    let other_start = request.starts.is_some_and(|starts| starts != window.starts);
    let other_end = request.ends.is_some_and(|ends| Some(ends) != window.ends);
    if starts_now || other_start || other_end {
        let hint = format!("to change that, run `vrel freeze end {line} --reason …` first");
        return Err(refused(decided, hint));
    }
    if let Some(branch) = request
        .also
        .iter()
        .find(|branch| !window.branches.contains(branch))
    {
        let hint = format!("to freeze `{branch}` too, run `vrel freeze end {line} --reason …` first");
        return Err(refused(format!("{decided}, without `{branch}`"), hint));
    }
    Ok(())
}

fn new_window(
    world: &dyn World,
    site: &Site,
    config: &Config,
    request: &StartRequest,
    now: UtcTime,
    facts: &Facts,
) -> Result<FreezeWindow, EngineError> {
    let starts = request.starts.unwrap_or(now);
    if starts < now {
        return Err(refused(
            format!("the freeze would begin at {starts}, which is over; it is {now}"),
            "leave `--at` out to begin now",
        ));
    }
    if let Some(ends) = request.ends.filter(|ends| *ends <= starts) {
        return Err(refused(
            format!("the freeze would end at {ends}, before it begins at {starts}"),
            "`--until` names the last day",
        ));
    }
    let reason = request.reason.clone().ok_or_else(|| {
        refused(
            format!("why {} is frozen is not said", request.line),
            "pass `--reason TEXT`",
        )
    })?;
    let branch = release_branch(config, request.line)?;
    let branch: BranchName =
        branch
            .parse()
            .map_err(|error: vrel_model::BranchNameError| EngineError::Policy {
                path: "vrel.toml".into(),
                reason: format!("`git.release-branch`: {error}"),
            })?;
    let mut branches = vec![branch];
    if request.also.contains(&config.git.records_branch) {
        let message = format!(
            "`{}` holds the decisions themselves; it is never frozen",
            config.git.records_branch
        );
        return Err(refused(
            message,
            "`--also` is for branches of code, for example main",
        ));
    }
    for also in &request.also {
        if !branches.contains(also) {
            branches.push(also.clone());
        }
    }
    Ok(FreezeWindow {
        branches,
        starts,
        ends: request.ends,
        commit: if starts <= now {
            Some(facts.base(config)?)
        } else {
            None
        },
        by: committer(world, site.root())?,
        recorded: now,
        reason,
        end: None,
        exceptions: Vec::new(),
    })
}

/// Makes and pushes the release branch where it is not there.
fn make_branch(
    world: &dyn World,
    site: &Site,
    config: &Config,
    line: Line,
    facts: &Facts,
    window: &FreezeWindow,
) -> Result<(), EngineError> {
    if facts.branch_there.is_some() {
        return Ok(());
    }
    let (git, root) = (world.git(), site.root());
    let branch = release_branch(config, line)?;
    if facts.branch_here.is_none() {
        let commit = window.commit.as_deref().unwrap_or(&facts.main);
        git.create_branch(root, &branch, commit)?;
    }
    if facts.has_remote {
        let name = format!("refs/heads/{branch}");
        git.push(root, &config.git.remote, &[PushRef { name, expected: None }])?;
    }
    Ok(())
}

fn draft_path(line: Line, window: &FreezeWindow) -> PathBuf {
    format!(
        ".vrel/outbox/freeze-{line}-{}-announcement.md",
        window.starts.date()
    )
    .into()
}

fn announcement(
    world: &dyn World,
    config: &Config,
    line: Line,
    window: &FreezeWindow,
) -> Result<String, EngineError> {
    let facts = FreezeAnnouncement {
        product: &config.product.name,
        line,
        branches: &window
            .branches
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        starts: window.starts,
        has_begun: window.state(world.now()) == FreezeState::Frozen,
        ends: window.ends,
        reason: &window.reason,
        allowed: &config
            .freeze
            .allow
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
    };
    render_freeze_announcement(&facts).map_err(|error| EngineError::Policy {
        path: "templates/freeze-announcement.md".into(),
        reason: error.to_string(),
    })
}

fn step(object: &str, what: String, done: bool) -> FreezeStep {
    FreezeStep {
        object: object.to_owned(),
        what,
        done,
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
