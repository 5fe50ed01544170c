//! Objects, reading back, and the pointer.

use super::{Release, conflict, done, failed, missing};
use crate::run::Observation;
use crate::{CurrentPointer, EngineError, PointerChange, PointerReader};
use std::num::NonZeroUsize;
use vrel_model::{ChannelHead, Pointer};
use vrel_origin::{LocalOrigin, ObjectPath, OriginError, PointerCheck, VerifyRequest, verify_release};
use vrel_trust::digest_bytes;

pub(crate) fn origin_error(step: &str, error: OriginError) -> EngineError {
    match error {
        OriginError::World(error) => error.into(),
        error @ (OriginError::Immutable { .. } | OriginError::PointerMoved { .. }) => conflict(
            step,
            error,
            "published files never change: `vrel undo` drops what is not public yet, then take the next number",
        ),
        error @ OriginError::NoOrigin { .. } => EngineError::Step {
            step: step.to_owned(),
            message: error.to_string(),
            hint: Some("it was there when the release began: bring it back, then resume".to_owned()),
            conflict: true,
        },
        error => failed(step, error),
    }
}

/// The objects of the plan with the staged file that each is.
pub(super) fn objects(release: &Release<'_>) -> Result<Vec<(ObjectPath, std::path::PathBuf)>, EngineError> {
    let mut objects = Vec::new();
    for planned in &release.plan.objects {
        let path: ObjectPath = planned.path.parse().map_err(|error| failed("publish", error))?;
        let name = planned.path.rsplit('/').next().unwrap_or(&planned.path);
        objects.push((path, release.staged(name)));
    }
    Ok(objects)
}

/// Every object is in the origin with the staged content.
pub(super) fn is_published(release: &Release<'_>) -> Result<Observation, EngineError> {
    refuse_somebody_elses(release)?;
    let fs = release.world.fs();
    let mut bytes = 0;
    for (object, staged) in objects(release)? {
        let there = release.site.origin().join(object.as_str());
        let (Some(have), Some(want)) = (fs.metadata(&there)?, fs.metadata(&staged)?) else {
            return missing(object.as_str());
        };
        if have.len != want.len {
            return Err(conflict(
                "publish",
                format!(
                    "{} is published with {} bytes, expected {}",
                    object.as_str(),
                    have.len,
                    want.len
                ),
                "published files never change: take the next number",
            ));
        }
        bytes += have.len;
    }
    // The contents are compared by the step that reads back.
    let size = vrel_model::ByteSize(bytes);
    done(format!(
        "{} objects, {size}, in {}",
        release.plan.objects.len(),
        release.site.origin().display()
    ))
}

pub(super) fn publish(release: &Release<'_>) -> Result<(), EngineError> {
    let objects = objects(release)?;
    let error = |error| origin_error("publish", error);
    let origin = LocalOrigin::open(release.world, release.site.origin()).map_err(error)?;
    for (index, (object, staged)) in objects.iter().enumerate() {
        release.world.check_interrupt()?;
        origin.put_file_new(object, staged).map_err(error)?;
        release.progress.event(&crate::ProgressEvent::Advanced {
            step: "publish",
            done: index as u64 + 1,
            total: objects.len() as u64,
            what: object.as_str(),
        });
    }
    Ok(())
}

/// Takes the objects out of the origin again; nobody can know of them, because no pointer leads to them.
pub(super) fn withdraw(release: &Release<'_>) -> Result<(), EngineError> {
    // Whoever was faster with the same version keeps what is theirs.
    if is_somebody_elses(release)? {
        return Ok(());
    }
    let facts = crate::origin_facts(release.world, release.site)?;
    let mut public = facts.heads.values().chain(facts.newest.values());
    if public.any(|public| *public == release.plan.version) {
        let message = format!("the pointer leads to {}", release.plan.version);
        return Err(conflict(
            "publish",
            message,
            "it is public and cannot be taken back",
        ));
    }
    let dir = release.site.origin().join(release.plan.release_dir());
    Ok(release.world.fs().remove_dir_all(&dir)?)
}

