//! Sources, compiling and packing.

use super::{Release, conflict, done, failed, missing};
use crate::run::Observation;
use crate::system::{System, read_programs};
use crate::{EngineError, ProgressEvent};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use vrel_build::compile::{self, Compiled, Request};
use vrel_build::{BuildError, Image, Targets, Toolchain};
use vrel_model::{Arch, ArtifactKind, ByteSize, PlannedArtifact, Sha256Digest, UtcTime};
use vrel_pack::{Ids, PackError, disk, iso, source};
use vrel_trust::digest_bytes;
use vrel_world::{TreeFileKind, WorldError};

/// What was compiled, from what, with what.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    commit: String,
    toolchain: Sha256Digest,
    /// The programs of the image, in its order.
    programs: Vec<String>,
    /// The files in `build/`, by path.
    files: BTreeMap<String, Sha256Digest>,
    /// The loader's name on the partition, by architecture.
    loaders: BTreeMap<Arch, String>,
}

const RECORD: &str = "build.json";
const PACKED: &str = "packed.json";

pub(crate) fn build_error(step: &str, error: impl Into<BuildError>) -> EngineError {
    match error.into() {
        BuildError::Pack(PackError::World(error)) => error.into(),
        BuildError::World(error) => error.into(),
        BuildError::Toml(error) => error.into(),
        error => {
            let hint = error.hint();
            EngineError::Step {
                step: step.to_owned(),
                message: error.to_string(),
                hint,
                conflict: false,
            }
        }
    }
}

fn os(release: &Release<'_>) -> PathBuf {
    release
        .site
        .sources(&release.plan.version)
        .join(&release.config.os.source)
}

fn built(release: &Release<'_>, path: &str) -> PathBuf {
    release.work_file("build").join(path)
}

/// The work directory holds the commit's files, byte for byte.
pub(super) fn sources_are_there(release: &Release<'_>) -> Result<Observation, EngineError> {
    let dir = release.site.sources(&release.plan.version);
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
    let dir = release.site.sources(&release.plan.version);
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
        .remove_dir_all(&release.site.work(&release.plan.version))?)
}

