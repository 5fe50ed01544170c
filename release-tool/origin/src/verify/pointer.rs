//! The pointer, and whether it leads to the release.

use super::problem::Problem;
use super::{PointerCheck, TrustRoot, Trusted, VerifyReport, VerifyRequest};
use crate::{ObjectPath, OriginError, OriginReader};
use vrel_model::{ChannelHead, ChannelName, Edition, Pointer, Sha256Digest, SignedPointer, Version};
use vrel_trust::{TrustError, verify_pointer};

pub(crate) const NAME: &str = "pointer.json";

/// A pointer with every channel's history of heads would still be far below this, in bytes.
const MAX_POINTER: u64 = 256 << 10;

pub(super) fn check(
    reader: &dyn OriginReader,
    request: &VerifyRequest<'_>,
    last_seen: Option<u64>,
    report: &mut VerifyReport,
) -> Result<(), OriginError> {
    let pointer = match fetch(reader, request) {
        Ok(pointer) => pointer,
        Err(problem) => return report.add(NAME, problem),
    };
    if let Some(seen) = last_seen.filter(|seen| pointer.version < *seen) {
        report.add(
            NAME,
            Problem::Replayed {
                seen,
                found: pointer.version,
            },
        )?;
    }
    if let Some(problem) = dud(&pointer, request.version) {
        report.add(NAME, problem)?;
    }
    report.pointer = Some(pointer);
    Ok(())
}

/// That the pointer calls a release a dud.
fn dud(pointer: &Pointer, version: &Version) -> Option<Problem> {
    let dud = pointer.duds.get(version)?;
    Some(Problem::Dud {
        version: version.clone(),
        since: dud.since,
        why: dud.why(),
    })
}

fn fetch(reader: &dyn OriginReader, request: &VerifyRequest<'_>) -> Result<Pointer, Problem> {
    let bytes = reader.read(&ObjectPath::pointer(), MAX_POINTER)?;
    let file = SignedPointer::parse(&bytes).map_err(TrustError::from)?;
    let trust = &request.trust;
    Ok(verify_pointer(
        &file,
        trust.ring,
        &trust.signing.pointer_role,
        request.product,
        request.now,
    )?)
}

/// The newest public edition of a release, as the pointer says, which must not call it a dud. Its age does not matter
/// here: an old pointer can keep an addition or a warning from a reader, and nothing else. An origin without a pointer has first editions only.
pub(crate) fn newest_edition(
    reader: &dyn OriginReader,
    trust: &TrustRoot<'_>,
    product: &str,
    version: &Version,
) -> Result<Edition, Problem> {
    let bytes = match reader.read(&ObjectPath::pointer(), MAX_POINTER) {
        Err(OriginError::NotFound { .. }) => return Ok(Edition::FIRST),
        read => read?,
    };
    let file = SignedPointer::parse(&bytes).map_err(TrustError::from)?;
    let issued = file.pointer().map_err(TrustError::from)?.issued;
    let pointer = verify_pointer(&file, trust.ring, &trust.signing.pointer_role, product, issued)?;
    match dud(&pointer, version) {
        Some(problem) => Err(problem),
        None => Ok(pointer.edition(version)),
    }
}

/// Compares what the pointer says of the release with its manifests; `editions` begins with the first.
pub(super) fn check_head(
    request: &VerifyRequest<'_>,
    editions: &[Trusted],
    report: &mut VerifyReport,
) -> Result<(), OriginError> {
    let (PointerCheck::Public { .. }, Some(pointer)) = (request.pointer, report.pointer.clone()) else {
        return Ok(());
    };
    let (Some(first), Some(newest)) = (editions.first(), editions.last()) else {
        return Ok(());
    };
    for (channel, head) in &pointer.channels {
        if head.release == *request.version {
            report.head_of.push(channel.clone());
            compare(first, head.manifest_length, head.manifest_sha256, report)?;
            if let Some(problem) = foreign(request, first, channel) {
                report.add(NAME, problem)?;
            }
        }
    }
    let older = pointer.older_lines.values().flatten();
    for head in older.filter(|head| head.release == *request.version) {
        compare(first, head.manifest_length, head.manifest_sha256, report)?;
    }
    if let Some(backfilled) = pointer.backfilled.get(request.version) {
        compare(
            newest,
            backfilled.manifest_length,
            backfilled.manifest_sha256,
            report,
        )?;
    }
    // A release that was a head once stays valid; one that is newer than the newest of its line, or of its channel, where
    // the line is not kept, never was public.
    let channel = &newest.manifest.channel;
    let on_line = pointer.newest_on(channel, request.version.line());
    let head = on_line.or_else(|| pointer.channels.get(channel).map(ChannelHead::newest));
    let head = head.cloned();
    if report.head_of.is_empty() && head.as_ref().is_none_or(|head| head < request.version) {
        let (version, channel) = (request.version.clone(), channel.clone());
        report.add(
            NAME,
            Problem::NotPublic {
                version,
                channel,
                head,
            },
        )?;
    }
    Ok(())
}

/// Who signs releases of one channel does not sign those of another by that; a promoted release is signed by both.
fn foreign(request: &VerifyRequest<'_>, first: &Trusted, channel: &ChannelName) -> Option<Problem> {
    let trust = &request.trust;
    let role = &trust.channels.get(channel)?.key_role;
    let accepted = trust
        .ring
        .keys(role)
        .iter()
        .any(|key| Some(key.id()) == first.file.key);
    (!accepted).then(|| Problem::ForeignHead {
        version: request.version.clone(),
        channel: channel.clone(),
        role: role.clone(),
    })
}

/// Compares a manifest with what the pointer says of it.
fn compare(
    trusted: &Trusted,
    length: u64,
    sha256: Sha256Digest,
    report: &mut VerifyReport,
) -> Result<(), OriginError> {
    let file = &trusted.file;
    let differs = [
        ("length", length.to_string(), file.length.to_string()),
        ("sha256", sha256.to_string(), file.sha256.to_string()),
    ];
    for (what, expected, found) in differs {
        if expected != found {
            let problem = Problem::Differs {
                what,
                expected,
                found,
            };
            report.add(file.name.as_str(), problem)?;
        }
    }
    Ok(())
}
