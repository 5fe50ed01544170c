//! The documents that speak of the artifacts, and the manifest that names everything.

use super::build::built;
use super::{Release, addition, conflict, done, failed, missing, supply};
use crate::cut_rc::boot;
use crate::run::Observation;
use crate::{EngineError, NotesRange, notes_context, published_notes};
use std::collections::BTreeMap;
use vrel_documents::guides::{self, GuideFile, Tool};
use vrel_documents::markdown::Format;
use vrel_model::{ArtifactName, ByteSize, Manifest, ManifestDocument, Packer, PlannedDocument};
use vrel_notes::{NotesArtifact, NotesContext};
use vrel_trust::digest_bytes;

/// The plan's artifacts as notes list them.
pub(super) fn notes_artifacts(release: &Release<'_>, step: &str) -> Result<Vec<NotesArtifact>, EngineError> {
    let digests = built(release, step)?.digests();
    let artifacts = release.plan.artifacts.iter().zip(digests);
    let artifacts = artifacts.map(|(artifact, digests)| NotesArtifact {
        name: artifact.name.clone(),
        arch: artifact.arch,
        kind: artifact.kind.clone(),
        description: artifact.description.clone(),
        size: digests.length,
        sha256: digests.sha256,
    });
    Ok(artifacts.collect())
}

/// What notes and announcement are made from.
pub(super) fn notes_facts(release: &Release<'_>) -> Result<NotesContext, EngineError> {
    let artifacts = notes_artifacts(release, "documents")?;
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
        artifacts,
    )
}

/// What the guides tell.
fn guide_facts(release: &Release<'_>) -> Result<guides::Release, EngineError> {
    let digests = built(release, "documents")?.digests();
    let files = release.plan.artifacts.iter().zip(&digests);
    let files = files.map(|(artifact, digests)| GuideFile {
        name: artifact.name.clone(),
        packer: artifact.packer,
        arch: artifact.arch,
        description: artifact.description.clone(),
        size: digests.length,
        sha256: digests.sha256,
    });
    let (plan, config) = (release.plan, &release.policies.config);
    let keys = release.ring.keys(&plan.key_role);
    Ok(guides::Release {
        product: plan.product_name.clone(),
        version: plan.version.clone(),
        date: plan.created,
        channel: plan.channel.clone(),
        public_url: config.publish.public_url.trim_end_matches('/').to_owned(),
        repository: config.git.public_url.clone(),
        issue_url: config.git.issue_url.clone(),
        key_role: plan.key_role.clone(),
        key_ids: keys.iter().map(vrel_trust::PublicKey::id).collect(),
        tools: Tool::tried(),
        files: files.collect(),
    })
}

/// All documents of the plan, by name.
fn render(release: &Release<'_>) -> Result<BTreeMap<ArtifactName, Vec<u8>>, EngineError> {
    let step = "documents";
    let mut documents = BTreeMap::new();
    // The history is walked once, and only if a document tells of it.
    let tells = |packer: Packer| {
        release
            .plan
            .documents
            .iter()
            .any(|document| document.packer == packer)
    };
    let is_addition = release.plan.backfill.is_some();
    let notes = if !is_addition && (tells(Packer::ReleaseNotes) || tells(Packer::UpgradeGuide)) {
        Some(notes_facts(release)?)
    } else {
        None
    };
    let notes = || {
        notes
            .as_ref()
            .ok_or_else(|| failed(step, "the notes have no facts"))
    };
    for document in &release.plan.documents {
        release.world.check_interrupt()?;
        let format = || {
            Format::from_extension(&document.format).ok_or_else(|| {
                failed(
                    step,
                    format!("{}: there is no format `{}`", document.name, document.format),
                )
            })
        };
        let text = |error: &dyn std::fmt::Display| failed(step, format!("{}: {error}", document.name));
        let content = match document.packer {
            Packer::ReleaseNotes if is_addition => addition::notes(release, format()?)?.into_bytes(),
            Packer::ReleaseNotes => {
                let markdown = published_notes(release.world, release.site, &release.plan.commit, notes()?)?;
                format()?.write(&markdown, "Release Notes").into_bytes()
            }
            Packer::InstallationGuide => {
                let markdown = guides::installation(&guide_facts(release)?).map_err(|error| text(&error))?;
                format()?.write(&markdown, "Installation").into_bytes()
            }
            Packer::UpgradeGuide => {
                let upgrade = vrel_notes::upgrade(notes()?).map_err(|error| text(&error))?;
                let markdown = guides::upgrade(&guide_facts(release)?, &upgrade);
                let markdown = markdown.map_err(|error| text(&error))?;
                format()?.write(&markdown, "Upgrading").into_bytes()
            }
            Packer::ManifestSchema => vrel_model::manifest_schema().into_bytes(),
            Packer::CycloneDx | Packer::Spdx => supply::bill_of_materials(release, document.packer)?,
            Packer::Provenance => supply::provenance(release, document)?,
            other => {
                return Err(failed(
                    step,
                    format!("{}: `{other}` makes no document", document.name),
                ));
            }
        };
        check_size(document, content.len() as u64)?;
        documents.insert(document.name.clone(), content);
    }
    Ok(documents)
}

