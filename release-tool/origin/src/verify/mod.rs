//! Verifying a published release with public keys only.
//!
//! Nothing is believed before a signature of the right key covers it: first the pointer, then the manifest, then every
//! file against the manifest and against its own signature. Every problem is collected, so that one run tells all.

mod artifacts;
mod documents;
mod editions;
mod manifest;
mod notes;
mod pointer;
mod problem;
mod supply;

pub use problem::{Finding, Problem};

pub(crate) use artifacts::{asked, differences};
pub(crate) use manifest::Trusted;
pub(crate) use pointer::{NAME as POINTER, newest_edition};

use crate::{OriginError, OriginReader};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use vrel_model::{
    ArtifactName, ArtifactNameError, ChannelName, ChannelPolicy, Edition, KeyId, Manifest, Pointer,
    Sha256Digest, SigningPolicy, UtcTime, Version,
};
use vrel_trust::KeyRing;

/// File name of the first edition's release notes.
pub(crate) const NOTES: &str = "release-notes.md";
/// What a signature's file name ends with.
pub(crate) const SIGNATURE: &str = ".minisig";

/// Whose signatures count, and for what.
#[derive(Clone, Copy, Debug)]
pub struct TrustRoot<'a> {
    /// The public keys.
    pub ring: &'a KeyRing,
    /// Which role signs the pointer.
    pub signing: &'a SigningPolicy,
    /// Which role signs the releases of each channel.
    pub channels: &'a BTreeMap<ChannelName, ChannelPolicy>,
}

/// What is asked of the pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointerCheck {
    /// The release must be public: a valid, fresh pointer leads to it or to a later one of its channel.
    Public {
        /// The version of the newest pointer that was ever seen; an older one is a replay.
        last_seen: Option<u64>,
    },
    /// The pointer is not looked at: for reading a release back before it is made public.
    Skip {
        /// The edition to verify.
        edition: Edition,
    },
}

/// A release to verify.
#[derive(Clone, Copy, Debug)]
pub struct VerifyRequest<'a> {
    /// Whom to trust.
    pub trust: TrustRoot<'a>,
    /// The product's id.
    pub product: &'a str,
    /// The release.
    pub version: &'a Version,
    /// What is asked of the pointer.
    pub pointer: PointerCheck,
    /// The time of the check.
    pub now: UtcTime,
    /// How many threads hash at the same time.
    pub threads: NonZeroUsize,
}

/// How far a verification is. Told from any thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyProgress<'a> {
    /// The manifest is verified; so many bytes of artifacts follow.
    Begin {
        /// Their number in all.
        bytes: u64,
    },
    /// More of an artifact was read.
    Read {
        /// The artifact.
        artifact: &'a ArtifactName,
        /// How many more bytes.
        bytes: u64,
    },
    /// An artifact was compared with the manifest and its signature.
    End {
        /// The artifact.
        artifact: &'a ArtifactName,
        /// Whether nothing was found.
        good: bool,
    },
}

/// What a verification found.
#[derive(Debug, Default)]
pub struct VerifyReport {
    /// Every problem, in the order of the checks. The release is good when there is none.
    pub findings: Vec<Finding>,
    /// The pointer, when it was asked for and is trusted.
    pub pointer: Option<Pointer>,
    /// The manifest of the newest public edition, when it is trusted.
    pub manifest: Option<Manifest>,
    /// Which edition that is.
    pub edition: Option<Edition>,
    /// The channels whose head the release is.
    pub head_of: Vec<ChannelName>,
    /// The files that are what they should be.
    pub good: Vec<GoodFile>,
}

/// A file that is what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoodFile {
    /// Its name.
    pub name: ArtifactName,
    /// Length in bytes.
    pub length: u64,
    /// SHA-256.
    pub sha256: Sha256Digest,
    /// The key of its own signature; `None` where the manifest alone vouches for it.
    pub key: Option<KeyId>,
}

impl VerifyReport {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.findings.is_empty()
    }

    /// Takes a problem, or passes on that a person asked the program to stop.
    fn add(&mut self, object: &str, problem: impl Into<Problem>) -> Result<(), OriginError> {
        match problem.into() {
            Problem::Origin(error) if error.is_interruption() => Err(error),
            problem => {
                self.findings.push(Finding {
                    object: object.to_owned(),
                    problem: Box::new(problem),
                });
                Ok(())
            }
        }
    }
}

/// Verifies a published release: its pointer, the manifest and checksums of every edition up to the newest that is public,
/// that each edition only adds to the one before it, every artifact, every document, that the notes speak of these
/// files, and, where the origin's names can be listed, that there is nothing else.
///
/// # Errors
/// Only when a person asked the program to stop. Everything else is a finding.
pub fn verify_release(
    reader: &dyn OriginReader,
    request: &VerifyRequest<'_>,
    progress: &(dyn Fn(VerifyProgress<'_>) + Sync),
) -> Result<VerifyReport, OriginError> {
    let mut report = VerifyReport::default();
    if let PointerCheck::Public { last_seen } = request.pointer {
        pointer::check(reader, request, last_seen, &mut report)?;
    }
    let newest = match request.pointer {
        PointerCheck::Skip { edition } => edition,
        // Without a trusted pointer only what every release has from the start can be expected.
        PointerCheck::Public { .. } => report
            .pointer
            .as_ref()
            .map_or(Edition::FIRST, |pointer| pointer.edition(request.version)),
    };
    let mut editions = Vec::new();
    for edition in newest.earlier().chain([newest]) {
        match Trusted::fetch(reader, &request.trust, request.product, request.version, edition) {
            Ok(trusted) => editions.push(trusted),
            // Without all trusted manifests there is nothing to compare the files with.
            Err(problem) => {
                report.add(&edition.manifest(), problem)?;
                return Ok(report);
            }
        }
    }
    editions::check(&editions, &mut report)?;
    pointer::check_head(request, &editions, &mut report)?;
    artifacts::check(reader, request, &editions, &mut report, progress)?;
    documents::check(reader, request, &editions, &mut report)?;
    report
        .good
        .extend(editions.iter().map(|trusted| trusted.file.clone()));
    report.good.sort_by(|a, b| a.name.cmp(&b.name));
    report.edition = Some(newest);
    report.manifest = editions.pop().map(|trusted| trusted.manifest);
    Ok(report)
}

/// A file name that the layout fixes.
pub(crate) fn fixed(name: &str) -> Result<ArtifactName, OriginError> {
    let reason = |error: ArtifactNameError| error.to_string();
    name.parse().map_err(|error| OriginError::Document {
        object: name.to_owned(),
        reason: reason(error),
    })
}
