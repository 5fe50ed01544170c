//! The proof that a final release is its candidate: built from the same sources in the same way, it comes out as the
//! candidate that is published when it is given that one's version.

use super::build::{Variant, build_error, building, built};
use super::publish::origin_error;
use super::{Release, conflict, done, failed, missing};
use crate::EngineError;
use crate::building::{BuiltArtifact, Outline};
use crate::run::Observation;
use crate::twin::compare_outlines;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use vrel_build::stamp::differs_beyond_identity;
use vrel_model::{
    ArtifactName, Manifest, ManifestArtifact, Packer, PlannedArtifact, PlannedCandidate, Sha256Digest,
};
use vrel_origin::{LocalOrigin, PointerCheck, VerifyRequest, fetch_newest_manifest, verify_release};

const STEP: &str = "compare";

/// What is kept of the proof: of which bytes it is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Evidence {
    candidate: PlannedCandidate,
    /// The artifacts of the final release.
    artifacts: Vec<(ArtifactName, Sha256Digest)>,
}

/// The evidence, with what a person wants to know of it.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    evidence: Evidence,
    /// The artifacts of both, with their digests.
    pairs: Vec<Pair>,
    /// What is told the version, by the names of the build's nodes: there, and in what is made of it, the two differ.
    told_the_version: Vec<String>,
    /// How many nodes are not, and made the same for both.
    equal_nodes: usize,
}

/// An artifact of the final release beside the candidate's.
#[derive(Debug, Serialize, Deserialize)]
struct Pair {
    artifact: ArtifactName,
    sha256: Sha256Digest,
    candidate: ArtifactName,
    candidate_sha256: Sha256Digest,
}

const RECORD: &str = "compared.json";

/// Where what differs is put, to be compared byte by byte.
const REMADE: &str = "remade";

/// The remedy, with the policy files that are other ones in the work tree than in the commit that is released.
fn hint(release: &Release<'_>) -> Result<String, EngineError> {
    let changed = changed_policies(release)?;
    let named = if changed.is_empty() {
        String::new()
    } else {
        format!(" (not as in the candidate's commit: {})", changed.join(", "))
    };
    Ok(format!(
        "something besides the version is not as it was for the candidate: the policy files{named}, this machine's tools or \
         `vrel` itself; run `vrel undo`, then release with those of the candidate (`git switch` to the release branch), or cut \
         the next candidate"
    ))
}

fn changed_policies(release: &Release<'_>) -> Result<Vec<String>, EngineError> {
    const DIRECTORY: &str = "artifacts";
    let (world, root, commit) = (release.world, release.site.root(), &release.plan.commit);
    let mut paths: BTreeSet<String> = world
        .git()
        .paths_at(root, commit, DIRECTORY)?
        .into_iter()
        .collect();
    for entry in world.fs().list(&root.join(DIRECTORY))? {
        paths.insert(format!("{DIRECTORY}/{}", entry.name));
    }
    paths.retain(|path| Path::new(path).extension().is_some_and(|ending| ending == "toml"));
    let mut changed = Vec::new();
    for path in paths {
        if world.git().file_at(root, commit, &path)? != release.read(&root.join(&path))? {
            changed.push(path);
        }
    }
    Ok(changed)
}

fn candidate<'r>(release: &'r Release<'_>) -> Result<&'r PlannedCandidate, EngineError> {
    let candidate = release.plan.candidate.as_ref();
    candidate.ok_or_else(|| failed(STEP, "the plan names no candidate"))
}

/// What a proof for the staged artifacts would leave behind.
fn expected(release: &Release<'_>) -> Result<Evidence, EngineError> {
    let digests = built(release, STEP)?.digests();
    let artifacts = release.plan.artifacts.iter().zip(digests);
    Ok(Evidence {
        candidate: candidate(release)?.clone(),
        artifacts: artifacts
            .map(|(artifact, digests)| (artifact.name.clone(), digests.sha256))
            .collect(),
    })
}

/// The artifacts as they are were compared with the candidate's.
pub(super) fn is_compared(release: &Release<'_>) -> Result<Observation, EngineError> {
    let bytes = release.read(&release.work_file(RECORD))?;
    let found: Option<Record> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match found {
        Some(found) if found.evidence == expected(release)? => done(format!(
            "{} artifacts are those of {} but for the version",
            found.pairs.len(),
            found.evidence.candidate.version
        )),
        _ => missing(format!(
            "the proof that this is {} but for the version",
            candidate(release)?.version
        )),
    }
}

