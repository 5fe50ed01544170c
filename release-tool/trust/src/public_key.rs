//! Public keys, and the file form that `minisign` gives them.

use crate::encoding;
use crate::error::KeyFileProblem;
use ed25519_dalek::{Signature, VerifyingKey};
use vrel_model::KeyId;

/// A minisign public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    id: KeyId,
    key: VerifyingKey,
}

pub(crate) const FILE_TYPE: &str = "a minisign public key";

/// `Ed`, the id, the Ed25519 key.
const LENGTH: usize = 2 + 8 + 32;

impl PublicKey {
    pub(crate) fn new(id: KeyId, key: VerifyingKey) -> Self {
        Self { id, key }
    }

    /// Reads a public key file.
    ///
    /// # Errors
    /// When it is anything else than two lines: an untrusted comment, and a key in canonical base64.
    pub fn parse(file: &[u8]) -> Result<Self, KeyFileProblem> {
        let wrong = |found| KeyFileProblem::WrongType {
            found,
            expected: FILE_TYPE,
        };
        match encoding_of(file) {
            Some(FILE_TYPE) => {}
            Some(found) => return Err(wrong(found)),
            None => return Err(wrong("no minisign file")),
        }
        let [comment, key] = encoding::lines(file).map_err(KeyFileProblem::Malformed)?;
        encoding::comment(comment, encoding::UNTRUSTED, 1).map_err(KeyFileProblem::Malformed)?;
        Self::from_base64(key)
    }

    /// From the line that `minisign -P` takes.
    ///
    /// # Errors
    /// As [`PublicKey::parse`].
    pub fn from_base64(text: &str) -> Result<Self, KeyFileProblem> {
        let bytes = encoding::base64::<LENGTH>(text, 2).map_err(KeyFileProblem::Malformed)?;
        let (algorithm, rest) = bytes.split_at(2);
        let (id, key) = rest.split_at(8);
        if algorithm != b"Ed" {
            return Err(KeyFileProblem::Malformed(
                "the algorithm is not Ed25519".to_owned(),
            ));
        }
        let not_a_key = || KeyFileProblem::Malformed("not an Ed25519 public key".to_owned());
        let id: [u8; 8] = id.try_into().map_err(|_| not_a_key())?;
        let key: [u8; 32] = key.try_into().map_err(|_| not_a_key())?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| not_a_key())?;
        if key.is_weak() {
            Err(KeyFileProblem::WeakPoint)
        } else {
            Ok(Self::new(KeyId::from_file_bytes(id), key))
        }
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The line that `minisign -P` takes.
    #[must_use]
    pub fn to_base64(&self) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend_from_slice(b"Ed");
        bytes.extend_from_slice(&self.id.file_bytes());
        bytes.extend_from_slice(self.key.as_bytes());
        encoding::to_base64(&bytes).to_string()
    }

    /// The file's text.
    #[must_use]
    pub fn to_file(&self) -> String {
        format!(
            "{}minisign public key {}\n{}\n",
            encoding::UNTRUSTED,
            self.id,
            self.to_base64()
        )
    }

    /// The Ed25519 key as a PEM file, the form that OpenSSL, Python's `cryptography` and readers of DSSE envelopes take:
    /// a SubjectPublicKeyInfo (RFC 8410). The key's id is not part of it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        // SEQUENCE of 42 bytes { SEQUENCE of 5 { OBJECT IDENTIFIER 1.3.101.112 }, BIT STRING of 33, no unused bits }
        let head = [
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ];
        let der = [&head[..], self.key.as_bytes()].concat();
        let line = encoding::to_base64(&der);
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            *line
        )
    }

    /// Whether both are the same Ed25519 key, whatever their ids.
    pub(crate) fn same_point(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// Whether the key made this Ed25519 signature. Strict: a signature has one form, and mixed-order points are
    /// refused, so whatever is accepted here every other implementation accepts as well.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key
            .verify_strict(message, &Signature::from_bytes(signature))
            .is_ok()
    }
}

/// What a file looks like, to tell a person who named the wrong one.
pub(crate) fn encoding_of(file: &[u8]) -> Option<&'static str> {
    if file.is_empty() {
        return Some("an empty file");
    }
    let known = [
        ("-----BEGIN PGP", "an OpenPGP file"),
        ("-----BEGIN", "a PEM file (OpenSSH or TLS)"),
        ("AGE-SECRET-KEY-", "an age identity"),
        ("ssh-", "an OpenSSH public key"),
    ];
    if let Some((_, name)) = known.iter().find(|(start, _)| file.starts_with(start.as_bytes())) {
        return Some(name);
    }
    if !file.starts_with(b"untrusted comment:") {
        return None;
    }
    let mut lines = file.split(|&byte| byte == b'\n').skip(1);
    let payload = lines.next().unwrap_or_default().trim_ascii_end();
    if lines
        .next()
        .is_some_and(|line| line.starts_with(b"trusted comment:"))
    {
        return Some("a minisign signature");
    }
    Some(match payload.len() {
        40..=72 => FILE_TYPE,
        150.. => crate::secret_key::FILE_TYPE,
        _ => "a damaged minisign file",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "untrusted comment: minisign public key DFB67D2FA75BF38E\n\
                        RWSO81unL3223+0quy3CXhqFEoc7vZ9uHJJJKgjSfcohwlSHQsIq7l5T\n";

    #[test]
    fn a_file_of_the_c_tool_round_trips() {
        let key = PublicKey::parse(FILE.as_bytes()).unwrap();
        assert_eq!(key.id().to_string(), "DFB67D2FA75BF38E");
        assert_eq!(key.to_file(), FILE);
    }

    #[test]
    fn what_is_not_a_public_key_is_named() {
        let line = FILE.lines().nth(1).unwrap();
        let secret = format!("untrusted comment: x\n{}\n", "A".repeat(212));
        let weak = {
            let mut bytes = b"Ed12345678".to_vec();
            bytes.extend_from_slice(&[0; 32]);
            format!("untrusted comment: x\n{}\n", *encoding::to_base64(&bytes))
        };
        let cases = [
            ("", "this is an empty file"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\n", "this is a PEM file"),
            ("hello\n", "this is no minisign file"),
            (
                &secret,
                "this is a minisign secret key, expected a minisign public key",
            ),
            (&FILE.replace('\n', "\r\n"), "line 1 holds the byte 0x0d"),
            (&FILE.replace("RWS", "RWS "), "canonical base64"),
            (&FILE.replace("RWS", "AAS"), "the algorithm is not Ed25519"),
            (&format!("{FILE}{line}\n"), "3 lines"),
            (FILE.trim_end(), "does not end with LF"),
            (&weak, "weak point"),
        ];
        for (text, expected) in cases {
            let error = PublicKey::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
