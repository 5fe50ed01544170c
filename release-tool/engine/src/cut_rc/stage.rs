//! The staging origin: the release lies there, and is its channel's head there, before anybody can get it.
//!
//! Staging has pointers of its own. Each is signed as production's are, so that whoever reads staging verifies what readers
//! will. Before one is moved, the pointer that takes the release out again is signed and kept: `undo` needs no secret key.

use super::publish::{manifest_digest, objects, origin_error};
use super::{Release, conflict, done, failed, missing};
use crate::pointer_change::{CurrentPointer, PointerChange, PointerReader};
use crate::run::Observation;
use crate::{EngineError, ProgressEvent};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use vrel_model::{ByteSize, ChannelHead, Pointer, SignedPointer, Version};
use vrel_origin::{
    LocalOrigin, PointerCheck, Problem, VerifyReport, VerifyRequest, fetch_edition, verify_release,
};
use vrel_process::no_longer_staged;
use vrel_trust::sign_pointer;

const STEP: &str = "stage";

/// The file that says that this very manifest was staged.
const STAGED: &str = "staged";

/// Where the pointers lie that take the release out of staging, each under its number.
const WAY_BACK: &str = "way-back";

/// The file by which staging is told from production; hidden, so that it is never served.
const MARK: &str = ".staging";

/// What to do when staging does not have what it should.
const HINT: &str = "`vrel undo` drops this release, in staging too";

/// The staging origin's directory.
pub(super) fn staging_dir(release: &Release<'_>, step: &str) -> Result<PathBuf, EngineError> {
    let dir = release.site.staging(release.plan);
    dir.ok_or_else(|| failed(step, "the plan has no staging origin"))
}

/// The head of the plan's channel that a pointer makes of the release.
pub(super) fn this_head(release: &Release<'_>, step: &str) -> Result<ChannelHead, EngineError> {
    let (manifest_length, manifest_sha256) = manifest_digest(release, step)?;
    Ok(ChannelHead {
        release: release.plan.version.clone(),
        manifest_length,
        manifest_sha256,
        rollback: None,
    })
}

/// The pointer of the staging origin, or of production where `dir` is its directory.
pub(super) fn pointer_in(
    release: &Release<'_>,
    dir: &std::path::Path,
) -> Result<Option<CurrentPointer>, EngineError> {
    if release.world.fs().metadata(&dir.join("releases"))?.is_none() {
        return Ok(None);
    }
    reader(release, dir).current()
}

fn reader<'r>(release: &'r Release<'_>, dir: &'r std::path::Path) -> PointerReader<'r> {
    PointerReader {
        world: release.world,
        origin: dir,
        ring: release.ring,
        role: &release.plan.pointer_role,
        product: &release.plan.product,
    }
}

/// What production's pointer says that staging has to say too: a dud is never a head, there neither.
fn mirror(pointer: &mut Pointer, production: Option<&Pointer>) {
    if let Some(production) = production {
        pointer.duds.clone_from(&production.duds);
        let duds = &pointer.duds;
        pointer
            .channels
            .retain(|_, head| !duds.contains_key(&head.release));
    }
}

/// Replaces staging's pointer by one that is changed, after the way back from it was signed and kept.
pub(super) fn lead(
    release: &Release<'_>,
    step: &str,
    change: impl FnOnce(&mut Pointer),
) -> Result<Pointer, EngineError> {
    let plan = release.plan;
    let dir = staging_dir(release, step)?;
    let production = pointer_in(release, release.site.origin())?.map(|current| current.pointer);
    let current = pointer_in(release, &dir)?;
    let key = release.signer(step, &plan.pointer_role)?;
    let following = |pointer| Pointer::following(pointer, &plan.product, plan.created, plan.pointer.expires);

    let next = following(current.as_ref().map(|current| current.pointer.clone()));
    let mut back = following(Some(next));
    mirror(&mut back, production.as_ref());
    back.channels.remove(&plan.channel);
    // Where users are now, if staging knows that release.
    if let Some(production) = &production
        && let Some(head) = production.channels.get(&plan.channel)
        && head.release != plan.version
    {
        let files = dir.join("releases").join(head.release.to_string());
        if release
            .world
            .fs()
            .metadata(&files.join("manifest.json"))?
            .is_some()
        {
            back.channels.insert(plan.channel.clone(), head.clone());
            if let Some(newest) = production.backfilled.get(&head.release) {
                back.backfilled.insert(head.release.clone(), newest.clone());
            }
        }
    }
    let signed = sign_pointer(&back, key).map_err(|error| failed(step, error))?;
    release.write(&way_back(release, back.version), &signed.to_bytes())?;

    let holder = format!("vrel {}", plan.command);
    let swap = PointerChange {
        reader: reader(release, &dir),
        key,
        issued: plan.created,
        expires: plan.pointer.expires,
        holder: &holder,
    };
    swap.swap(current, |pointer| {
        mirror(pointer, production.as_ref());
        change(pointer);
        Ok(())
    })
}

