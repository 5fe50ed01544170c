//! Gathering what the rules look at.

use crate::channels::recorded_duds;
use crate::freeze::read_freezes;
use crate::gates::collect_gates;
use crate::interface::interface_facts;
use crate::lts::LtsLines;
use crate::records::Records;
use crate::{EngineError, JournalState, Site, load_all};
use std::collections::BTreeMap;
use vrel_model::{Config, Dud, Edition, Manifest, PlannedNews, SignedPointer, Version};
use vrel_process::{
    GateFacts, InterfaceFacts, LineSupport, OriginFacts, Policies, RemoteFacts, Snapshot, TagFact,
    previous_release, usable_tags,
};
use vrel_world::World;

/// The facts that need no network, no key and no look at the machine: what planning starts from.
///
/// # Errors
/// When the repository, a journal or the origin's pointer cannot be read.
pub fn collect_snapshot(
    world: &dyn World,
    site: &Site,
    policies: Policies,
    version: &Version,
) -> Result<Snapshot, EngineError> {
    let git = world.git();
    let root = site.root();
    let branch = |name: &str| git.resolve(root, &format!("refs/heads/{name}"));
    let line = version.line().to_string();
    let release_branch = policies.config.git.release_branch.expand(&[("line", &line)]);
    let release_branch = release_branch.map_err(|error| EngineError::Policy {
        path: "vrel.toml".into(),
        reason: format!("`git.release-branch`: {error}"),
    })?;
    let main_tip = branch(&policies.config.git.main)?;
    let release_branch_tip = branch(&release_branch)?;
    let mut commit_times = BTreeMap::new();
    for tip in [&main_tip, &release_branch_tip].into_iter().flatten() {
        commit_times.insert(tip.clone(), git.commit_time(root, tip)?);
    }
    let (plan_problem, blockers) = living_plan(world, site, &policies, main_tip.as_deref(), version)?;
    let view = Records::new(world, site, &policies.config).view()?;
    let freezes = read_freezes(&view, version.line())?;
    let newest = freezes.and_then(|(_, mut file)| file.windows.pop());
    let tags: Vec<TagFact> = git
        .tags(root)?
        .into_iter()
        .map(|tag| TagFact {
            name: tag.name,
            commit: tag.commit,
        })
        .collect();
    // The commit that a candidate is built from.
    let source = release_branch_tip.as_ref().or(main_tip.as_ref());
    let mut origin = origin_facts(world, site)?;
    origin.duds.extend(recorded_duds(&view)?);
    let usable = usable_tags(&tags, &origin.duds);
    let interface = match source {
        Some(commit) => interface_facts(world, site, &policies.config, &usable, version, commit)?,
        None => InterfaceFacts::default(),
    };
    let news = news(world, site, &usable, version, source)?;
    let support = LtsLines::new(world, site, &policies)
        .all()?
        .remove(&version.line());
    let support = support.map(|record| LineSupport {
        today: record.support(world.now().into()),
        end_of_life: record.end_of_life,
    });
    let mut unfinished = None;
    let mut finished = BTreeMap::new();
    for journal in load_all(world, site)? {
        let plan = journal.plan();
        match journal.state() {
            JournalState::Finished => {
                finished.insert(plan.version.clone(), plan.commit.clone());
            }
            JournalState::Undone => {}
            JournalState::Unfinished { .. } | JournalState::Undoing => {
                unfinished = Some(plan.version.clone())
            }
        }
    }
    let mut snapshot = Snapshot {
        head_branch: git.head(root)?.branch,
        main_tip,
        release_branch_tip,
        dirty_paths: git.dirty_paths(root)?,
        shallow: git.is_shallow(root)?,
        tags,
        remote_url: git.remote_url(root, &policies.config.git.remote)?,
        commit_times,
        origin,
        plan_problem,
        blockers,
        exceptions: newest.map(|window| window.exceptions).unwrap_or_default(),
        unfinished,
        finished,
        support,
        news,
        interface,
        remote: None,
        environment: None,
        gates: GateFacts::default(),
        policies,
    };
    snapshot.gates = collect_gates(world, site, &snapshot, version, world.now())?;
    Ok(snapshot)
}

/// What is new since the candidate before of the same series, where the version is a later one.
fn news(
    world: &dyn World,
    site: &Site,
    tags: &[TagFact],
    version: &Version,
    source: Option<&String>,
) -> Result<Option<Vec<PlannedNews>>, EngineError> {
    let previous = previous_release(tags, version);
    let same_series = |other: &Version| {
        version.is_candidate() && other.is_candidate() && other.final_version() == version.final_version()
    };
    match (previous, source) {
        (Some((previous, before)), Some(commit)) if same_series(&previous) => {
            Ok(Some(commits_between(world, site, before, commit)?))
        }
        _ => Ok(None),
    }
}

