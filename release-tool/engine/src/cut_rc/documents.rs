//! Checksums, notes and manifest.

use super::{MANIFEST, NOTES, Release, SHA256SUMS, conflict, done, failed, missing, own_name};
use crate::cut_rc::{boot, build};
use crate::run::Observation;
use crate::{EngineError, NotesRange, notes_context};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use vrel_model::{ByteSize, Manifest, ManifestArtifact, ManifestDocument};
use vrel_notes::{NotesArtifact, NotesContext};
use vrel_trust::{Digests, digest_bytes, digest_files};

/// The digests of the artifacts, so that they need not be computed for every document.
const DIGESTS: &str = "digests.json";

fn manifest_artifacts(release: &Release<'_>, digests: &[Digests]) -> Vec<ManifestArtifact> {
    let both = release.plan.artifacts.iter().zip(digests);
    both.map(|(artifact, digests)| ManifestArtifact {
        name: artifact.name.clone(),
        kind: artifact.kind,
        arch: artifact.arch,
        length: digests.length,
        sha256: digests.sha256,
        blake2b: digests.blake2b,
    })
    .collect()
}

/// The recorded digests of the plan's artifacts, in the plan's order; `None` when they are not recorded.
pub(super) fn staged_digests(release: &Release<'_>) -> Result<Option<Vec<Digests>>, EngineError> {
    let Some(bytes) = release.read(&release.work_file(DIGESTS))? else {
        return Ok(None);
    };
    // A record of another form is as good as none: it is made again.
    let Ok(recorded) = serde_json::from_slice::<Vec<ManifestArtifact>>(&bytes) else {
        return Ok(None);
    };
    let names = || recorded.iter().map(|artifact| &artifact.name);
    if !names().eq(release.plan.artifacts.iter().map(|artifact| &artifact.name)) {
        return Ok(None);
    }
    let digests = recorded.iter().map(|artifact| Digests {
        length: artifact.length,
        sha256: artifact.sha256,
        blake2b: artifact.blake2b,
    });
    Ok(Some(digests.collect()))
}

fn hash_artifacts(release: &Release<'_>) -> Result<Vec<Digests>, EngineError> {
    let paths: Vec<PathBuf> = release
        .plan
        .artifacts
        .iter()
        .map(|artifact| release.staged(artifact.name.as_str()))
        .collect();
    let threads = NonZeroUsize::new(release.jobs).unwrap_or(NonZeroUsize::MIN);
    Ok(digest_files(release.world, &paths, threads, &|_, _| {})?)
}

fn sha256sums(release: &Release<'_>, digests: &[Digests]) -> String {
    let mut artifacts = manifest_artifacts(release, digests);
    artifacts.sort_by(|a, b| a.name.cmp(&b.name));
    artifacts
        .iter()
        .map(|artifact| format!("{}  {}\n", artifact.sha256, artifact.name))
        .collect()
}

/// The recorded digests are those of the files, and SHA256SUMS says the same.
pub(super) fn is_digested(release: &Release<'_>) -> Result<Observation, EngineError> {
    let Some(recorded) = staged_digests(release)? else {
        return missing("digests");
    };
    let sums = release.read(&release.staged(SHA256SUMS))?;
    if sums.as_deref() != Some(sha256sums(release, &recorded).as_bytes()) {
        return missing(SHA256SUMS);
    }
    if hash_artifacts(release)? != recorded {
        return missing("the digests of artifacts that were made again");
    }
    let bytes = ByteSize(recorded.iter().map(|digests| digests.length).sum());
    done(format!("{} artifacts, {bytes}", recorded.len()))
}

pub(super) fn digest(release: &Release<'_>) -> Result<(), EngineError> {
    let digests = hash_artifacts(release)?;
    let artifacts = manifest_artifacts(release, &digests);
    let json = serde_json::to_vec_pretty(&artifacts).map_err(|error| failed("digest", error))?;
    release.write(&release.work_file(DIGESTS), &json)?;
    release.write(
        &release.staged(SHA256SUMS),
        sha256sums(release, &digests).as_bytes(),
    )
}

