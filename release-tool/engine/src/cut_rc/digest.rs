//! Checksums.

use super::addition::all_artifacts;
use super::build::{build, built};
use super::{Release, done, missing};
use crate::EngineError;
use crate::run::Observation;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use vrel_model::ByteSize;
use vrel_trust::{Digests, Measured, sha256_files};

/// Lengths and SHA-256 of the staged files, in the plan's order.
fn hash_artifacts(release: &Release<'_>) -> Result<Vec<Measured>, EngineError> {
    let paths: Vec<PathBuf> = release
        .plan
        .artifacts
        .iter()
        .map(|artifact| release.staged(artifact.name.as_str()))
        .collect();
    let threads = NonZeroUsize::new(release.jobs).unwrap_or(NonZeroUsize::MIN);
    Ok(sha256_files(release.world, &paths, threads)?)
}

/// Whether the staged files are what was built.
fn intact(release: &Release<'_>, recorded: &[Digests]) -> Result<bool, EngineError> {
    let recorded = recorded.iter().map(|digests| (digests.length, digests.sha256));
    Ok(recorded.eq(hash_artifacts(release)?))
}

/// The checksums of all files that the release has in this edition.
fn sha256sums(release: &Release<'_>) -> Result<String, EngineError> {
    let artifacts = all_artifacts(release, "digest")?;
    let line = |artifact: &vrel_model::ManifestArtifact| format!("{}  {}\n", artifact.sha256, artifact.name);
    Ok(artifacts.iter().map(line).collect())
}

/// Every artifact is what was built, and the list of checksums says so.
pub(super) fn is_digested(release: &Release<'_>) -> Result<Observation, EngineError> {
    let sums = release.read(&release.staged(&release.sums()))?;
    if sums.as_deref() != Some(sha256sums(release)?.as_bytes()) {
        return missing(release.sums());
    }
    let recorded = built(release, "digest")?.digests();
    if !intact(release, &recorded)? {
        return missing("the artifacts as they were built");
    }
    let bytes = ByteSize(recorded.iter().map(|digests| digests.length).sum());
    done(format!("{} artifacts, {bytes}", recorded.len()))
}

/// Writes what the build came to. An artifact that was changed or lost since then is put back from the cache.
pub(super) fn digest(release: &Release<'_>) -> Result<(), EngineError> {
    let sums = release.read(&release.staged(&release.sums()))?;
    // The first time the artifacts come from the build, which has hashed them while it wrote them.
    if sums.is_some() && !intact(release, &built(release, "digest")?.digests())? {
        build(release)?;
    }
    release.write(&release.staged(&release.sums()), sha256sums(release)?.as_bytes())
}
