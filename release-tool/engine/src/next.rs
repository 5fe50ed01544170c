//! What the next version is found from.

use crate::interface::facts_between;
use crate::{EngineError, Site, duds};
use vrel_interface::Impact;
use vrel_model::{Config, Line, Version};
use vrel_notes::{Scale, Weight};
use vrel_process::{
    CommitFact, NextFacts, Origin, PlannedVersion, TagFact, base_release, open_series, usable_tags,
};
use vrel_world::World;

/// Gathers what the next version is found from: on a line, or wherever the next release comes from.
///
/// # Errors
/// When the repository cannot be read, when there is no such line, or when the interface cannot be read.
pub fn next_facts(
    world: &dyn World,
    site: &Site,
    config: &Config,
    asked: Option<Line>,
) -> Result<NextFacts, EngineError> {
    let git = world.git();
    let tags: Vec<TagFact> = git
        .tags(site.root())?
        .into_iter()
        .map(|tag| TagFact {
            name: tag.name,
            commit: tag.commit,
        })
        .collect();
    let line = asked.or_else(|| open_series(&tags, None).map(|series| series.line()));
    let main = tip(world, site, &config.git.main)?;
    let main_tip = main.ok_or_else(|| {
        refused(format!(
            "there is no local branch `{}` with a commit on it",
            config.git.main
        ))
    })?;
    let release = match line {
        Some(line) => release_branch(world, site, config, line)?,
        None => None,
    };
    let is_main = release.is_none();
    let (branch, commit) = release.unwrap_or_else(|| (config.git.main.clone(), main_tip.clone()));
    let newest = tags.iter().filter_map(|tag| Version::from_tag(&tag.name)).max();
    if let (true, Some(line), Some(newest)) = (is_main, asked, newest)
        && line < newest.line()
    {
        let wanted = config.git.release_branch.expand(&[("line", &line.to_string())]);
        let wanted = wanted.unwrap_or_else(|_| line.to_string());
        return Err(refused(format!(
            "there is no local branch `{wanted}`, and {newest} is out: the line {line} has ended"
        )));
    }
    let usable_tags = usable_tags(&tags, &duds(world, site, config)?);
    let base = base_release(&usable_tags, line).map(|(version, commit)| (version, commit.to_owned()));
    let base = base.as_ref().map(|(version, commit)| (version, commit.as_str()));
    let (commits, internal) = commits(world, site, base.map(|(_, commit)| commit), &commit)?;
    let interface = facts_between(world, site, config, base, &commit)?;
    if let Some(problem) = interface.problem {
        return Err(problem.into());
    }
    let plan = plan(world, site, config, &main_tip)?;
    let previous = base.map(|(version, _)| version.clone());
    Ok(NextFacts {
        line,
        line_asked: asked.is_some(),
        origin: Origin {
            branch,
            commit,
            previous,
        },
        is_main,
        commits,
        internal,
        interface,
        planned: plan.first().cloned(),
        main_leads_to: unbranched(world, site, config, plan)?,
        now: world.now(),
        usable_tags,
        tags,
    })
}

fn refused(message: String) -> EngineError {
    EngineError::Refused {
        message,
        hint: Some("run `git fetch`, then look at `git branch --all`".to_owned()),
    }
}

fn tip(world: &dyn World, site: &Site, branch: &str) -> Result<Option<String>, EngineError> {
    Ok(world
        .git()
        .resolve(site.root(), &format!("refs/heads/{branch}"))?)
}

/// The release branch of a line with its tip, where there is one.
fn release_branch(
    world: &dyn World,
    site: &Site,
    config: &Config,
    line: Line,
) -> Result<Option<(String, String)>, EngineError> {
    let branch = config.git.release_branch.expand(&[("line", &line.to_string())]);
    let branch = branch.map_err(|error| EngineError::Policy {
        path: "vrel.toml".into(),
        reason: format!("`git.release-branch`: {error}"),
    })?;
    Ok(tip(world, site, &branch)?.map(|commit| (branch, commit)))
}

/// The commits that are news to users, and how many there are besides. Before the first release everything is news,
/// and nothing of it matters to the version.
fn commits(
    world: &dyn World,
    site: &Site,
    base: Option<&str>,
    commit: &str,
) -> Result<(Vec<CommitFact>, usize), EngineError> {
    let Some(base) = base else {
        return Ok((Vec::new(), 0));
    };
    let mut scale = Scale::default();
    world
        .git()
        .history(site.root(), &[base], commit, &mut |commit| scale.add(&commit))?;
    let mut facts = Vec::new();
    let mut internal = 0;
    for weighed in scale.finish() {
        let impact = match weighed.weight {
            Weight::Internal => {
                internal += 1;
                continue;
            }
            Weight::Fix => Impact::Neutral,
            Weight::Feature => Impact::Addition,
            Weight::Breaking => Impact::Incompatible,
        };
        facts.push(CommitFact {
            id: weighed.id,
            subject: weighed.subject,
            impact,
        });
    }
    Ok((facts, internal))
}

/// The releases that the living plan has still to come, the next one first. A plan that cannot be read plans nothing:
/// `vrel todo` says what is wrong with it.
fn plan(
    world: &dyn World,
    site: &Site,
    config: &Config,
    main: &str,
) -> Result<Vec<PlannedVersion>, EngineError> {
    let path = config.plan.file.to_string_lossy();
    let bytes = world.git().file_at(site.root(), main, &path)?.unwrap_or_default();
    let text = String::from_utf8(bytes).ok();
    let Some(todo) = text.and_then(|text| vrel_todo::Todo::parse(&text).ok()) else {
        return Ok(Vec::new());
    };
    let Some(next) = todo.next_release() else {
        return Ok(Vec::new());
    };
    let mut later: Vec<PlannedVersion> = todo
        .roadmap()
        .filter(|release| !release.released && release.version > *next)
        .map(|release| PlannedVersion {
            version: release.version.clone(),
            place: format!("{path}:{}", release.line),
        })
        .collect();
    later.sort_by(|a, b| a.version.cmp(&b.version));
    let first = PlannedVersion {
        version: next.clone(),
        place: format!("{path}:{}", todo.next_release_line()),
    };
    Ok(std::iter::once(first).chain(later).collect())
}

/// The release that the development branch leads to, by the living plan at its tip: the first without a release branch.
///
/// # Errors
/// When the repository cannot be read.
pub(crate) fn leads_to(
    world: &dyn World,
    site: &Site,
    config: &Config,
    main: &str,
) -> Result<Option<Version>, EngineError> {
    unbranched(world, site, config, plan(world, site, config, main)?)
}

fn unbranched(
    world: &dyn World,
    site: &Site,
    config: &Config,
    plan: Vec<PlannedVersion>,
) -> Result<Option<Version>, EngineError> {
    for planned in plan {
        if release_branch(world, site, config, planned.version.line())?.is_none() {
            return Ok(Some(planned.version));
        }
    }
    Ok(None)
}
