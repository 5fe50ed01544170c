//! Removing the nightlies that their channel no longer keeps.

use super::{Release, conflict, done, missing};
use crate::channels::promotions;
use crate::nightly::nightlies;
use crate::records::Records;
use crate::run::Observation;
use crate::{EngineError, origin_facts};
use std::path::PathBuf;
use vrel_model::{Stage, Version};
use vrel_process::expendable;

const STEP: &str = "retire";

fn old(release: &Release<'_>) -> Result<Vec<Version>, EngineError> {
    let (world, site, plan) = (release.world, release.site, release.plan);
    let Some(policy) = release.policies.channels.get(&plan.channel) else {
        return Ok(Vec::new());
    };
    let published = nightlies(world, site, &plan.channel)?;
    let origin = origin_facts(world, site)?;
    // What the channel would go back to from the new head, and what another channel has or may go back to.
    let good = published.iter().map(|nightly| &nightly.facts.version);
    let before = good.filter(|version| **version < plan.version && !origin.duds.contains_key(version));
    let mut needed: Vec<Version> = before.max().into_iter().cloned().collect();
    let records = Records::new(world, site, &release.policies.config);
    needed.extend(promotions(&records.view()?)?.into_keys());
    needed.extend(origin.heads.into_values().chain(origin.newest.into_values()));
    needed.push(plan.version.clone());
    let now = world.now();
    let waiting = |version: &Version| {
        let found = published.iter().find(|nightly| nightly.facts.version == *version);
        found.is_some_and(|nightly| nightly.lagging.iter().any(|late| late.until >= now))
    };
    let facts: Vec<_> = published.iter().map(|nightly| nightly.facts.clone()).collect();
    Ok(expendable(policy, &facts, &needed, &waiting, now))
}

/// What this machine keeps of the making of earlier nightlies; they can be made again from their commits.
fn work_left(release: &Release<'_>) -> Result<Vec<PathBuf>, EngineError> {
    let current = release.site.work(release.plan);
    let Some(all) = current.parent() else {
        return Ok(Vec::new());
    };
    let mut left = Vec::new();
    for entry in release.world.fs().list(all)? {
        // What is added later has a directory of its own, named after the release.
        let name = entry.name.split(".backfill-").next().unwrap_or_default();
        let version = name.parse::<Version>().ok();
        let is_nightly = version.is_some_and(|version| matches!(version.stage(), Stage::Nightly { .. }));
        let path = all.join(&entry.name);
        if is_nightly && path != current {
            left.push(path);
        }
    }
    Ok(left)
}

/// Neither the origin nor this machine has something of a nightly that may be removed.
pub(super) fn none_is_expendable(release: &Release<'_>) -> Result<Observation, EngineError> {
    if let Some(version) = old(release)?.first() {
        return missing(format!("the removal of {version}"));
    }
    match work_left(release)?.first() {
        Some(path) => missing(format!("the removal of {}", path.display())),
        None => done("nothing older than the channel keeps"),
    }
}

/// Removes them, and what this machine kept of them. The manifest goes first: what is left of an interrupted removal is
/// no release for anybody.
pub(super) fn remove_expendable(release: &Release<'_>) -> Result<(), EngineError> {
    let fs = release.world.fs();
    for version in old(release)? {
        release.world.check_interrupt()?;
        if origin_facts(release.world, release.site)?
            .heads
            .values()
            .any(|head| *head == version)
        {
            let message = format!("{version} is the head of a channel");
            return Err(conflict(STEP, message, "a head is never removed"));
        }
        // Its own journal, and those of what was added or taken back.
        let mut journals = fs.list(&release.site.journals())?;
        journals.retain(|entry| entry.name.starts_with(&format!("{version}.")));
        for entry in journals {
            fs.remove_file(&release.site.journals().join(&entry.name))?;
        }
        let dir = release.site.origin().join("releases").join(version.to_string());
        for entry in fs.list(&dir)? {
            if entry.name.starts_with("manifest") {
                fs.remove_file(&dir.join(&entry.name))?;
            }
        }
        fs.remove_dir_all(&dir)?;
    }
    for path in work_left(release)? {
        release.world.check_interrupt()?;
        fs.remove_dir_all(&path)?;
    }
    Ok(())
}