/// What notes and announcement are made from.
pub(super) fn notes_facts(release: &Release<'_>) -> Result<NotesContext, EngineError> {
    let digests = staged_digests(release)?.ok_or_else(|| failed("notes", "the artifacts are not hashed"))?;
    let both = release.plan.artifacts.iter().zip(&digests);
    let artifacts = both.map(|(artifact, digests)| NotesArtifact {
        name: artifact.name.clone(),
        arch: artifact.arch,
        kind: artifact.kind,
        description: artifact.description.clone(),
        size: digests.length,
        sha256: digests.sha256,
    });
    let plan = release.plan;
    let range = NotesRange {
        version: &plan.version,
        previous: plan.previous.as_ref(),
        commit: &plan.commit,
        date: plan.created,
        channel: &plan.channel,
    };
    notes_context(
        release.world,
        release.site,
        &release.policies.config,
        &range,
        artifacts.collect(),
    )
}

fn render_notes(release: &Release<'_>) -> Result<String, EngineError> {
    vrel_notes::render(&notes_facts(release)?).map_err(|error| failed("notes", error))
}

/// The notes are what the history says, or what a person made of it in the work directory.
pub(super) fn notes_are_written(release: &Release<'_>) -> Result<Observation, EngineError> {
    match release.read(&release.staged(NOTES))? {
        Some(there) if there == render_notes(release)?.as_bytes() => done(format!(
            "{NOTES}, {} lines",
            there.iter().filter(|byte| **byte == b'\n').count()
        )),
        _ => missing(NOTES),
    }
}

pub(super) fn write_notes(release: &Release<'_>) -> Result<(), EngineError> {
    release.write(&release.staged(NOTES), render_notes(release)?.as_bytes())
}

fn make_manifest(release: &Release<'_>) -> Result<Vec<u8>, EngineError> {
    let plan = release.plan;
    let digests =
        staged_digests(release)?.ok_or_else(|| failed("manifest", "the artifacts are not hashed"))?;
    let notes = release
        .read(&release.staged(NOTES))?
        .ok_or_else(|| failed("manifest", "the notes are gone"))?;
    let notes_digests = digest_bytes(&notes);
    let mut artifacts = manifest_artifacts(release, &digests);
    artifacts.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = Manifest {
        schema: 1,
        product_name: plan.product_name.clone(),
        product: plan.product.clone(),
        version: plan.version.clone(),
        channel: plan.channel.clone(),
        commit: plan.commit.clone(),
        tag: plan.version.tag(),
        created: plan.created,
        source_date_epoch: plan.source_date_epoch,
        toolchain: build::toolchain_digest(release)?,
        previous: plan.previous.clone(),
        artifacts,
        documents: vec![ManifestDocument {
            name: own_name("manifest", NOTES)?,
            length: notes_digests.length,
            sha256: notes_digests.sha256,
        }],
        boots: boot::records(release)?,
    };
    manifest.to_bytes().map_err(|error| failed("manifest", error))
}

pub(super) fn manifest_is_written(release: &Release<'_>) -> Result<Observation, EngineError> {
    let Some(there) = release.read(&release.staged(MANIFEST))? else {
        return missing(MANIFEST);
    };
    if there != make_manifest(release)? {
        return missing("a manifest of what was made last");
    }
    // Whatever is published from here on is bound to this text.
    if Manifest::parse(&there).is_err() {
        return Err(conflict(
            "manifest",
            "the manifest cannot be read back",
            "this is a defect",
        ));
    }
    done(format!("sha256 {}", digest_bytes(&there).sha256))
}

pub(super) fn write_manifest(release: &Release<'_>) -> Result<(), EngineError> {
    let manifest = make_manifest(release)?;
    release.write(&release.staged(MANIFEST), &manifest)
}