fn record(release: &Release<'_>) -> Result<Option<Record>, EngineError> {
    let bytes = release.read(&release.work_file(RECORD))?;
    // A record of another form is as good as none: everything is compiled again.
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// The digest of the compiler's description of itself.
pub(super) fn toolchain_digest(release: &Release<'_>) -> Result<Sha256Digest, EngineError> {
    let record = record(release)?.ok_or_else(|| failed("compile", "the record of the build is gone"))?;
    Ok(record.toolchain)
}

/// The architectures that the plan's artifacts are for.
fn arches(release: &Release<'_>) -> Vec<Arch> {
    let wanted = |arch: &Arch| {
        release
            .plan
            .artifacts
            .iter()
            .any(|artifact| artifact.arch == Some(*arch))
    };
    Arch::ALL.into_iter().filter(wanted).collect()
}

/// Every compiled file is there as it was recorded.
pub(super) fn is_compiled(release: &Release<'_>) -> Result<Observation, EngineError> {
    let Some(record) = record(release)?.filter(|record| record.commit == release.plan.commit) else {
        return missing("compiled files");
    };
    for (path, expected) in &record.files {
        let content = release.read(&built(release, path))?;
        if content.map(|content| digest_bytes(&content).sha256) != Some(*expected) {
            return missing(path);
        }
    }
    done(format!(
        "{} files for {} architectures",
        record.files.len(),
        record.loaders.len()
    ))
}

pub(super) fn compile(release: &Release<'_>) -> Result<(), EngineError> {
    let error = |error| build_error("compile", error);
    let os = os(release);
    let targets = Targets::read(release.world, &os).map_err(error)?;
    let image = Image::read(release.world, &os, &release.config.os.image).map_err(error)?;
    let toolchain =
        Toolchain::find(release.world, &targets.triples(), &release.config.toolchain.rust).map_err(error)?;
    let request = Request {
        toolchain: &toolchain,
        targets: &targets,
        os: &os,
        cache: &release.cache,
        cargo_home: &release.cargo_home,
        arches: &arches(release),
        programs: &image.programs,
        jobs: release.jobs,
    };
    let compiled = compile::compile(release.world, &request, &mut |line| {
        release.progress.event(&ProgressEvent::Output {
            step: "compile",
            source: line.source,
            line: line.text,
        });
    })
    .map_err(error)?;
    let mut record = Record {
        commit: release.plan.commit.clone(),
        toolchain: toolchain.digest(),
        programs: image.programs,
        files: BTreeMap::new(),
        loaders: BTreeMap::new(),
    };
    for (arch, compiled) in &compiled {
        let mut files = vec![
            (format!("{arch}/kernel"), &compiled.kernel),
            (format!("{arch}/loader"), &compiled.loader),
        ];
        files.extend(
            compiled
                .programs
                .iter()
                .map(|(name, program)| (format!("{arch}/programs/{name}"), program)),
        );
        for (path, content) in files {
            release.write(&built(release, &path), content)?;
            record.files.insert(path, digest_bytes(content).sha256);
        }
        record.loaders.insert(*arch, compiled.loader_file.clone());
    }
    let json = serde_json::to_vec_pretty(&record).map_err(|error| failed("compile", error))?;
    release.write(&release.work_file(RECORD), &json)
}

/// What the artifacts were packed from: two packings with the same record give the same bytes.
fn packed_record(release: &Release<'_>) -> Result<Vec<u8>, EngineError> {
    let build = release.read(&release.work_file(RECORD))?.unwrap_or_default();
    let lengths: Result<BTreeMap<_, _>, EngineError> = release
        .plan
        .artifacts
        .iter()
        .map(|artifact| {
            let found = release
                .world
                .fs()
                .metadata(&release.staged(artifact.name.as_str()))?;
            Ok((artifact.name.as_str(), found.map(|found| found.len)))
        })
        .collect();
    let record = serde_json::json!({"build": digest_bytes(&build).sha256, "lengths": lengths?});
    serde_json::to_vec_pretty(&record).map_err(|error| failed("pack", error))
}

/// Every artifact is there, packed from what was compiled last, and not too big.
pub(super) fn is_packed(release: &Release<'_>) -> Result<Observation, EngineError> {
    for artifact in &release.plan.artifacts {
        let Some(found) = release
            .world
            .fs()
            .metadata(&release.staged(artifact.name.as_str()))?
        else {
            return missing(&artifact.name);
        };
        if found.len > artifact.max_size.0 {
            let message = format!(
                "{} is {} large; its policy allows {}",
                artifact.name,
                ByteSize(found.len),
                artifact.max_size
            );
            return Err(conflict(
                "pack",
                message,
                "make it smaller, or raise `max-size` in its file in artifacts/",
            ));
        }
    }
    if release.read(&release.work_file(PACKED))? != Some(packed_record(release)?) {
        return missing("artifacts of what was compiled last");
    }
    done(format!("{} artifacts", release.plan.artifacts.len()))
}

/// The system of an architecture, from what was compiled.
fn system(release: &Release<'_>, record: &Record, arch: Arch, time: UtcTime) -> Result<System, EngineError> {
    let error = |error| build_error("pack", error);
    let read = |path: String| release.world.fs().read(&built(release, &path));
    let compiled = Compiled {
        kernel: read(format!("{arch}/kernel"))?,
        loader: read(format!("{arch}/loader"))?,
        loader_file: record.loaders.get(&arch).cloned().unwrap_or_default(),
        programs: read_programs(
            release.world,
            &built(release, &format!("{arch}/programs")),
            &record.programs,
        )?,
    };
    let image = Image::read(release.world, &os(release), &release.config.os.image).map_err(error)?;
    System::assemble(&image, compiled, &release.identity(arch), time).map_err(error)
}

pub(super) fn pack(release: &Release<'_>) -> Result<(), EngineError> {
    let plan = release.plan;
    let record = record(release)?.ok_or_else(|| failed("pack", "the record of the build is gone"))?;
    let time = UtcTime::from_unix(plan.source_date_epoch).map_err(|error| failed("pack", error))?;
    release
        .world
        .fs()
        .create_dir_all(&release.site.stage(&plan.version))?;
    let mut made = 0;
    let mut report = |artifact: &PlannedArtifact| {
        made += 1;
        release.progress.event(&ProgressEvent::Advanced {
            step: "pack",
            done: made,
            total: plan.artifacts.len() as u64,
            what: artifact.name.as_str(),
        });
    };
    for arch in arches(release) {
        let system = system(release, &record, arch, time)?;
        let ids = Ids::new(&plan.product, &plan.version, arch);
        let esp = system.esp(release.config.os.esp_size.0, &ids, time);
        let esp = esp.map_err(|error| build_error("pack", error))?;
        for artifact in plan
            .artifacts
            .iter()
            .filter(|artifact| artifact.arch == Some(arch))
        {
            release.world.check_interrupt()?;
            let path = release.staged(artifact.name.as_str());
            let volume = format!("{} {} {arch}", plan.product_name, plan.version);
            let written = match artifact.kind {
                ArtifactKind::Kernel => release
                    .world
                    .fs()
                    .write(&path, &system.kernel, 0o644)
                    .map_err(Into::into),
                ArtifactKind::Initrd => release
                    .world
                    .fs()
                    .write(&path, &system.initrd, 0o644)
                    .map_err(Into::into),
                ArtifactKind::Disk => disk::write(release.world, &path, &esp, &ids),
                ArtifactKind::Iso => {
                    iso::write(release.world, &path, &volume, &system.content(), &esp, &ids, time)
                }
                ArtifactKind::Source => {
                    let hint = "take `arches` out of its file in artifacts/";
                    return Err(conflict(
                        "pack",
                        format!("{} has an architecture", artifact.name),
                        hint,
                    ));
                }
            };
            written.map_err(|error| build_error("pack", error))?;
            report(artifact);
        }
    }
    for artifact in plan.artifacts.iter().filter(|artifact| artifact.arch.is_none()) {
        pack_portable(release, artifact, time)?;
        report(artifact);
    }
    let packed = packed_record(release)?;
    release.write(&release.work_file(PACKED), &packed)
}

/// Packs an artifact that is for no architecture.
fn pack_portable(
    release: &Release<'_>,
    artifact: &PlannedArtifact,
    time: UtcTime,
) -> Result<(), EngineError> {
    if artifact.kind != ArtifactKind::Source {
        let message = format!("{} is a {} without an architecture", artifact.name, artifact.kind);
        return Err(conflict(
            "pack",
            message,
            "list `arches` in its file in artifacts/",
        ));
    }
    let prefix = format!("{}-{}", release.plan.product, release.plan.version);
    let tarball = source::Source {
        repo: release.site.root(),
        commit: &release.plan.commit,
        prefix: &prefix,
        time,
        level: release.config.toolchain.zstd_level,
        workers: release.config.toolchain.zstd_workers,
    };
    let path = release.staged(artifact.name.as_str());
    source::write(release.world, &path, &tarball).map_err(|error| build_error("pack", error))
}