/// Proves it. Three things together leave no room for another difference: what is staged is what this build makes; the same
/// build with the candidate's version, and nothing else changed, makes the candidate; and that one is what people tested.
pub(super) fn prove(release: &Release<'_>) -> Result<(), EngineError> {
    let plan = release.plan;
    let published = published_candidate(release)?;
    let pairs = paired(release, &published)?;
    let root = release.site.sources(plan);
    let versions = [plan.version.to_string(), published.version.to_string()];
    let ours = Variant {
        root: &root,
        version: &versions[0],
        name: "release",
        artifacts: &plan.artifacts,
    };
    let twins: Vec<_> = pairs.iter().map(|(twin, _)| twin.clone()).collect();
    let theirs = Variant {
        root: &root,
        version: &versions[1],
        name: "candidate",
        artifacts: &twins,
    };
    let (first, second) = (outline(release, ours)?, outline(release, theirs)?);

    let mut differences = Vec::new();
    if second.toolchain != published.toolchain {
        differences.push(format!(
            "`rustc -vV` has the SHA-256 {}, and {} for {}",
            second.toolchain, published.toolchain, published.version
        ));
    }
    let compared = compare_outlines(&first, &second, [&versions[0], &versions[1]]);
    differences.extend(compared.differences);
    differences.extend(not_as_staged(release, ours, &first)?);
    differences.extend(not_as_published(release, theirs, &second, &pairs)?);
    differences.extend(kernels(release, &pairs)?);
    if !differences.is_empty() {
        let message = format!(
            "{} is not {} but for its version: {}",
            plan.version,
            published.version,
            differences.join("; ")
        );
        return Err(conflict(STEP, message, &hint(release)?));
    }
    let evidence = expected(release)?;
    let both = evidence.artifacts.iter().zip(&pairs);
    let record = Record {
        pairs: both
            .map(|((artifact, sha256), (_, there))| Pair {
                artifact: artifact.clone(),
                sha256: *sha256,
                candidate: there.name.clone(),
                candidate_sha256: there.sha256,
            })
            .collect(),
        told_the_version: compared.told,
        equal_nodes: compared.equal.len(),
        evidence,
    };
    let json = serde_json::to_vec_pretty(&record).map_err(|error| failed(STEP, error))?;
    release.write(&release.work_file(RECORD), &json)
}

/// The candidate's newest public manifest, after every byte of the candidate was verified as a reader would.
fn published_candidate(release: &Release<'_>) -> Result<Manifest, EngineError> {
    let planned = candidate(release)?;
    let (plan, version) = (release.plan, &planned.version);
    let hint = "put the published file back from a mirror or a backup and `vrel resume`, or `vrel undo` drops this release";
    let error = |error| origin_error(STEP, error);
    let origin = LocalOrigin::open(release.world, release.site.origin()).map_err(error)?;
    let newest = fetch_newest_manifest(&origin, &release.trust(), &plan.product, version);
    let newest = newest.map_err(|finding| conflict(STEP, format!("{version}: {finding}"), hint))?;
    if newest.sha256 != planned.manifest_sha256 {
        let message = format!(
            "the manifest of {version} has the SHA-256 {}, and {} when this was planned",
            newest.sha256, planned.manifest_sha256
        );
        return Err(conflict(STEP, message, hint));
    }
    let request = VerifyRequest {
        trust: release.trust(),
        product: &plan.product,
        version,
        pointer: PointerCheck::Skip {
            edition: newest.edition,
        },
        now: release.world.now(),
        threads: NonZeroUsize::new(release.jobs).unwrap_or(NonZeroUsize::MIN),
    };
    let report = verify_release(&origin, &request, &|_| {}).map_err(error)?;
    if !report.is_good() {
        let findings: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
        return Err(conflict(
            STEP,
            format!("{version}: {}", findings.join("; ")),
            hint,
        ));
    }
    if newest.manifest.commit != plan.commit {
        let message = format!(
            "{version} was built from {}, and this release is of {}",
            newest.manifest.commit, plan.commit
        );
        return Err(conflict(STEP, message, "`vrel undo` drops this release"));
    }
    Ok(newest.manifest)
}

