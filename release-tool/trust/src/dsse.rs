//! Envelopes for statements of machines: DSSE (Dead Simple Signing Envelope) 1.0 around an in-toto statement, signed by
//! the release key.
//!
//! A minisign key is an Ed25519 key, so the same key that signs artifacts signs envelopes: whoever holds its public file
//! has what every DSSE reader needs ([`PublicKey::to_pem`](crate::PublicKey::to_pem)). The signature is plain Ed25519
//! (RFC 8032) over the envelope's pre-authentication encoding.
//!
//! One key, two uses: neither signature can be taken for the other, because no message is of both kinds.
//!
//! - A minisign signature of a file signs exactly 64 bytes, a BLAKE2b-512 digest. An encoding is longer: its fixed head
//!   alone (`DSSEv1 28 application/vnd.in-toto+json `) has 39 bytes and a payload of ours several hundred. Envelopes
//!   whose encoding has no more than 128 bytes are refused all the same, so this holds by a check.
//! - The second signature of a minisign file signs its first signature, 64 bytes that look random, and the trusted
//!   comment. To be an encoding, the first 39 of those bytes would have to be the fixed head.
//! - minisign's legacy form signs content without hashing, so an encoding that is published as a file could carry our
//!   signature in that form. It would need the second signature too, which nobody ever makes over it.

use crate::error::TrustError;
use crate::{KeyRing, SecretKey, encoding, strict_json};
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use vrel_model::{KeyId, KeyRole};

/// The only type of payload that is signed and accepted: an in-toto statement as JSON.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The longest envelope that is read, in bytes.
pub const MAX_ENVELOPE: usize = 4 << 20;

/// Encodings of no more bytes are neither signed nor accepted: twice what minisign's first signature signs.
const SHORTEST: usize = 128;