/// The kept pointer that follows the one before this number.
fn way_back(release: &Release<'_>, number: u64) -> PathBuf {
    release.work_file(WAY_BACK).join(format!("{number}.json"))
}

/// Reads a release in staging as a stranger with the public keys does, whose newest pointer so far was `last_seen`, and who
/// must find it at the head of its channel.
pub(super) fn read_as_head(
    release: &Release<'_>,
    step: &str,
    version: &Version,
    last_seen: Option<u64>,
) -> Result<VerifyReport, EngineError> {
    let dir = staging_dir(release, step)?;
    let origin = LocalOrigin::open(release.world, &dir).map_err(|error| origin_error(step, error))?;
    let request = VerifyRequest {
        trust: release.trust(),
        product: &release.plan.product,
        version,
        pointer: PointerCheck::Public { last_seen },
        now: release.world.now(),
        threads: NonZeroUsize::new(release.jobs).unwrap_or(NonZeroUsize::MIN),
    };
    let report = verify_release(&origin, &request, &|_| {}).map_err(|error| origin_error(step, error))?;
    let mut findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    if findings.is_empty() && !report.head_of.contains(&release.plan.channel) {
        findings.push(format!("{version} is not the head of {}", release.plan.channel));
    }
    if findings.is_empty() {
        return Ok(report);
    }
    let message = format!("{version} in staging: {}", findings.join("; "));
    Err(conflict(step, message, HINT))
}

/// Everything is in staging, was verified there, and is the channel's head.
pub(super) fn is_staged(release: &Release<'_>) -> Result<Observation, EngineError> {
    let dir = staging_dir(release, STEP)?;
    let head = this_head(release, STEP)?;
    let recorded = release.read(&release.work_file(STAGED))?;
    if recorded.as_deref() != Some(head.manifest_sha256.to_string().as_bytes()) {
        return missing("a release that was verified in staging");
    }
    let fs = release.world.fs();
    let mut bytes = 0;
    for (object, staged) in objects(release)? {
        let there = fs.metadata(&dir.join(object.as_str()))?;
        match (there, fs.metadata(&staged)?) {
            (Some(there), Some(staged)) if there.len == staged.len => bytes += there.len,
            _ => return missing(format!("{object} in staging")),
        }
    }
    match pointer_in(release, &dir)? {
        Some(CurrentPointer { pointer, .. })
            if pointer.channels.get(&release.plan.channel) == Some(&head) =>
        {
            done(format!(
                "{} objects, {}, in {}; pointer {} there",
                release.plan.objects.len(),
                ByteSize(bytes),
                dir.display(),
                pointer.version
            ))
        }
        _ => missing(format!("{} as the head of staging", head.release)),
    }
}

/// Copies everything into staging, makes the release its channel's head there, and reads it back.
pub(super) fn stage(release: &Release<'_>) -> Result<(), EngineError> {
    let plan = release.plan;
    let error = |error| origin_error(STEP, error);
    let dir = staging_dir(release, STEP)?;
    let origin = LocalOrigin::init(release.world, &dir).map_err(error)?;
    if !is_apart(release, &dir)? {
        let production = release.site.origin().display();
        return Err(conflict(
            STEP,
            format!("{} and {production} are the same directory", dir.display()),
            "run `vrel undo`, then name a directory of its own in `publish.staging` of vrel.toml",
        ));
    }
    let objects = objects(release)?;
    for (index, (object, staged)) in objects.iter().enumerate() {
        release.world.check_interrupt()?;
        origin.put_file_new(object, staged).map_err(error)?;
        release.progress.event(&ProgressEvent::Advanced {
            step: STEP,
            done: index as u64 + 1,
            total: objects.len() as u64,
            what: object.as_str(),
        });
    }
    let head = this_head(release, STEP)?;
    let sha256 = head.manifest_sha256;
    let before = pointer_in(release, &dir)?.map(|current| current.pointer);
    let last_seen = before.as_ref().map(|pointer| pointer.version);
    let is_head = before
        .as_ref()
        .is_some_and(|pointer| pointer.channels.get(&plan.channel) == Some(&head));
    if !is_head {
        lead(release, STEP, |pointer| {
            pointer.channels.insert(plan.channel.clone(), head);
        })?;
    }
    read_as_head(release, STEP, &plan.version, last_seen)?;
    retire(release, &dir)?;
    release.write(&release.work_file(STAGED), sha256.to_string().as_bytes())
}

