//! Signing.

use crate::encoding::is_comment;
use crate::error::TrustError;
use crate::{SecretKey, Signature};
use vrel_model::{Blake2bDigest, Statement};

impl SecretKey {
    /// Signs content by its BLAKE2b-512 digest, with a statement of what it is as the trusted comment; returns the text
    /// of the `.minisig` file. The same input gives the same bytes, so that a release that is resumed publishes what it
    /// would have published at first.
    ///
    /// The statement's size and SHA-256 must be of the same content as the digest; [`crate::Digests`] has all three
    /// from one read.
    ///
    /// # Errors
    /// When the statement would not be read back as the same from one line of printable ASCII.
    pub fn sign(&self, content: &Blake2bDigest, statement: &Statement) -> Result<String, TrustError> {
        let (file, text) = (statement.file.as_str(), statement.to_string());
        match text.parse::<Statement>() {
            Ok(again) if again == *statement => self.sign_with_comment(file, content, &text),
            Ok(_) => Err(unsignable(file, "its statement is ambiguous".to_owned())),
            Err(error) => Err(unsignable(file, error.to_string())),
        }
    }

    pub(crate) fn sign_with_comment(
        &self,
        file: &str,
        content: &Blake2bDigest,
        trusted_comment: &str,
    ) -> Result<String, TrustError> {
        if !is_comment(trusted_comment) {
            // A line feed would let whoever chooses a part of the comment write the lines after it.
            let shown = trusted_comment.escape_debug();
            return Err(unsignable(
                file,
                format!("the trusted comment `{shown}` is not one line of printable ASCII"),
            ));
        }
        let signature = self.ed25519(content.as_bytes());
        let global = self.ed25519(&Signature::global_message(&signature, trusted_comment));
        let signature = Signature {
            untrusted_comment: format!("signature by key {}", self.id()),
            key_id: self.id(),
            content: signature,
            trusted_comment: trusted_comment.to_owned(),
            global,
        };
        // Checked as every stranger will check it: a fault while signing could otherwise publish a useless signature,
        // or one that gives the key away.
        let text = signature.to_text();
        let parsed =
            Signature::parse(text.as_bytes()).map_err(|error| unsignable(file, error.to_string()))?;
        parsed.verify_with(file, &self.public_key(), content)?;
        Ok(text)
    }
}

fn unsignable(file: &str, reason: String) -> TrustError {
    TrustError::Unsignable {
        file: file.to_owned(),
        reason,
    }
}
