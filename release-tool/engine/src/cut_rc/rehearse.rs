//! The rehearsal of a rollback: staging's channel goes back to the release that users have now, and forward again.

use super::publish::{manifest_digest, origin_error};
use super::stage::{lead, pointer_in, read_as_head, staging_dir, this_head};
use super::{Release, conflict, done, failed, missing};
use crate::EngineError;
use crate::pointer_change::CurrentPointer;
use crate::run::Observation;
use vrel_model::{ChannelHead, Pointer, Rehearsal, Rollback, Version, WayBack};
use vrel_origin::LocalOrigin;

const STEP: &str = "rehearse";

/// What is kept of it.
const RECORD: &str = "rehearsal.json";

fn record(release: &Release<'_>) -> Result<Option<Rehearsal>, EngineError> {
    let bytes = release.read(&release.work_file(RECORD))?;
    let record = bytes.and_then(|bytes| Rehearsal::parse(&bytes).ok());
    let (_, manifest) = manifest_digest(release, STEP)?;
    Ok(record.filter(|record| record.manifest_sha256 == manifest))
}

/// The rollback of this very release was carried out and taken back.
pub(super) fn is_rehearsed(release: &Release<'_>) -> Result<Observation, EngineError> {
    let Some(record) = record(release)? else {
        return missing("a rehearsal of the rollback");
    };
    let (channel, release) = (record.channel, record.release);
    match record.way_back {
        None => done(format!("{channel} has no release before {release} to go back to")),
        Some(way) => done(format!(
            "{channel} back to {} by pointer {}, forward by pointer {}, each verified as a reader would, {} ms",
            way.to, way.back, way.forward, way.milliseconds
        )),
    }
}

/// Leads staging back and forward. What was interrupted is done again from the start.
pub(super) fn rehearse(release: &Release<'_>) -> Result<(), EngineError> {
    let plan = release.plan;
    let (_, manifest_sha256) = manifest_digest(release, STEP)?;
    let production = pointer_in(release, release.site.origin())?.map(|current| current.pointer);
    // The release whose place this one takes: on an older line that is not the channel's head.
    let older = production.as_ref().and_then(|pointer| {
        if pointer.is_of_older_line(&plan.channel, &plan.version) {
            pointer.older(&plan.channel, plan.line())
        } else {
            pointer.channels.get(&plan.channel)
        }
    });
    let way_back = match (older, &production) {
        (Some(older), Some(production)) if older.release != plan.version => {
            Some(there_and_back(release, older, production)?)
        }
        _ => None,
    };
    let record = Rehearsal {
        schema: 1,
        release: plan.version.clone(),
        manifest_sha256,
        channel: plan.channel.clone(),
        way_back,
    };
    let json = serde_json::to_vec_pretty(&record).map_err(|error| failed(STEP, error))?;
    release.write(&release.work_file(RECORD), &json)
}

fn there_and_back(
    release: &Release<'_>,
    older: &ChannelHead,
    production: &Pointer,
) -> Result<WayBack, EngineError> {
    let plan = release.plan;
    let dir = staging_dir(release, STEP)?;
    let copied = copy_missing(release, &older.release)?;
    let seen = pointer_in(release, &dir)?.map(|CurrentPointer { pointer, .. }| pointer.version);

    let start = release.world.uptime();
    let reason = "rehearsal before the release".parse();
    let rollback = Rollback {
        from: plan.version.clone(),
        reason: reason.map_err(|error| failed(STEP, error))?,
        at: plan.created,
    };
    let back = lead(release, STEP, |pointer| {
        let head = ChannelHead {
            rollback: Some(rollback),
            ..older.clone()
        };
        pointer.channels.insert(plan.channel.clone(), head);
        // The older release is in staging as it is in production, with what was added to it.
        match production.backfilled.get(&older.release) {
            Some(newest) => pointer.backfilled.insert(older.release.clone(), newest.clone()),
            None => pointer.backfilled.remove(&older.release),
        };
    })?;
    let report = read_as_head(release, STEP, &older.release, seen)?;
    let took = release.world.uptime().saturating_sub(start);
    expect_pointer(report.pointer.as_ref(), back.version)?;

    let head = this_head(release, STEP)?;
    let forward = lead(release, STEP, |pointer| {
        pointer.channels.insert(plan.channel.clone(), head);
    })?;
    let report = read_as_head(release, STEP, &plan.version, Some(back.version))?;
    expect_pointer(report.pointer.as_ref(), forward.version)?;
    Ok(WayBack {
        to: older.release.clone(),
        copied,
        back: back.version,
        forward: forward.version,
        milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    })
}

/// A reader has seen the pointer that was just made, and no other.
fn expect_pointer(seen: Option<&Pointer>, expected: u64) -> Result<(), EngineError> {
    match seen.map(|pointer| pointer.version) {
        Some(version) if version == expected => Ok(()),
        seen => Err(conflict(
            STEP,
            format!("a reader of staging saw the pointer {seen:?}, expected {expected}"),
            "somebody else changes staging: run `vrel resume` when they are done",
        )),
    }
}

/// Copies the files of a published release that staging has not got, the manifests last, and says how many.
fn copy_missing(release: &Release<'_>, version: &Version) -> Result<usize, EngineError> {
    let fs = release.world.fs();
    let error = |error| origin_error(STEP, error);
    let staging = staging_dir(release, STEP)?;
    let from = release.site.origin();
    let origin = LocalOrigin::open(release.world, &staging).map_err(error)?;
    let mut names: Vec<String> = fs
        .list(&from.join("releases").join(version.to_string()))?
        .into_iter()
        .map(|entry| entry.name)
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_by_key(|name| name.starts_with("manifest"));
    let mut copied = 0;
    for name in names {
        release.world.check_interrupt()?;
        let path = format!("releases/{version}/{name}");
        let object = path.parse().map_err(|error| failed(STEP, error))?;
        // A wrong content of the same name is found by who reads it.
        if fs.metadata(&staging.join(&path))?.is_none() {
            origin.put_file_new(&object, &from.join(&path)).map_err(error)?;
            copied += 1;
        }
    }
    Ok(copied)
}
