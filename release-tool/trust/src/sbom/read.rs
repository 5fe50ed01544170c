//! Reading back which artifacts a bill of materials names.

use super::SbomProblem;
use super::cyclonedx::ARTIFACT;
use crate::strict_json;
use crate::subject::{Subject, doubled};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use vrel_model::{ArtifactName, Sha256Digest};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    bom_format: String,
    spec_version: String,
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "bom-ref", default)]
    reference: String,
    name: String,
    #[serde(default)]
    hashes: Vec<Hash>,
}

#[derive(Deserialize)]
struct Hash {
    alg: String,
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    spdx_version: String,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    package_file_name: Option<String>,
    #[serde(default)]
    checksums: Vec<Checksum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: String,
    checksum_value: String,
}

/// The artifacts of a CycloneDX document of ours, to be held to the manifest by
/// [`subject_mismatches`](crate::subject_mismatches).
///
/// # Errors
/// When it is not JSON, has a doubled member, is another document, or an artifact stands there twice or without a SHA-256.
pub fn cyclonedx_subjects(document: &[u8]) -> Result<Vec<Subject>, SbomProblem> {
    let bom: Bom = parse(document)?;
    kind(
        "CycloneDX 1.6",
        format!("{} {}", bom.bom_format, bom.spec_version),
    )?;
    let artifacts = bom
        .components
        .into_iter()
        .filter(|component| component.reference.starts_with(ARTIFACT));
    subjects(artifacts.map(|component| {
        let mut hashes = component.hashes.into_iter();
        let sha256 = hashes.find(|hash| hash.alg == "SHA-256");
        (component.name, sha256.map(|hash| hash.content))
    }))
}

/// The artifacts of an SPDX document of ours, as [`cyclonedx_subjects`] has those of the other form.
///
/// # Errors
/// As [`cyclonedx_subjects`].
pub fn spdx_subjects(document: &[u8]) -> Result<Vec<Subject>, SbomProblem> {
    let document: Document = parse(document)?;
    kind("SPDX-2.3", document.spdx_version)?;
    subjects(document.packages.into_iter().filter_map(|package| {
        let mut checksums = package.checksums.into_iter();
        let sha256 = checksums.find(|checksum| checksum.algorithm == "SHA256");
        Some((package.package_file_name?, sha256.map(|sum| sum.checksum_value)))
    }))
}

fn parse<T: DeserializeOwned>(document: &[u8]) -> Result<T, SbomProblem> {
    strict_json::parse(document).map_err(|error| SbomProblem::Malformed(error.to_string()))
}

fn kind(expected: &str, found: String) -> Result<(), SbomProblem> {
    if found == expected {
        return Ok(());
    }
    let found = found.escape_debug();
    Err(SbomProblem::Malformed(format!(
        "the document is `{found}`, expected `{expected}`"
    )))
}

fn subjects(found: impl Iterator<Item = (String, Option<String>)>) -> Result<Vec<Subject>, SbomProblem> {
    let mut subjects = Vec::new();
    for (name, sha256) in found {
        let malformed = |reason: String| SbomProblem::Malformed(format!("the artifact `{name}`: {reason}"));
        let sha256 = sha256.ok_or_else(|| malformed("it has no SHA-256".to_owned()))?;
        let sha256: Sha256Digest = sha256
            .parse()
            .map_err(|error: vrel_model::DigestError| malformed(error.to_string()))?;
        let name: ArtifactName = name
            .parse()
            .map_err(|error: vrel_model::ArtifactNameError| malformed(error.to_string()))?;
        subjects.push(Subject { name, sha256 });
    }
    match doubled(&subjects) {
        None => Ok(subjects),
        Some(name) => Err(SbomProblem::Doubled {
            reference: name.to_string(),
        }),
    }
}
