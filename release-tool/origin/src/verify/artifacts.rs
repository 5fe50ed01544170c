//! The artifacts: every byte is read once.

use super::problem::Problem;
use super::{GoodFile, Trusted, VerifyProgress, VerifyReport, VerifyRequest};
use crate::reader::io_error;
use crate::{MAX_DOCUMENT, ObjectPath, OriginError, OriginReader, origin_error};
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use vrel_model::{ArtifactName, Manifest, ManifestArtifact};
use vrel_trust::{Asked, Digests, Signature, Source, TrustError, digest_streams, verify_statement};

/// How many signatures are fetched at the same time: they are small, and a network answers each after a while.
const FETCHES: usize = 8;

pub(super) fn check(
    reader: &dyn OriginReader,
    request: &VerifyRequest<'_>,
    editions: &[Trusted],
    report: &mut VerifyReport,
    progress: &(dyn Fn(VerifyProgress<'_>) + Sync),
) -> Result<(), OriginError> {
    // The newest edition has the artifacts of all.
    let Some(trusted) = editions.last() else {
        return Ok(());
    };
    let artifacts = &trusted.manifest.artifacts;
    let lengths: Vec<u64> = artifacts.iter().map(|artifact| artifact.length).collect();
    progress(VerifyProgress::Begin {
        bytes: lengths.iter().fold(0, |sum, length| sum.saturating_add(*length)),
    });

    let signatures = signatures(reader, request, artifacts);
    let open = |index: usize| -> io::Result<Source<'_>> {
        let artifact = &artifacts[index];
        let path = ObjectPath::release(request.version, &artifact.name);
        let reader = reader.open(&path, artifact.length).map_err(io_error)?;
        Ok(Box::new(Told {
            reader,
            artifact: &artifact.name,
            progress,
        }))
    };
    let results = digest_streams(&lengths, request.threads, &open);

    for ((artifact, signature), digests) in artifacts.iter().zip(signatures).zip(results) {
        let before = report.findings.len();
        let name = artifact.name.as_str();
        let digests = digests.map_err(|error| origin_error(name, error));
        match (digests, signature) {
            (Ok(digests), Ok(signature)) => {
                for problem in differences(artifact, &digests) {
                    report.add(name, problem)?;
                }
                match signed(request, trusted, artifact, &digests, &signature) {
                    Ok(good) if report.findings.len() == before => report.good.push(good),
                    Ok(_) => {}
                    Err(error) => report.add(name, error)?,
                }
            }
            (digests, signature) => {
                if let Err(error) = digests {
                    report.add(name, error)?;
                }
                if let Err(error) = signature {
                    report.add(name, error)?;
                }
            }
        }
        let good = report.findings.len() == before;
        progress(VerifyProgress::End {
            artifact: &artifact.name,
            good,
        });
    }
    Ok(())
}

/// In what an artifact differs from what the manifest says of it. Its length is right, or it could not have been read.
pub(crate) fn differences(artifact: &ManifestArtifact, digests: &Digests) -> Vec<Problem> {
    let properties = [
        ("sha256", artifact.sha256.to_string(), digests.sha256.to_string()),
        (
            "blake2b",
            artifact.blake2b.to_string(),
            digests.blake2b.to_string(),
        ),
    ];
    let differs = properties
        .into_iter()
        .filter(|(_, expected, found)| expected != found);
    differs
        .map(|(what, expected, found)| Problem::Differs {
            what,
            expected,
            found,
        })
        .collect()
}

fn signed(
    request: &VerifyRequest<'_>,
    trusted: &Trusted,
    artifact: &ManifestArtifact,
    digests: &Digests,
    signature: &[u8],
) -> Result<GoodFile, TrustError> {
    let asked = asked(request.product, &trusted.manifest, artifact);
    verify_statement(signature, request.trust.ring, &trusted.role, digests, &asked)?;
    let key = Signature::parse(signature)
        .ok()
        .map(|signature| signature.key_id());
    Ok(GoodFile {
        name: artifact.name.clone(),
        length: digests.length,
        sha256: digests.sha256,
        key,
    })
}

/// What the signature of an artifact must state.
pub(crate) fn asked(product: &str, manifest: &Manifest, artifact: &ManifestArtifact) -> Asked {
    Asked {
        file: artifact.name.clone(),
        product: product.to_owned(),
        version: manifest.version.clone(),
        channel: manifest.channel.clone(),
        arch: artifact.arch,
    }
}

fn signatures(
    reader: &dyn OriginReader,
    request: &VerifyRequest<'_>,
    artifacts: &[ManifestArtifact],
) -> Vec<Result<Vec<u8>, OriginError>> {
    let next = AtomicUsize::new(0);
    let fetched = Mutex::new(Vec::with_capacity(artifacts.len()));
    let work = || {
        while let Some((index, artifact)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            artifacts.get(index).map(|artifact| (index, artifact))
        } {
            let path = ObjectPath::signature(request.version, &artifact.name).map_err(OriginError::from);
            let signature = path.and_then(|path| reader.read(&path, MAX_DOCUMENT));
            fetched
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((index, signature));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..FETCHES.min(artifacts.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut fetched = fetched.into_inner().unwrap_or_else(PoisonError::into_inner);
    fetched.sort_by_key(|(index, _)| *index);
    fetched.into_iter().map(|(_, signature)| signature).collect()
}

/// A reader that tells how far it is.
struct Told<'a, R> {
    reader: R,
    artifact: &'a ArtifactName,
    progress: &'a (dyn Fn(VerifyProgress<'_>) + Sync),
}

impl<R: Read> Read for Told<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(out)?;
        (self.progress)(VerifyProgress::Read {
            artifact: self.artifact,
            bytes: count as u64,
        });
        Ok(count)
    }
}