/// Whether staging is another directory than production, whatever links lead there: a mark in the one is not in the other.
fn is_apart(release: &Release<'_>, dir: &std::path::Path) -> Result<bool, EngineError> {
    let (mark, content) = (dir.join(MARK), format!("{}\n", release.plan.commit));
    release.write(&mark, content.as_bytes())?;
    let found = release.read(&release.site.origin().join(MARK))?;
    release.world.fs().remove_file(&mark)?;
    Ok(found.as_deref() != Some(content.as_bytes()))
}

/// Removes what staging no longer keeps: not the newest, not what a pointer leads to, not what users have now.
fn retire(release: &Release<'_>, dir: &std::path::Path) -> Result<(), EngineError> {
    let fs = release.world.fs();
    let releases = dir.join("releases");
    let staged: Vec<Version> = fs
        .list(&releases)?
        .iter()
        .filter_map(|entry| entry.name.parse().ok())
        .collect();
    let mut needed = vec![release.plan.version.clone()];
    for origin in [dir, release.site.origin()] {
        if let Some(CurrentPointer { pointer, .. }) = pointer_in(release, origin)? {
            needed.extend(pointer.channels.into_values().map(|head| head.release));
            // A pointer names its additions by their digests for ever.
            if origin == dir {
                needed.extend(pointer.backfilled.into_keys());
            }
        }
    }
    for version in no_longer_staged(&staged, &needed) {
        release.world.check_interrupt()?;
        fs.remove_dir_all(&releases.join(version.to_string()))?;
    }
    Ok(())
}

/// Takes the release out of staging: by the pointer that was kept for this, and then its files.
pub(super) fn withdraw(release: &Release<'_>) -> Result<(), EngineError> {
    let plan = release.plan;
    let dir = staging_dir(release, STEP)?;
    // Nothing was staged where there is nothing, or where readers look.
    if release.world.fs().metadata(&dir)?.is_none() || !is_apart(release, &dir)? {
        return Ok(());
    }
    if let Some(CurrentPointer { pointer, sha256 }) = pointer_in(release, &dir)?
        && names(&pointer, &plan.version)
    {
        let number = pointer.version + 1;
        let kept = release.read(&way_back(release, number))?;
        let kept = kept.and_then(|bytes| SignedPointer::parse(&bytes).ok());
        let kept = kept.ok_or_else(|| {
            let message = format!(
                "the pointer {number} that takes {} out of staging is gone",
                plan.version
            );
            let hint = format!("remove {}: it is made anew", dir.display());
            conflict(STEP, message, &hint)
        })?;
        let origin = LocalOrigin::open(release.world, &dir).map_err(|error| origin_error(STEP, error))?;
        let swapped = origin.swap_pointer(Some(sha256), &kept, "vrel undo");
        swapped.map_err(|error| origin_error(STEP, error))?;
    }
    let files = dir.join(plan.release_dir());
    Ok(release.world.fs().remove_dir_all(&files)?)
}

/// Whether a pointer speaks of the release, as a head or as what a channel went back from.
fn names(pointer: &Pointer, version: &Version) -> bool {
    let mut heads = pointer.channels.values();
    heads.any(|head| head.release == *version || head.newest() == version)
}

/// Production gets what was tried: the manifest, which names every other file, is the one in staging.
pub(super) fn check_same(release: &Release<'_>, step: &str) -> Result<(), EngineError> {
    if release.plan.staging.is_none() {
        return Ok(());
    }
    let plan = release.plan;
    let dir = staging_dir(release, step)?;
    let origin = LocalOrigin::open(release.world, &dir).map_err(|error| origin_error(step, error))?;
    let staged = fetch_edition(
        &origin,
        &release.trust(),
        &plan.product,
        &plan.version,
        plan.edition(),
    );
    let staged = staged.map_err(|finding| match *finding.problem {
        Problem::Origin(error) => origin_error(step, error),
        problem => conflict(step, format!("{} in staging: {problem}", finding.object), HINT),
    })?;
    let (_, published) = manifest_digest(release, step)?;
    if staged.sha256 == published {
        return Ok(());
    }
    let message = format!(
        "{} in staging has the SHA-256 {}; what was published has {published}",
        plan.edition().manifest(),
        staged.sha256
    );
    Err(conflict(step, message, HINT))
}
