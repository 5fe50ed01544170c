//! The release's record on the branch of records.

use super::publish::manifest_digest;
use super::{Release, done, missing};
use crate::release_record::Recording;
use crate::run::Observation;
use crate::{EngineError, collect_snapshot};
use vrel_process::Snapshot;

const STEP: &str = "record";

fn snapshot(release: &Release<'_>) -> Result<Snapshot, EngineError> {
    let (policies, version) = (release.policies.clone(), &release.plan.version);
    collect_snapshot(release.world, release.site, policies, version)
}

fn recording<'a>(release: &'a Release<'_>, snapshot: &'a Snapshot) -> Result<Recording<'a>, EngineError> {
    let (_, manifest_sha256) = manifest_digest(release, STEP)?;
    Ok(Recording {
        world: release.world,
        site: release.site,
        plan: release.plan,
        snapshot,
        manifest_sha256,
        smoke: release.read(&release.work_file("smoke.json"))?,
    })
}

pub(super) fn is_recorded(release: &Release<'_>) -> Result<Observation, EngineError> {
    let snapshot = snapshot(release)?;
    let version = &release.plan.version;
    if recording(release, &snapshot)?.is_done()? {
        done(format!("releases/{version}/record.toml"))
    } else {
        missing(format!("the record of {version}"))
    }
}

pub(super) fn record(release: &Release<'_>) -> Result<(), EngineError> {
    let snapshot = snapshot(release)?;
    recording(release, &snapshot)?.write()?;
    Ok(())
}