/// The commits that can be reached from one commit and not from another, oldest first, without merges.
///
/// # Errors
/// When the repository cannot be read.
pub(crate) fn commits_between(
    world: &dyn World,
    site: &Site,
    before: &str,
    commit: &str,
) -> Result<Vec<PlannedNews>, EngineError> {
    let mut found = Vec::new();
    world
        .git()
        .history(site.root(), &[before], commit, &mut |commit| {
            if !commit.is_merge() {
                let subject = commit.message.lines().next().unwrap_or_default().to_owned();
                found.push(PlannedNews {
                    commit: commit.id,
                    subject,
                });
            }
        })?;
    found.reverse();
    Ok(found)
}

/// What is wrong with the living plan on the development branch, and which issues it says block the release.
fn living_plan(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
    main_tip: Option<&str>,
    version: &Version,
) -> Result<(Option<String>, Vec<String>), EngineError> {
    let Some(tip) = main_tip else {
        return Ok((None, Vec::new()));
    };
    let path = policies.config.plan.file.to_string_lossy();
    let Some(bytes) = world.git().file_at(site.root(), tip, &path)? else {
        return Ok((
            Some(format!("there is no such file on {}", policies.config.git.main)),
            Vec::new(),
        ));
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok((Some("it is not UTF-8 text".to_owned()), Vec::new()));
    };
    match vrel_todo::Todo::parse(&text) {
        Err(error) => Ok((Some(error.to_string()), Vec::new())),
        Ok(todo) => {
            let blockers = todo.blockers_of(version).into_iter();
            Ok((
                None,
                blockers
                    .map(|issue| format!("line {}: {}", issue.line, issue.text))
                    .collect(),
            ))
        }
    }
}

/// What the origin's pointer says, unverified: good for planning, where nothing is trusted to it.
///
/// # Errors
/// When the pointer is there but cannot be read.
pub fn origin_facts(world: &dyn World, site: &Site) -> Result<OriginFacts, EngineError> {
    let exists = world.fs().metadata(site.origin())?.is_some();
    let path = site.origin().join("pointer.json");
    if world.fs().metadata(&path)?.is_none() {
        return Ok(OriginFacts {
            exists,
            ..OriginFacts::default()
        });
    }
    let bytes = world.fs().read(&path)?;
    let pointer = SignedPointer::parse(&bytes).and_then(|signed| signed.pointer());
    let pointer = pointer.map_err(|error| EngineError::Policy {
        path,
        reason: error.to_string(),
    })?;
    Ok(OriginFacts {
        exists,
        pointer_version: Some(pointer.version),
        editions: pointer
            .backfilled
            .into_iter()
            .map(|(version, newest)| (version, newest.edition))
            .collect(),
        newest: pointer
            .channels
            .iter()
            .map(|(channel, head)| (channel.clone(), head.newest().clone()))
            .collect(),
        older_lines: pointer
            .older_lines
            .into_iter()
            .map(|(channel, heads)| (channel, heads.into_iter().map(|head| head.release).collect()))
            .collect(),
        heads: pointer
            .channels
            .into_iter()
            .map(|(channel, head)| (channel, head.release))
            .collect(),
        duds: pointer.duds,
    })
}

/// The releases that nobody may use, as far as this repository knows: from its newest records and from the origin, where it
/// has one.
///
/// # Errors
/// When the records or the pointer are there but cannot be read.
pub fn duds(world: &dyn World, site: &Site, config: &Config) -> Result<BTreeMap<Version, Dud>, EngineError> {
    let mut duds = origin_facts(world, site)?.duds;
    duds.extend(recorded_duds(&Records::new(world, site, config).view()?)?);
    Ok(duds)
}

/// The newest public manifest of a published release, unverified; `None` when the origin has none.
///
/// # Errors
/// When it is there but cannot be read.
pub fn origin_manifest(
    world: &dyn World,
    site: &Site,
    version: &Version,
) -> Result<Option<Manifest>, EngineError> {
    let editions = origin_facts(world, site)?.editions;
    let edition = editions.get(version).copied().unwrap_or(Edition::FIRST);
    let path = site
        .origin()
        .join("releases")
        .join(version.to_string())
        .join(edition.manifest());
    if world.fs().metadata(&path)?.is_none() {
        return Ok(None);
    }
    match Manifest::parse(&world.fs().read(&path)?) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(error) => Err(EngineError::Policy {
            path,
            reason: error.to_string(),
        }),
    }
}

/// Asks the remote for its refs.
///
/// # Errors
/// When it cannot be reached.
pub fn look_at_remote(world: &dyn World, site: &Site, remote: &str) -> Result<RemoteFacts, EngineError> {
    Ok(RemoteFacts {
        refs: world.git().ls_remote(site.root(), remote)?,
    })
}
