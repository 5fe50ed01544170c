//! What is peculiar to adding architectures to a published release: what they are added to, and how they become public.

use super::build::built;
use super::documents::notes_artifacts;
use super::publish::{change_pointer, manifest_digest, origin_error, pointer_reader};
use super::{Release, conflict, done, failed, missing};
use crate::run::Observation;
use crate::{CurrentPointer, EngineError};
use vrel_documents::markdown::Format;
use vrel_model::{BackfilledManifest, Edition, Manifest, ManifestArtifact, PlannedBackfill, Sha256Digest};
use vrel_notes::{Addition, NotesError};
use vrel_origin::{LocalOrigin, Problem, fetch_edition};

fn planned<'r>(release: &'r Release<'_>, step: &str) -> Result<&'r PlannedBackfill, EngineError> {
    let backfill = release.plan.backfill.as_ref();
    backfill.ok_or_else(|| failed(step, "the plan adds to nothing"))
}

/// The manifest of the edition before, verified; `None` where the plan is of a first edition. It is read anew for each use:
/// what is signed again must be what was published.
fn base(release: &Release<'_>, step: &str) -> Result<Option<Manifest>, EngineError> {
    let Some(backfill) = &release.plan.backfill else {
        return Ok(None);
    };
    let plan = release.plan;
    let origin = LocalOrigin::open(release.world, release.site.origin());
    let origin = origin.map_err(|error| origin_error(step, error))?;
    let before = backfill.edition.earlier().next_back().unwrap_or(Edition::FIRST);
    let hint = "put the published file back, or run `vrel undo` to drop the addition";
    let fetched = fetch_edition(&origin, &release.trust(), &plan.product, &plan.version, before);
    let published = fetched.map_err(|finding| match *finding.problem {
        Problem::Origin(error) => origin_error(step, error),
        problem => conflict(step, format!("{}: {problem}", finding.object), hint),
    })?;
    if published.sha256 != backfill.manifest_sha256 {
        let message = format!(
            "{} has the SHA-256 {}, and {} when this was planned",
            before.manifest(),
            published.sha256,
            backfill.manifest_sha256
        );
        return Err(conflict(step, message, hint));
    }
    Ok(Some(published.manifest))
}

/// All artifacts that the release has in the plan's edition, sorted by name.
pub(super) fn all_artifacts(release: &Release<'_>, step: &str) -> Result<Vec<ManifestArtifact>, EngineError> {
    let mut artifacts = built(release, step)?.manifest_artifacts();
    if let Some(base) = base(release, step)? {
        artifacts.extend(base.artifacts);
        artifacts.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(artifacts)
}

/// The edition's manifest, from one of what is added; a first edition's is as it was.
pub(super) fn extended(release: &Release<'_>, added: Manifest) -> Result<Manifest, EngineError> {
    const STEP: &str = "manifest";
    let Some(base) = base(release, STEP)? else {
        return Ok(added);
    };
    let mut whole = base.clone();
    whole.artifacts.extend(added.artifacts);
    whole.artifacts.sort_by(|a, b| a.name.cmp(&b.name));
    whole.documents.extend(added.documents);
    whole.documents.sort_by(|a, b| a.name.cmp(&b.name));
    whole.boots.extend(added.boots);
    whole.lagging = added.lagging;
    let trespasses = whole.trespasses_on(&base);
    if trespasses.is_empty() {
        return Ok(whole);
    }
    let lines: Vec<_> = trespasses.iter().map(ToString::to_string).collect();
    Err(conflict(STEP, lines.join("; "), "`vrel undo` drops the addition"))
}

/// What is added was compiled by the compiler of the rest; its commit alone would not make it the same release.
pub(super) fn check_toolchain(release: &Release<'_>, found: Sha256Digest) -> Result<(), EngineError> {
    match &release.plan.backfill {
        Some(backfill) if backfill.toolchain != found => Err(conflict(
            "build",
            format!(
                "the release was built with the compiler whose `rustc -vV` has the SHA-256 {}; this machine's has {found}",
                backfill.toolchain
            ),
            "install the compiler that the release was built with, then run `vrel resume`; or `vrel undo`",
        )),
        _ => Ok(()),
    }
}

fn facts(release: &Release<'_>, step: &str) -> Result<Addition, EngineError> {
    let (plan, backfill) = (release.plan, planned(release, step)?);
    let base = base(release, step)?.ok_or_else(|| failed(step, "the release's manifest is gone"))?;
    Ok(Addition {
        product: plan.product_name.clone(),
        version: plan.version.clone(),
        channel: plan.channel.clone(),
        commit: plan.commit.clone(),
        released: base.created,
        added: plan.created,
        edition: backfill.edition,
        arches: backfill.arches.clone(),
        lagging: plan.lagging.clone(),
        public_url: release.policies.config.publish.public_url.clone(),
        artifacts: notes_artifacts(release, step)?,
    })
}

fn notes_error(step: &str) -> impl Fn(NotesError) -> EngineError + '_ {
    move |error| failed(step, error)
}