/// Why a text is not an envelope that can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeProblem {
    /// Too long to be looked at.
    #[error("{length} bytes, expected at most {MAX_ENVELOPE}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Too short a payload to be told from what minisign signs.
    #[error("a payload of {length} bytes is too short to be a statement")]
    TooShort {
        /// The payload's length in bytes.
        length: usize,
    },
    /// Not JSON of an envelope's shape.
    #[error("not an envelope: {0}")]
    Malformed(String),
    /// Another type of payload.
    #[error("the payload is of the type `{}`, expected `{PAYLOAD_TYPE}`", found.escape_debug())]
    PayloadType {
        /// Its type.
        found: String,
    },
    /// Bytes that are not in the one canonical form of base64.
    #[error("{what} is not canonical base64")]
    Base64 {
        /// What holds them.
        what: &'static str,
    },
    /// More than one signature by keys of the role.
    #[error("{count} signatures by keys of the role, expected exactly one")]
    Several {
        /// How many.
        count: usize,
    },
    /// No signature by a key of the role.
    #[error("no signature by a key of the role `{role}`; trusted are {trusted}, signed have {found}")]
    Unsigned {
        /// The role.
        role: KeyRole,
        /// Its keys.
        trusted: String,
        /// The keys that the signatures name.
        found: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
struct EnvelopeSignature {
    // Optional in the format, a hint that nothing signs. Without one, a signature is by nobody that we know.
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// The pre-authentication encoding: the bytes that are signed, `DSSEv1 LENGTH TYPE LENGTH PAYLOAD` with lengths in bytes.
#[must_use]
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// Signs a payload and returns the envelope's bytes, a line of JSON. The same input gives the same bytes. `file` names
/// the envelope in errors.
///
/// # Errors
/// When the payload is too short or too long for an envelope that [`verify_envelope`] reads, or the signature just made
/// does not verify.
pub fn sign_envelope(file: &str, payload: &[u8], key: &SecretKey) -> Result<Vec<u8>, TrustError> {
    let message = encoding_of(payload).map_err(|problem| named(file, problem))?;
    let signature = key.ed25519(&message);
    // A fault while signing could otherwise publish a useless signature, or one that gives the key away.
    if !key.public_key().signed(&message, &signature) {
        return Err(TrustError::BadSignature {
            file: file.to_owned(),
            id: key.id(),
        });
    }
    let envelope = Envelope {
        payload: Base64::encode_string(payload),
        payload_type: PAYLOAD_TYPE.to_owned(),
        signatures: vec![EnvelopeSignature {
            keyid: key.id().to_string(),
            sig: Base64::encode_string(&signature),
        }],
    };
    let malformed = |error: serde_json::Error| named(file, EnvelopeProblem::Malformed(error.to_string()));
    let mut bytes = serde_json::to_vec(&envelope).map_err(malformed)?;
    bytes.push(b'\n');
    match bytes.len() {
        length if length > MAX_ENVELOPE => Err(named(file, EnvelopeProblem::TooLong { length })),
        _ => Ok(bytes),
    }
}

/// Verifies an envelope and returns its payload. Signatures that name no key of the role are passed over; of the role's
/// keys exactly one must have signed. `file` names the envelope in errors.
///
/// # Errors
/// When the envelope is longer than [`MAX_ENVELOPE`] or not of the strict form (one JSON object without a doubled member,
/// canonical standard base64), its payload is of another type than [`PAYLOAD_TYPE`], no or several keys of the role
/// signed, or the signature does not fit.
pub fn verify_envelope(
    file: &str,
    bytes: &[u8],
    ring: &KeyRing,
    role: &KeyRole,
) -> Result<Vec<u8>, TrustError> {
    let (envelope, payload) = read(bytes).map_err(|problem| named(file, problem))?;
    let mut signed = Vec::new();
    for signature in &envelope.signatures {
        let key = match signature.keyid.parse::<KeyId>() {
            Ok(id) => ring.find(role, id)?,
            Err(_) => None,
        };
        signed.extend(key.map(|key| (key, &signature.sig)));
    }
    let (key, signature) = match signed.as_slice() {
        [] => {
            // A role without any key is another mistake than a key that is not one of it.
            ring.find(role, KeyId::from_file_bytes([0; 8]))?;
            let found = envelope
                .signatures
                .iter()
                .map(|signature| signature.keyid.as_str());
            let problem = EnvelopeProblem::Unsigned {
                role: role.clone(),
                trusted: listed(ring.ids(role).iter().map(ToString::to_string)),
                found: listed(found.map(|id| format!("`{}`", id.escape_debug()))),
            };
            return Err(named(file, problem));
        }
        [one] => *one,
        several => {
            let count = several.len();
            return Err(named(file, EnvelopeProblem::Several { count }));
        }
    };
    let what = "the signature";
    let signature =
        encoding::base64::<64>(signature, 1).map_err(|_| named(file, EnvelopeProblem::Base64 { what }))?;
    let message = encoding_of(&payload).map_err(|problem| named(file, problem))?;
    if key.signed(&message, &signature) {
        Ok(payload)
    } else {
        Err(TrustError::BadSignature {
            file: file.to_owned(),
            id: key.id(),
        })
    }
}

fn read(bytes: &[u8]) -> Result<(Envelope, Vec<u8>), EnvelopeProblem> {
    let length = bytes.len();
    if length > MAX_ENVELOPE {
        return Err(EnvelopeProblem::TooLong { length });
    }
    let envelope: Envelope =
        strict_json::parse(bytes).map_err(|error| EnvelopeProblem::Malformed(error.to_string()))?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(EnvelopeProblem::PayloadType {
            found: envelope.payload_type,
        });
    }
    let what = "the payload";
    let payload = Base64::decode_vec(&envelope.payload).map_err(|_| EnvelopeProblem::Base64 { what })?;
    if Base64::encode_string(&payload) == envelope.payload {
        Ok((envelope, payload))
    } else {
        Err(EnvelopeProblem::Base64 { what })
    }
}

fn encoding_of(payload: &[u8]) -> Result<Vec<u8>, EnvelopeProblem> {
    let message = pre_authentication_encoding(PAYLOAD_TYPE, payload);
    if message.len() > SHORTEST {
        Ok(message)
    } else {
        Err(EnvelopeProblem::TooShort {
            length: payload.len(),
        })
    }
}

fn named(file: &str, problem: EnvelopeProblem) -> TrustError {
    TrustError::Envelope {
        file: file.to_owned(),
        problem,
    }
}

fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        let encoding = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(
            encoding,
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }
}