/// Whether the origin has files of this version that were not staged here. Artifacts are the same for everybody who builds
/// the commit; what was signed or written at another moment is not.
fn is_somebody_elses(release: &Release<'_>) -> Result<bool, EngineError> {
    let artifacts = &release.plan.artifacts;
    for (object, staged) in objects(release)? {
        let name = object.as_str().rsplit('/').next().unwrap_or_default();
        if artifacts.iter().any(|artifact| artifact.name.as_str() == name) {
            continue;
        }
        let there = release.read(&release.site.origin().join(object.as_str()))?;
        if there.is_some() && there != release.read(&staged)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Somebody else's manifest of this version is in the origin: the one who was faster has the number.
fn refuse_somebody_elses(release: &Release<'_>) -> Result<(), EngineError> {
    let plan = release.plan;
    let path = format!("{}/{}", plan.release_dir(), release.manifest());
    let Some(there) = release.read(&release.site.origin().join(&path))? else {
        return Ok(());
    };
    let Some(staged) = release.read(&release.staged(&release.manifest()))? else {
        return Ok(());
    };
    if there == staged {
        return Ok(());
    }
    let message = format!(
        "{} was published meanwhile by somebody else: {path} has the SHA-256 {}, and {} here",
        plan.version,
        digest_bytes(&there).sha256,
        digest_bytes(&staged).sha256
    );
    Err(conflict(
        "publish",
        message,
        "`vrel undo` drops what was prepared here and leaves theirs alone; then run `git fetch --tags` and see `vrel status`",
    ))
}

/// The file that says that this very manifest was read back.
const READ_BACK: &str = "read-back";

pub(super) fn manifest_digest(
    release: &Release<'_>,
    step: &str,
) -> Result<(u64, vrel_model::Sha256Digest), EngineError> {
    let manifest = release
        .read(&release.staged(&release.manifest()))?
        .ok_or_else(|| failed(step, "the manifest is gone"))?;
    let digests = digest_bytes(&manifest);
    Ok((digests.length, digests.sha256))
}

pub(super) fn was_read_back(release: &Release<'_>) -> Result<Observation, EngineError> {
    let (_, digest) = manifest_digest(release, "read-back")?;
    let recorded = release.read(&release.work_file(READ_BACK))?;
    if recorded.as_deref() == Some(digest.to_string().as_bytes()) {
        return done(format!(
            "{} objects verified as a reader would",
            release.plan.objects.len()
        ));
    }
    missing("a verification of what was published")
}

pub(super) fn read_back(release: &Release<'_>) -> Result<(), EngineError> {
    let (_, digest) = manifest_digest(release, "read-back")?;
    super::stage::check_same(release, "read-back")?;
    let origin = LocalOrigin::open(release.world, release.site.origin());
    let origin = origin.map_err(|error| origin_error("read-back", error))?;
    let request = VerifyRequest {
        trust: release.trust(),
        product: &release.plan.product,
        version: &release.plan.version,
        pointer: PointerCheck::Skip {
            edition: release.plan.edition(),
        },
        now: release.world.now(),
        threads: NonZeroUsize::new(release.jobs).unwrap_or(NonZeroUsize::MIN),
    };
    let report =
        verify_release(&origin, &request, &|_| {}).map_err(|error| origin_error("read-back", error))?;
    let mut findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    if !report
        .good
        .iter()
        .any(|file| file.name.as_str() == release.manifest() && file.sha256 == digest)
    {
        findings.push(format!(
            "{} is not the one that was staged, {digest}",
            release.manifest()
        ));
    }
    if !findings.is_empty() {
        return Err(conflict(
            "read-back",
            findings.join("; "),
            "`vrel undo` drops this release",
        ));
    }
    release.write(&release.work_file(READ_BACK), digest.to_string().as_bytes())
}

/// How the origin's pointer is read.
pub(super) fn pointer_reader<'r>(release: &'r Release<'_>) -> PointerReader<'r> {
    PointerReader {
        world: release.world,
        origin: release.site.origin(),
        ring: release.ring,
        role: &release.plan.pointer_role,
        product: &release.plan.product,
    }
}

/// The channel's head is this release.
pub(super) fn pointer_is_moved(release: &Release<'_>) -> Result<Observation, EngineError> {
    let (_, digest) = manifest_digest(release, "pointer")?;
    let plan = release.plan;
    let Some(CurrentPointer { pointer, .. }) = pointer_reader(release).current()? else {
        return missing("a pointer");
    };
    // Only what was public is called a dud. What was public stays so for who finishes the release, whatever came after.
    if let Some(dud) = pointer.duds.get(&plan.version) {
        return done(format!(
            "{} was public, and is a dud since {}: {}",
            plan.version,
            dud.since,
            dud.why()
        ));
    }
    let (version, channel, line) = (&plan.version, &plan.channel, plan.line());
    let is_this = |head: &&ChannelHead| head.release == *version && head.manifest_sha256 == digest;
    if pointer.channels.get(channel).filter(is_this).is_some() {
        return done(format!(
            "pointer {}: {version} is the head of {channel}",
            pointer.version
        ));
    }
    if pointer.older(channel, line).filter(is_this).is_some() {
        return done(format!(
            "pointer {}: {version} is the newest of {line} in {channel}",
            pointer.version
        ));
    }
    if let Some(head) = pointer.channels.get(channel)
        && head.release != *version
        && head.newest() == version
    {
        return done(format!(
            "{version} was public, and {channel} was rolled back to {}",
            head.release
        ));
    }
    match pointer.newest_on(channel, line) {
        Some(newest) if newest >= version => Err(conflict(
            "pointer",
            format!("{newest} became public in {channel} meanwhile"),
            "a channel does not go backwards by accident",
        )),
        _ if pointer.is_of_older_line(channel, version) => {
            missing(format!("{version} as the newest of {line} in {channel}"))
        }
        _ => missing(format!("{version} as the head of {channel}")),
    }
}

pub(super) fn move_pointer(release: &Release<'_>) -> Result<(), EngineError> {
    let plan = release.plan;
    let (manifest_length, manifest_sha256) = manifest_digest(release, "pointer")?;
    let head = ChannelHead {
        release: plan.version.clone(),
        manifest_length,
        manifest_sha256,
        rollback: None,
    };
    change_pointer(release, |pointer| {
        pointer.publish(&plan.channel, head);
    })
}

/// Replaces the pointer by one that is changed. Another channel may have moved since the plan was made; its head is kept,
/// and the version counts on from there.
pub(super) fn change_pointer(
    release: &Release<'_>,
    change: impl FnOnce(&mut Pointer),
) -> Result<(), EngineError> {
    let plan = release.plan;
    let reader = pointer_reader(release);
    let current = reader.current()?;
    let holder = format!("vrel {}", plan.command);
    let pointer = PointerChange {
        reader,
        key: release.signer("pointer", &plan.pointer_role)?,
        issued: plan.created,
        expires: plan.pointer.expires,
        holder: &holder,
    };
    let changed = pointer.swap(current, |pointer| {
        change(pointer);
        Ok(())
    });
    changed.map(drop)
}
