//! Sources and artifacts.

use super::{Release, conflict, done, failed, missing};
use crate::building::{Building, BuiltArtifact};
use crate::run::Observation;
use crate::{EngineError, origin_manifest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use vrel_build::BuildError;
use vrel_model::{ArtifactName, ManifestArtifact, PlannedArtifact, Sha256Digest, UtcTime};
use vrel_pack::PackError;
use vrel_process::check_sizes;
use vrel_trust::Digests;
use vrel_world::{TreeFileKind, WorldError};

/// What was built, from what, with what.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    commit: String,
    /// SHA-256 of what the compiler says of itself.
    pub(super) toolchain: Sha256Digest,
    /// What the build was made with, by name.
    pub(super) tools: BTreeMap<String, String>,
    /// The artifacts, in the plan's order.
    artifacts: Vec<ManifestArtifact>,
}

const RECORD: &str = "build.json";

pub(crate) fn build_error(step: &str, error: impl Into<BuildError>) -> EngineError {
    match error.into() {
        BuildError::World(error)
        | BuildError::Pack(PackError::World(error))
        | BuildError::Graph(vrel_graph::GraphError::World(error)) => error.into(),
        BuildError::Toml(error) => error.into(),
        error => {
            let (step, message, hint) = (step.to_owned(), error.to_string(), error.hint());
            match error.fault() {
                Some(arch) => EngineError::Broken {
                    step,
                    arch,
                    message,
                    hint,
                },
                None => EngineError::Step {
                    step,
                    message,
                    hint,
                    conflict: false,
                },
            }
        }
    }
}

/// The work directory holds the commit's files, byte for byte.
pub(super) fn sources_are_there(release: &Release<'_>) -> Result<Observation, EngineError> {
    let dir = release.site.sources(release.plan);
    let fs = release.world.fs();
    if fs.metadata(&dir)?.is_none() {
        return missing("the exported sources");
    }
    let mut files = 0;
    let mut differing: Option<String> = None;
    let differs = |error: WorldError| {
        (error.kind == vrel_world::ErrorKind::NotFound)
            .then_some(())
            .ok_or(error)
    };
    release
        .world
        .git()
        .walk_tree(release.site.root(), &release.plan.commit, &mut |file| {
            files += 1;
            if differing.is_some() || file.kind == TreeFileKind::Symlink {
                return Ok(());
            }
            match fs.read(&dir.join(file.path)) {
                Ok(content) if content == file.content => {}
                Ok(_) => differing = Some(file.path.to_owned()),
                Err(error) => {
                    differs(error)?;
                    differing = Some(file.path.to_owned());
                }
            }
            Ok(())
        })?;
    match differing {
        Some(path) => missing(path),
        None => done(format!("{files} files of {}", &release.plan.commit[..12])),
    }
}

pub(super) fn export(release: &Release<'_>) -> Result<(), EngineError> {
    let dir = release.site.sources(release.plan);
    Ok(release
        .world
        .git()
        .export(release.site.root(), &release.plan.commit, &dir)?)
}

/// Removes everything that was made for the release.
pub(super) fn clean(release: &Release<'_>) -> Result<(), EngineError> {
    Ok(release
        .world
        .fs()
        .remove_dir_all(&release.site.work(release.plan))?)
}

/// The record of the build; `None` when nothing was built yet.
pub(super) fn record(release: &Release<'_>) -> Result<Option<Record>, EngineError> {
    let bytes = release.read(&release.work_file(RECORD))?;
    // A record of another form is as good as none: everything is built again, from the cache.
    let record: Option<Record> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok(record.filter(|record| {
        let names = record.artifacts.iter().map(|artifact| &artifact.name);
        record.commit == release.plan.commit
            && names.eq(release.plan.artifacts.iter().map(|artifact| &artifact.name))
    }))
}

/// As [`record`], where the build must be done.
pub(super) fn built(release: &Release<'_>, step: &str) -> Result<Record, EngineError> {
    record(release)?.ok_or_else(|| failed(step, "the record of the build is gone"))
}

impl Record {
    /// The artifacts' digests, in the plan's order.
    pub(super) fn digests(&self) -> Vec<Digests> {
        let digests = self.artifacts.iter().map(|artifact| Digests {
            length: artifact.length,
            sha256: artifact.sha256,
            blake2b: artifact.blake2b,
        });
        digests.collect()
    }

    /// The artifacts as the manifest names them, sorted by name.
    pub(super) fn manifest_artifacts(&self) -> Vec<ManifestArtifact> {
        let mut artifacts = self.artifacts.clone();
        artifacts.sort_by(|a, b| a.name.cmp(&b.name));
        artifacts
    }
}

