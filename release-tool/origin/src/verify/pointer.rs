//! The pointer, and whether it leads to the release.

use super::problem::Problem;
use super::{PointerCheck, Trusted, VerifyReport, VerifyRequest};
use crate::{ObjectPath, OriginError, OriginReader};
use vrel_model::{Pointer, SignedPointer};
use vrel_trust::{TrustError, verify_pointer};

const NAME: &str = "pointer.json";

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
    report.pointer = Some(pointer);
    Ok(())
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

/// Compares the pointer's heads with the release.
pub(super) fn check_head(
    request: &VerifyRequest<'_>,
    trusted: &Trusted,
    report: &mut VerifyReport,
) -> Result<(), OriginError> {
    let (PointerCheck::Public { .. }, Some(pointer)) = (request.pointer, report.pointer.clone()) else {
        return Ok(());
    };
    for (channel, head) in &pointer.channels {
        if head.release != *request.version {
            continue;
        }
        report.head_of.push(channel.clone());
        let differs = [
            (
                "length",
                head.manifest_length.to_string(),
                trusted.file.length.to_string(),
            ),
            (
                "sha256",
                head.manifest_sha256.to_string(),
                trusted.file.sha256.to_string(),
            ),
        ];
        for (what, expected, found) in differs {
            if expected != found {
                report.add(
                    super::MANIFEST,
                    Problem::Differs {
                        what,
                        expected,
                        found,
                    },
                )?;
            }
        }
    }
    // A release that was a head once stays valid; one that is newer than its channel's head never was public.
    let channel = &trusted.manifest.channel;
    let head = pointer.channels.get(channel).map(|head| head.release.clone());
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
