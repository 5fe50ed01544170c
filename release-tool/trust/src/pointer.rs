//! The pointer's signature, which is inside it.

use crate::error::TrustError;
use crate::{KeyRing, SecretKey, Signature, digest_bytes};
use vrel_model::{KeyRole, KeySignature, Pointer, SignedPointer, UtcTime};

/// What the pointer is called in errors.
const NAME: &str = "pointer.json";

/// How far ahead of this machine's clock a pointer may have been issued, in seconds.
const CLOCK_SKEW: i64 = 3600;

/// Signs a pointer.
///
/// # Errors
/// When the product's id cannot stand in a comment.
pub fn sign_pointer(pointer: &Pointer, key: &SecretKey) -> Result<SignedPointer, TrustError> {
    let mut signed = pointer.to_unsigned()?;
    let content = digest_bytes(&signed.signed_bytes()).blake2b;
    let minisig = key.sign_with_comment(NAME, &content, &pointer.trusted_comment())?;
    signed.signatures.push(KeySignature {
        keyid: key.id(),
        minisig,
    });
    Ok(signed)
}

/// Verifies a pointer's signatures and that it may be believed now. Signatures by unknown keys are passed over as long
/// as one by a trusted key is there, so that a key can be replaced by signing with both for a while.
///
/// # Errors
/// When no signature is by a key of the role, one of a known key does not fit, the pointer is of another product, has
/// expired or was issued more than an hour ahead of `now`.
pub fn verify_pointer(
    file: &SignedPointer,
    ring: &KeyRing,
    role: &KeyRole,
    product: &str,
    now: UtcTime,
) -> Result<Pointer, TrustError> {
    let content = digest_bytes(&file.signed_bytes()).blake2b;
    let mut unknown = None;
    let mut comments = Vec::new();
    for KeySignature { keyid, minisig } in &file.signatures {
        let signature = Signature::parse(minisig.as_bytes()).map_err(|problem| TrustError::Signature {
            file: NAME.to_owned(),
            problem,
        })?;
        match signature.verify(NAME, ring, role, &content) {
            Ok(()) if signature.key_id() == *keyid => comments.push(signature.trusted_comment().to_owned()),
            Ok(()) => {
                return Err(TrustError::BadSignature {
                    file: NAME.to_owned(),
                    id: *keyid,
                });
            }
            Err(error @ TrustError::UnknownKey { .. }) => unknown = Some(error),
            Err(error) => return Err(error),
        }
    }
    if comments.is_empty() {
        return Err(unknown.unwrap_or(TrustError::PointerUnsigned));
    }

    // Only now is the content looked at.
    let pointer = file.pointer()?;
    let expected = pointer.trusted_comment();
    if let Some(found) = comments.into_iter().find(|comment| *comment != expected) {
        return Err(TrustError::PointerComment { expected, found });
    }
    if pointer.product != product {
        return Err(TrustError::PointerProduct {
            expected: product.to_owned(),
            found: pointer.product,
        });
    }
    let Pointer {
        version,
        issued,
        expires,
        ..
    } = pointer;
    if issued.unix() > now.unix().saturating_add(CLOCK_SKEW) {
        return Err(TrustError::PointerFromTheFuture { version, issued, now });
    }
    if now >= expires {
        return Err(TrustError::PointerExpired {
            version,
            expires,
            now,
        });
    }
    Ok(pointer)
}
