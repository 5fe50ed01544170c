//! What people sign about a release: sign-offs, waivers, approvals.

use crate::error::TrustError;
use crate::{PublicKey, SecretKey, Signature, digest_bytes};
use vrel_model::{PersonId, PersonalStatement, Signatory, SignedStatement};

/// What a statement is called in errors.
fn called(statement: &PersonalStatement) -> String {
    let of = statement.gate.as_ref().map(|gate| format!(" of the gate {gate}"));
    format!(
        "the {} by {}{}",
        statement.what,
        statement.person,
        of.unwrap_or_default()
    )
}

fn bytes(statement: &PersonalStatement) -> Result<Vec<u8>, TrustError> {
    statement.to_bytes().map_err(|error| TrustError::Unsignable {
        file: called(statement),
        reason: error.to_string(),
    })
}

/// The key in a person's file.
///
/// # Errors
/// When it is no minisign public key.
pub fn person_key(person: &PersonId, signatory: &Signatory) -> Result<PublicKey, TrustError> {
    PublicKey::from_base64(&signatory.key).map_err(|problem| TrustError::KeyFile {
        path: format!("signing/people/{person}.toml").into(),
        problem,
    })
}

/// Signs a statement.
///
/// # Errors
/// When it would not be read back as the same.
pub fn sign_personal(statement: PersonalStatement, key: &SecretKey) -> Result<SignedStatement, TrustError> {
    let digests = digest_bytes(&bytes(&statement)?);
    let comment = statement.trusted_comment(&digests.sha256);
    let signature = key.sign_with_comment(&called(&statement), &digests.blake2b, &comment)?;
    Ok(SignedStatement { signature, statement })
}

/// Verifies that a person's key signed exactly this statement.
///
/// # Errors
/// When the signature is not of the strict form, by another key, does not fit, or was made for another statement.
pub fn verify_personal(signed: &SignedStatement, signatory: &Signatory) -> Result<(), TrustError> {
    let statement = &signed.statement;
    let file = called(statement);
    let key = person_key(&statement.person, signatory)?;
    let signature =
        Signature::parse(signed.signature.as_bytes()).map_err(|problem| TrustError::Signature {
            file: file.clone(),
            problem,
        })?;
    if signature.key_id() != key.id() {
        return Err(TrustError::NotTheirKey {
            file,
            person: statement.person.clone(),
            id: signature.key_id(),
        });
    }
    let digests = digest_bytes(&bytes(statement)?);
    signature.verify_with(&file, &key, &digests.blake2b)?;
    let expected = statement.trusted_comment(&digests.sha256);
    if signature.trusted_comment() == expected {
        Ok(())
    } else {
        Err(TrustError::PersonalComment {
            file,
            expected,
            found: signature.trusted_comment().to_owned(),
        })
    }
}
