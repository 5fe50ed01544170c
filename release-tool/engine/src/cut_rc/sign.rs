//! Signatures.

use super::{Release, done, failed, missing, own_name};
use crate::EngineError;
use crate::cut_rc::build::built;
use crate::run::Observation;
use vrel_model::{Arch, ArtifactName, Statement};
use vrel_trust::{Asked, Digests, digest_bytes, verify_statement};

/// Everything that gets a signature: artifacts, checksums, manifest.
fn signed_files(release: &Release<'_>) -> Result<Vec<(ArtifactName, Option<Arch>, Digests)>, EngineError> {
    let digests = built(release, "sign")?.digests();
    let mut files: Vec<_> = release
        .plan
        .artifacts
        .iter()
        .zip(digests)
        .map(|(artifact, digests)| (artifact.name.clone(), artifact.arch, digests))
        .collect();
    for document in [release.sums(), release.manifest()] {
        let bytes = release.read(&release.staged(&document))?;
        let bytes = bytes.ok_or_else(|| failed("sign", format!("{document} is gone")))?;
        files.push((own_name("sign", &document)?, None, digest_bytes(&bytes)));
    }
    Ok(files)
}

/// Every signature is there and is accepted with the public keys alone.
pub(super) fn is_signed(release: &Release<'_>) -> Result<Observation, EngineError> {
    let files = signed_files(release)?;
    for (name, arch, digests) in &files {
        let Some(signature) = release.read(&release.staged(&format!("{name}.minisig")))? else {
            return missing(format!("{name}.minisig"));
        };
        let plan = release.plan;
        let asked = Asked {
            file: name.clone(),
            product: plan.product.clone(),
            version: plan.version.clone(),
            channel: plan.channel.clone(),
            arch: *arch,
        };
        if let Err(error) = verify_statement(&signature, release.ring, &plan.key_role, digests, &asked) {
            return missing(format!("a good signature: {error}"));
        }
    }
    done(format!("{} signatures, each verified", files.len()))
}

pub(super) fn sign(release: &Release<'_>) -> Result<(), EngineError> {
    let plan = release.plan;
    let key = release.signer("sign", &plan.key_role)?;
    for (file, arch, digests) in signed_files(release)? {
        let path = release.staged(&format!("{file}.minisig"));
        let statement = Statement {
            timestamp: plan.created,
            file,
            product: plan.product.clone(),
            version: plan.version.clone(),
            channel: plan.channel.clone(),
            arch,
            size: digests.length,
            sha256: digests.sha256,
        };
        let text = key
            .sign(&digests.blake2b, &statement)
            .map_err(|error| failed("sign", error))?;
        release.write(&path, text.as_bytes())?;
    }
    Ok(())
}
