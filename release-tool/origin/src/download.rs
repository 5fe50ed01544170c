//! Fetching an artifact: it gets its name only when it is verified.

use crate::verify::{self, Finding, Problem, TrustRoot};
use crate::{MAX_DOCUMENT, ObjectPath, OriginError, OriginReader, origin_error};
use std::io::{self, Read, Write};
use std::path::Path;
use vrel_model::{ArtifactName, Edition, Manifest, ManifestArtifact, Sha256Digest, Version};
use vrel_trust::{digest_reader, verify_statement};
use vrel_world::{OutFile, World, WorldError};

/// An artifact to fetch.
#[derive(Clone, Copy, Debug)]
pub struct DownloadRequest<'a> {
    /// Whom to trust.
    pub trust: TrustRoot<'a>,
    /// The product's id.
    pub product: &'a str,
    /// The release.
    pub version: &'a Version,
    /// The artifact.
    pub artifact: &'a ArtifactName,
}

/// Fetches an artifact into a file, verifying it on the way: the manifest by its signature, the artifact by the manifest
/// and by its own signature. The file gets its name only after all of that, and replaces one of that name; `progress` is
/// told how many more bytes came.
///
/// # Errors
/// The first problem, with the file that has it; there is then no new file.
pub fn download(
    world: &dyn World,
    reader: &dyn OriginReader,
    request: &DownloadRequest<'_>,
    to: &Path,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<ManifestArtifact, Finding> {
    let trusted = newest(reader, &request.trust, request.product, request.version)?;
    let found = trusted
        .manifest
        .artifacts
        .iter()
        .find(|artifact| artifact.name == *request.artifact);
    let Some(artifact) = found else {
        let names: Vec<&str> = trusted
            .manifest
            .artifacts
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        let reason = format!(
            "it names no `{}`; artifacts are {}",
            request.artifact,
            names.join(", ")
        );
        return Err(finding(trusted.file.name.as_str(), Problem::Document(reason)));
    };
    let fetched = fetch(world, reader, request, &trusted, artifact, to, progress);
    fetched.map_err(|problem| finding(artifact.name.as_str(), problem))?;
    Ok(artifact.clone())
}

/// A manifest of a release, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedManifest {
    /// Which edition it is the manifest of.
    pub edition: Edition,
    /// The manifest.
    pub manifest: Manifest,
    /// SHA-256 of its file.
    pub sha256: Sha256Digest,
}

/// The newest public manifest of a release, verified by its signature. Where there is no pointer, the first.
///
/// # Errors
/// When it is not there, or not genuine.
pub fn fetch_newest_manifest(
    reader: &dyn OriginReader,
    trust: &TrustRoot<'_>,
    product: &str,
    version: &Version,
) -> Result<PublishedManifest, Finding> {
    newest(reader, trust, product, version).map(PublishedManifest::from)
}

/// The manifest of an edition of a release, public or not, verified by its signature.
///
/// # Errors
/// When it is not there, or not genuine.
pub fn fetch_edition(
    reader: &dyn OriginReader,
    trust: &TrustRoot<'_>,
    product: &str,
    version: &Version,
    edition: Edition,
) -> Result<PublishedManifest, Finding> {
    let trusted = verify::Trusted::fetch(reader, trust, product, version, edition);
    let trusted = trusted.map_err(|problem| finding(&edition.manifest(), problem))?;
    Ok(trusted.into())
}

impl From<verify::Trusted> for PublishedManifest {
    fn from(trusted: verify::Trusted) -> Self {
        Self {
            edition: trusted.edition,
            manifest: trusted.manifest,
            sha256: trusted.file.sha256,
        }
    }
}

/// As [`fetch_newest_manifest`], for whoever needs nothing but its content.
///
/// # Errors
/// When it is not there, or not genuine.
pub fn fetch_manifest(
    reader: &dyn OriginReader,
    trust: &TrustRoot<'_>,
    product: &str,
    version: &Version,
) -> Result<Manifest, Finding> {
    newest(reader, trust, product, version).map(|trusted| trusted.manifest)
}

fn newest(
    reader: &dyn OriginReader,
    trust: &TrustRoot<'_>,
    product: &str,
    version: &Version,
) -> Result<verify::Trusted, Finding> {
    let edition = verify::newest_edition(reader, trust, product, version);
    let edition = edition.map_err(|problem| finding(verify::POINTER, problem))?;
    let trusted = verify::Trusted::fetch(reader, trust, product, version, edition);
    trusted.map_err(|problem| finding(&edition.manifest(), problem))
}

fn finding(object: &str, problem: Problem) -> Finding {
    Finding {
        object: object.to_owned(),
        problem: Box::new(problem),
    }
}

fn fetch(
    world: &dyn World,
    reader: &dyn OriginReader,
    request: &DownloadRequest<'_>,
    trusted: &verify::Trusted,
    artifact: &ManifestArtifact,
    to: &Path,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), Problem> {
    let signature = ObjectPath::signature(request.version, &artifact.name).map_err(OriginError::from)?;
    let signature = reader.read(&signature, MAX_DOCUMENT)?;
    let source = reader.open(
        &ObjectPath::release(request.version, &artifact.name),
        artifact.length,
    )?;
    let mut file = world.fs().create(to).map_err(OriginError::from)?;
    let copied = digest_reader(Copying {
        source,
        file: &mut file,
        to,
        world,
        progress,
    });
    let digests = copied.map_err(|error| origin_error(artifact.name.as_str(), error))?;
    if let Some(problem) = verify::differences(artifact, &digests).into_iter().next() {
        return Err(problem);
    }
    let asked = verify::asked(request.product, &trusted.manifest, artifact);
    verify_statement(&signature, request.trust.ring, &trusted.role, &digests, &asked)?;
    file.commit().map_err(OriginError::from)?;
    Ok(())
}

/// Writes what is read from it into a file.
struct Copying<'a, R> {
    source: R,
    file: &'a mut Box<dyn OutFile>,
    to: &'a Path,
    world: &'a dyn World,
    progress: &'a (dyn Fn(u64) + Sync),
}

impl<R: Read> Read for Copying<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let failed = |error: WorldError| io::Error::other(OriginError::from(error));
        self.world.check_interrupt().map_err(failed)?;
        let count = self.source.read(out)?;
        let written = self.file.write_all(&out[..count]);
        written.map_err(|error| failed(WorldError::io("write", self.to, &error)))?;
        (self.progress)(count as u64);
        Ok(count)
    }
}