/// The notes of what is added.
pub(super) fn notes(release: &Release<'_>, format: Format) -> Result<String, EngineError> {
    const STEP: &str = "documents";
    let addition = facts(release, STEP)?;
    addition.notes(format).map_err(notes_error(STEP))
}

pub(super) fn write_draft(release: &Release<'_>) -> Result<(), EngineError> {
    const STEP: &str = "announce";
    let text = facts(release, STEP)?.announcement().map_err(notes_error(STEP))?;
    let message = release.plan.messages.first();
    let message = message.ok_or_else(|| failed(STEP, "the plan has no message"))?;
    release.write(&release.site.root().join(&message.path), text.as_bytes())
}

/// Takes what was added out of the origin again, and nothing else; nobody can know of it, because no pointer names it.
pub(super) fn withdraw(release: &Release<'_>) -> Result<(), EngineError> {
    let (plan, backfill) = (release.plan, planned(release, "publish")?);
    let editions = crate::origin_facts(release.world, release.site)?.editions;
    if editions
        .get(&plan.version)
        .is_some_and(|public| *public >= backfill.edition)
    {
        let message = format!(
            "the pointer names edition {} of {}",
            backfill.edition, plan.version
        );
        return Err(conflict(
            "publish",
            message,
            "it is public and cannot be taken back",
        ));
    }
    // The manifest goes first, so that it never names a file that is gone.
    for object in plan.objects.iter().rev() {
        let path = release.site.origin().join(&object.path);
        release.world.fs().remove_file(&path)?;
    }
    Ok(())
}

/// The pointer names the edition.
pub(super) fn pointer_is_moved(release: &Release<'_>) -> Result<Observation, EngineError> {
    const STEP: &str = "pointer";
    let (plan, backfill) = (release.plan, planned(release, STEP)?);
    let (_, digest) = manifest_digest(release, STEP)?;
    let what = format!("edition {} of {}", backfill.edition, plan.version);
    let Some(CurrentPointer { pointer, .. }) = pointer_reader(release).current()? else {
        return Err(conflict(
            STEP,
            "the origin's pointer is gone",
            "bring it back, then resume",
        ));
    };
    match pointer.backfilled.get(&plan.version) {
        Some(there) if there.edition == backfill.edition && there.manifest_sha256 == digest => {
            done(format!("pointer {} names {what}", pointer.version))
        }
        Some(there) if there.edition >= backfill.edition => Err(conflict(
            STEP,
            format!(
                "edition {} of {} became public meanwhile",
                there.edition, plan.version
            ),
            "published files never change: `vrel undo` is not possible any more; look who added to the release",
        )),
        _ => missing(format!("{what} in the pointer")),
    }
}

pub(super) fn move_pointer(release: &Release<'_>) -> Result<(), EngineError> {
    const STEP: &str = "pointer";
    let (manifest_length, manifest_sha256) = manifest_digest(release, STEP)?;
    let newest = BackfilledManifest {
        edition: planned(release, STEP)?.edition,
        manifest_length,
        manifest_sha256,
    };
    change_pointer(release, |pointer| {
        pointer.backfilled.insert(release.plan.version.clone(), newest);
    })
}