/// Every artifact is there with the length that it was built with. Its content is compared by the step that hashes.
pub(super) fn is_built(release: &Release<'_>) -> Result<Observation, EngineError> {
    let Some(record) = record(release)? else {
        return missing("artifacts");
    };
    for artifact in &record.artifacts {
        let found = release
            .world
            .fs()
            .metadata(&release.staged(artifact.name.as_str()))?;
        if found.is_none_or(|found| found.len != artifact.length) {
            return missing(&artifact.name);
        }
    }
    check_budgets(release, &record)?;
    done(format!("{} artifacts", record.artifacts.len()))
}

/// What of a commit is built, as which version.
#[derive(Clone, Copy)]
pub(super) struct Variant<'a> {
    /// The exported sources.
    pub(super) root: &'a Path,
    /// The version.
    pub(super) version: &'a str,
    /// The name under which the cache remembers it.
    pub(super) name: &'a str,
    /// What is made.
    pub(super) artifacts: &'a [PlannedArtifact],
}

/// How the release's commit is built as a version.
pub(super) fn building<'a>(
    release: &'a Release<'_>,
    step: &str,
    variant: Variant<'a>,
) -> Result<Building<'a>, EngineError> {
    let plan = release.plan;
    Ok(Building {
        world: release.world,
        name: variant.name,
        config: release.config,
        repository: release.site.root(),
        root: variant.root,
        image: &release.config.os.image,
        version: variant.version,
        commit: &plan.commit,
        time: UtcTime::from_unix(plan.source_date_epoch).map_err(|error| failed(step, error))?,
        artifacts: variant.artifacts,
        tool_pages: release.tool_pages,
        cache: &release.cache,
        cargo_home: &release.cargo_home,
        jobs: release.jobs,
    })
}

/// Builds what the cache has not got, and puts the artifacts into the stage.
pub(super) fn build(release: &Release<'_>) -> Result<(), EngineError> {
    let plan = release.plan;
    let stage = release.site.stage(plan);
    release.world.fs().create_dir_all(&stage)?;
    let version = plan.version.to_string();
    let variant = Variant {
        root: &release.site.sources(plan),
        version: &version,
        name: "release",
        artifacts: &plan.artifacts,
    };
    let building = building(release, "build", variant)?;
    let built = building.run(&stage, "build", release.progress);
    let built = built.map_err(|error| build_error("build", error))?;
    super::addition::check_toolchain(release, built.toolchain)?;
    let digests: BTreeMap<&ArtifactName, Digests> = built
        .artifacts
        .iter()
        .map(|BuiltArtifact { name, digests }| (name, *digests))
        .collect();
    let artifact = |planned: &vrel_model::PlannedArtifact| {
        let digests = digests.get(&planned.name)?;
        Some(ManifestArtifact {
            name: planned.name.clone(),
            kind: planned.kind.clone(),
            arch: planned.arch,
            length: digests.length,
            sha256: digests.sha256,
            blake2b: digests.blake2b,
        })
    };
    let artifacts: Option<Vec<_>> = plan.artifacts.iter().map(artifact).collect();
    let record = Record {
        commit: plan.commit.clone(),
        toolchain: built.toolchain,
        tools: built.tools,
        artifacts: artifacts.ok_or_else(|| failed("build", "an artifact of the plan was not built"))?,
    };
    check_budgets(release, &record)?;
    let json = serde_json::to_vec_pretty(&record).map_err(|error| failed("build", error))?;
    release.write(&release.work_file(RECORD), &json)
}

/// No artifact is larger than its policy allows, by itself and beside the release before.
fn check_budgets(release: &Release<'_>, record: &Record) -> Result<(), EngineError> {
    let made: Vec<_> = release
        .plan
        .artifacts
        .iter()
        .zip(&record.artifacts)
        .map(|(planned, made)| (planned, made.length))
        .collect();
    let previous = match &release.plan.previous {
        Some(version) => origin_manifest(release.world, release.site, version)?,
        None => None,
    };
    let previous = previous.as_ref().map(|manifest| manifest.artifacts.as_slice());
    let findings = check_sizes(&made, previous);
    let Some(first) = findings.first() else {
        return Ok(());
    };
    let messages: Vec<_> = findings.iter().map(|finding| finding.message.clone()).collect();
    Err(conflict(
        "build",
        messages.join("; "),
        first.hint.as_deref().unwrap_or_default(),
    ))
}