fn check_size(document: &PlannedDocument, length: u64) -> Result<(), EngineError> {
    if length <= document.max_size.0 {
        return Ok(());
    }
    let message = format!(
        "{} is {} large; its policy allows {}",
        document.name,
        ByteSize(length),
        document.max_size
    );
    let hint = format!("raise `max-size` in artifacts/{}.toml", document.kind);
    Err(conflict("documents", message, &hint))
}

/// Every document is there, as it would be written now.
pub(super) fn documents_are_written(release: &Release<'_>) -> Result<Observation, EngineError> {
    // Looked for first: to write them again takes longer.
    for document in &release.plan.documents {
        if release
            .world
            .fs()
            .metadata(&release.staged(document.name.as_str()))?
            .is_none()
        {
            return missing(&document.name);
        }
    }
    for (name, content) in render(release)? {
        if release.read(&release.staged(name.as_str()))?.as_ref() != Some(&content) {
            return missing(name);
        }
    }
    done(format!("{} documents", release.plan.documents.len()))
}

pub(super) fn write_documents(release: &Release<'_>) -> Result<(), EngineError> {
    for (name, content) in render(release)? {
        release.write(&release.staged(name.as_str()), &content)?;
    }
    Ok(())
}

fn make_manifest(release: &Release<'_>) -> Result<Vec<u8>, EngineError> {
    let plan = release.plan;
    let record = built(release, "manifest")?;
    let mut documents = Vec::new();
    for document in &plan.documents {
        let content = release.read(&release.staged(document.name.as_str()))?;
        let content = content.ok_or_else(|| failed("manifest", format!("{} is gone", document.name)))?;
        let digests = digest_bytes(&content);
        documents.push(ManifestDocument {
            name: document.name.clone(),
            length: digests.length,
            sha256: digests.sha256,
        });
    }
    let manifest = Manifest {
        schema: 1,
        product_name: plan.product_name.clone(),
        product: plan.product.clone(),
        version: plan.version.clone(),
        channel: plan.channel.clone(),
        commit: plan.commit.clone(),
        tag: plan.version.published_tag(),
        created: plan.created,
        source_date_epoch: plan.source_date_epoch,
        toolchain: record.toolchain,
        previous: plan.previous.clone(),
        artifacts: record.manifest_artifacts(),
        documents,
        boots: boot::records(release)?,
        lagging: plan.lagging.clone(),
    };
    let manifest = addition::extended(release, manifest)?;
    manifest.to_bytes().map_err(|error| failed("manifest", error))
}

pub(super) fn manifest_is_written(release: &Release<'_>) -> Result<Observation, EngineError> {
    let Some(there) = release.read(&release.staged(&release.manifest()))? else {
        return missing(release.manifest());
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
    release.write(&release.staged(&release.manifest()), &manifest)
}