/// Each planned artifact as the candidate's, with what is published of it, in the plan's order.
fn paired(
    release: &Release<'_>,
    published: &Manifest,
) -> Result<Vec<(PlannedArtifact, ManifestArtifact)>, EngineError> {
    let planned = &release.plan.artifacts;
    let same = |artifact: &PlannedArtifact| {
        let mut there = published.artifacts.iter();
        there.find(|there| there.kind == artifact.kind && there.arch == artifact.arch)
    };
    let mut pairs = Vec::new();
    let mut missing = Vec::new();
    for artifact in planned {
        let Some(there) = same(artifact) else {
            missing.push(format!(
                "{} has nothing that {} could be compared with",
                published.version, artifact.name
            ));
            continue;
        };
        let mut twin = artifact.clone();
        twin.name = there.name.clone();
        if let Some(from) = &artifact.from {
            let source = planned.iter().find(|other| other.name == *from);
            twin.from = source.and_then(same).map(|there| there.name.clone());
        }
        pairs.push((twin, there.clone()));
    }
    for there in &published.artifacts {
        if !pairs.iter().any(|(_, pair)| pair.name == there.name) {
            missing.push(format!(
                "{} of {} has no counterpart",
                there.name, published.version
            ));
        }
    }
    if missing.is_empty() {
        return Ok(pairs);
    }
    Err(conflict(STEP, missing.join("; "), &hint(release)?))
}

fn outline(release: &Release<'_>, variant: Variant<'_>) -> Result<Outline, EngineError> {
    let outline = building(release, STEP, variant)?.outline(STEP, release.progress);
    outline.map_err(|error| build_error(STEP, error))
}

/// Makes artifacts that came out another way once more, and says where they differ from those in a directory.
fn differing(
    release: &Release<'_>,
    variant: Variant<'_>,
    expected: &Path,
) -> Result<Vec<String>, EngineError> {
    let fs = release.world.fs();
    let dir = release.work_file(REMADE);
    fs.remove_dir_all(&dir)?;
    fs.create_dir_all(&dir)?;
    let remade = building(release, STEP, variant)?.run(&dir, STEP, release.progress);
    remade.map_err(|error| build_error(STEP, error))?;
    let names = variant.artifacts.iter().map(|artifact| &artifact.name);
    let found = crate::reproduce::differing(release.world, names, expected, &dir)?;
    fs.remove_dir_all(&dir)?;
    let mut lines: Vec<_> = found
        .iter()
        .map(|(name, difference)| format!("{name}: {difference}"))
        .collect();
    if lines.is_empty() {
        lines.push(
            "a file came out another way, and the next time not: the build is not reproducible".to_owned(),
        );
    }
    Ok(lines)
}

/// The staged artifacts that this build does not make.
fn not_as_staged(
    release: &Release<'_>,
    variant: Variant<'_>,
    outline: &Outline,
) -> Result<Vec<String>, EngineError> {
    let staged = built(release, STEP)?.digests();
    let mut both = outline.artifacts.iter().zip(&staged);
    if both.all(|(built, staged)| built.digests == *staged) {
        return Ok(Vec::new());
    }
    differing(release, variant, &release.site.stage(release.plan))
}

/// The published artifacts of the candidate that this build with its version does not make.
fn not_as_published(
    release: &Release<'_>,
    variant: Variant<'_>,
    outline: &Outline,
    pairs: &[(PlannedArtifact, ManifestArtifact)],
) -> Result<Vec<String>, EngineError> {
    let same = |built: &BuiltArtifact, there: &ManifestArtifact| {
        let digests = (built.digests.length, built.digests.sha256, built.digests.blake2b);
        digests == (there.length, there.sha256, there.blake2b)
    };
    let mut both = outline.artifacts.iter().zip(pairs);
    if both.all(|(built, (_, there))| same(built, there)) {
        return Ok(Vec::new());
    }
    differing(release, variant, &published_dir(release)?)
}

fn published_dir(release: &Release<'_>) -> Result<std::path::PathBuf, EngineError> {
    let releases = release.site.origin().join("releases");
    Ok(releases.join(candidate(release)?.version.to_string()))
}

/// Kernels whose bytes differ from the published ones outside of the identity that is stamped in: the one difference that
/// can be shown without building anything.
fn kernels(
    release: &Release<'_>,
    pairs: &[(PlannedArtifact, ManifestArtifact)],
) -> Result<Vec<String>, EngineError> {
    let dir = published_dir(release)?;
    let read = |path: &Path| {
        let bytes = release.read(path)?;
        bytes.ok_or_else(|| failed(STEP, format!("{} is gone", path.display())))
    };
    let mut found = Vec::new();
    for (planned, (_, there)) in release.plan.artifacts.iter().zip(pairs) {
        if planned.packer != Packer::Kernel {
            continue;
        }
        let (ours, theirs) = (
            read(&release.staged(planned.name.as_str()))?,
            read(&dir.join(there.name.as_str()))?,
        );
        let differs = differs_beyond_identity(&ours, &theirs).map_err(|error| build_error(STEP, error))?;
        if let Some(offset) = differs {
            found.push(format!(
                "{} differs from {} outside of its identity, at offset {offset}",
                planned.name, there.name
            ));
        }
    }
    Ok(found)
}
