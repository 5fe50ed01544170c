//! Signature files: the one strict parser that stands in front of every verification, and its inverse.
//!
//! The existing implementations accept more, and not the same: line ends of two kinds, blanks at line ends (trimmed by
//! some before the comment is checked, by others not), a missing prefix, base64 with stray bits, anything after the
//! fourth line, and the legacy algorithm that signs content without hashing it first. What is accepted here is accepted
//! by all of them, with the same meaning.

use crate::encoding::{self, TRUSTED, UNTRUSTED};
use vrel_model::KeyId;

/// Why a text is not a signature file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a strict minisign signature: {0}")]
pub struct SignatureError(pub String);

/// A parsed signature file. Nothing in it is to be believed before a key has verified it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub(crate) untrusted_comment: String,
    pub(crate) key_id: KeyId,
    /// Ed25519 over the content's BLAKE2b-512.
    pub(crate) content: [u8; 64],
    pub(crate) trusted_comment: String,
    /// Ed25519 over `content` and the trusted comment.
    pub(crate) global: [u8; 64],
}

/// `ED` (Ed25519 over a hash; `Ed` would be over the content itself), key id, signature.
const LENGTH: usize = 2 + 8 + 64;

/// A longer text is not looked at.
const MAX_FILE: usize = 4096;

impl Signature {
    /// Reads a signature file.
    ///
    /// # Errors
    /// When the text is anything else than four lines of printable ASCII, each ended by LF: an untrusted comment, a
    /// signature of the hashing kind in canonical base64, a trusted comment, the signature of both in canonical base64.
    pub fn parse(text: &[u8]) -> Result<Self, SignatureError> {
        Self::read(text).map_err(SignatureError)
    }

    fn read(text: &[u8]) -> Result<Self, String> {
        if text.len() > MAX_FILE {
            return Err(format!("{} bytes, expected at most {MAX_FILE}", text.len()));
        }
        let [untrusted, signature, trusted, global] = encoding::lines(text)?;
        let untrusted_comment = encoding::comment(untrusted, UNTRUSTED, 1)?.to_owned();
        let bytes = encoding::base64::<LENGTH>(signature, 2)?;
        let trusted_comment = encoding::comment(trusted, TRUSTED, 3)?.to_owned();
        let global = *encoding::base64::<64>(global, 4)?;
        match &bytes[..2] {
            b"ED" => {}
            b"Ed" => {
                return Err(
                    "line 2 is a legacy signature, made without hashing; expected the hashing kind".into(),
                );
            }
            _ => return Err("line 2 is of an unknown algorithm".into()),
        }
        let (mut id, mut content) = ([0; 8], [0; 64]);
        id.copy_from_slice(&bytes[2..10]);
        content.copy_from_slice(&bytes[10..]);
        Ok(Self {
            untrusted_comment,
            key_id: KeyId::from_file_bytes(id),
            content,
            trusted_comment,
            global,
        })
    }

    /// The key that the signature names.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The trusted comment, which is trusted only after the signature was verified.
    #[must_use]
    pub fn trusted_comment(&self) -> &str {
        &self.trusted_comment
    }

    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend_from_slice(b"ED");
        bytes.extend_from_slice(&self.key_id.file_bytes());
        bytes.extend_from_slice(&self.content);
        let (signature, global) = (encoding::to_base64(&bytes), encoding::to_base64(&self.global));
        let (untrusted, trusted) = (&self.untrusted_comment, &self.trusted_comment);
        format!(
            "{UNTRUSTED}{untrusted}\n{}\n{TRUSTED}{trusted}\n{}\n",
            *signature, *global
        )
    }

    /// What the second of the two signatures signs.
    pub(crate) fn global_message(content: &[u8; 64], trusted_comment: &str) -> Vec<u8> {
        let mut message = content.to_vec();
        message.extend_from_slice(trusted_comment.as_bytes());
        message
    }
}
