//! Verifying: the signature, then field by field what it states.

use crate::error::{FieldMismatch, TrustError};
use crate::{Digests, KeyRing, PublicKey, Signature};
use vrel_model::{Arch, ArtifactName, Blake2bDigest, ChannelName, KeyRole, Statement, Version};

/// What somebody who fetched a file wanted to have: everything of a [`Statement`] but its time, and but the size and
/// digest, which come from the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The file's name.
    pub file: ArtifactName,
    /// The product's id.
    pub product: String,
    /// The release.
    pub version: Version,
    /// The channel that the release was cut for.
    pub channel: ChannelName,
    /// The architecture, or none.
    pub arch: Option<Arch>,
}

impl Asked {
    /// Every field in which a statement differs from what was asked for and from the content that came.
    #[must_use]
    pub fn mismatches(&self, statement: &Statement, content: &Digests) -> Vec<FieldMismatch> {
        let arch = |arch: Option<Arch>| arch.map_or("any".to_owned(), |arch| arch.to_string());
        let fields = [
            ("file", self.file.to_string(), statement.file.to_string()),
            ("product", self.product.clone(), statement.product.clone()),
            ("version", self.version.to_string(), statement.version.to_string()),
            ("channel", self.channel.to_string(), statement.channel.to_string()),
            ("arch", arch(self.arch), arch(statement.arch)),
            ("size", content.length.to_string(), statement.size.to_string()),
            ("sha256", content.sha256.to_string(), statement.sha256.to_string()),
        ];
        let differs = |(_, expected, found): &(_, String, String)| expected != found;
        let mismatch = |(field, expected, found)| FieldMismatch {
            field,
            expected,
            found,
        };
        fields.into_iter().filter(differs).map(mismatch).collect()
    }
}

impl Signature {
    /// Verifies both signatures with a key of the role. `file` names the content in errors.
    ///
    /// # Errors
    /// When the role has no keys or not this one, or a signature does not fit.
    pub fn verify(
        &self,
        file: &str,
        ring: &KeyRing,
        role: &KeyRole,
        content: &Blake2bDigest,
    ) -> Result<(), TrustError> {
        let key = ring
            .find(role, self.key_id)?
            .ok_or_else(|| TrustError::UnknownKey {
                file: file.to_owned(),
                id: self.key_id,
                role: role.clone(),
                trusted: ring.ids(role),
            })?;
        self.verify_with(file, key, content)
    }

    pub(crate) fn verify_with(
        &self,
        file: &str,
        key: &PublicKey,
        content: &Blake2bDigest,
    ) -> Result<(), TrustError> {
        if !key.signed(content.as_bytes(), &self.content) {
            return Err(TrustError::BadSignature {
                file: file.to_owned(),
                id: key.id(),
            });
        }
        if !key.signed(
            &Self::global_message(&self.content, &self.trusted_comment),
            &self.global,
        ) {
            return Err(TrustError::BadComment {
                file: file.to_owned(),
                id: key.id(),
            });
        }
        Ok(())
    }
}

/// Verifies a signature file against content, and what it states against what was asked for.
///
/// # Errors
/// When the signature is not of the strict form, by no key of the role, does not fit the content, or states anything
/// else than what was asked for; then with every field that differs.
pub fn verify_statement(
    signature: &[u8],
    ring: &KeyRing,
    role: &KeyRole,
    content: &Digests,
    asked: &Asked,
) -> Result<Statement, TrustError> {
    let file = asked.file.as_str();
    let name = || file.to_owned();
    let signature = Signature::parse(signature).map_err(|problem| TrustError::Signature {
        file: name(),
        problem,
    })?;
    signature.verify(file, ring, role, &content.blake2b)?;
    let statement: Statement =
        signature
            .trusted_comment()
            .parse()
            .map_err(|problem| TrustError::Statement {
                file: name(),
                problem,
            })?;
    let mismatches = asked.mismatches(&statement, content);
    if mismatches.is_empty() {
        Ok(statement)
    } else {
        Err(TrustError::Mismatch {
            file: name(),
            mismatches,
        })
    }
}
