//! Bills of materials and provenance, held to the manifest: they must speak of exactly the artifacts that came with them.

use super::VerifyRequest;
use super::editions::Came;
use super::problem::Problem;
use vrel_trust::{
    AskedProvenance, Provenance, Subject, TrustError, cyclonedx_subjects, spdx_subjects, subject_mismatches,
    verify_envelope,
};

/// What the names of such documents end with.
const PROVENANCE: &str = ".intoto.json";
const CYCLONEDX: &str = ".cdx.json";
const SPDX: &str = ".spdx.json";

/// What is wrong with a document of the supply chain; nothing for every other document.
pub(super) fn check(
    request: &VerifyRequest<'_>,
    came: &Came<'_>,
    name: &str,
    content: &[u8],
) -> Vec<Problem> {
    let artifacts: Vec<Subject> = came
        .artifacts
        .iter()
        .map(|artifact| Subject {
            name: artifact.name.clone(),
            sha256: artifact.sha256,
        })
        .collect();
    let text = |problem: &dyn std::fmt::Display| Problem::Document(problem.to_string());
    let subjects = if name.ends_with(CYCLONEDX) {
        cyclonedx_subjects(content)
    } else if name.ends_with(SPDX) {
        spdx_subjects(content)
    } else if name.ends_with(PROVENANCE) {
        return match provenance(request, came, name, content, &artifacts) {
            Ok(mismatches) => mismatches.iter().map(|mismatch| text(mismatch)).collect(),
            Err(error) => vec![error.into()],
        };
    } else {
        return Vec::new();
    };
    match subjects {
        Ok(found) => subject_mismatches(&artifacts, &found)
            .iter()
            .map(|mismatch| text(mismatch))
            .collect(),
        Err(problem) => vec![text(&problem)],
    }
}

fn provenance(
    request: &VerifyRequest<'_>,
    came: &Came<'_>,
    name: &str,
    content: &[u8],
    artifacts: &[Subject],
) -> Result<Vec<String>, TrustError> {
    let manifest = &came.with.manifest;
    let statement = verify_envelope(name, content, request.trust.ring, &came.with.role)?;
    let asked = AskedProvenance {
        product: request.product,
        version: request.version,
        channel: &manifest.channel,
        commit: &manifest.commit,
        subjects: artifacts,
    };
    let mismatches = Provenance::parse(&statement)?.mismatches(&asked);
    Ok(mismatches.iter().map(ToString::to_string).collect())
}
