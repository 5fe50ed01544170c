//! Secret keys: reading them from files, and never showing them.

use crate::encoding;
use crate::error::{KeyFileProblem, TrustError};
use crate::public_key::encoding_of;
use crate::{PublicKey, Scrypt};
use ed25519_dalek::{Signer, SigningKey};
use std::fmt;
use std::path::Path;
use vrel_model::KeyId;
use vrel_world::World;
use zeroize::{Zeroize, Zeroizing};

pub(crate) const FILE_TYPE: &str = "a minisign secret key";

/// The file's second line, decoded: signature algorithm `Ed`, key derivation `Sc` or two zeros, checksum algorithm `B2`,
/// salt, opslimit, memlimit; then the part that is XORed with scrypt's output: key id, Ed25519 seed and public key,
/// BLAKE2b-256 of algorithm, id and key.
pub(crate) const LENGTH: usize = HEADER + SEALED;
const HEADER: usize = 2 + 2 + 2 + 32 + 8 + 8;
pub(crate) const SEALED: usize = 8 + 64 + 32;

/// No key file that the tool understands is longer.
const MAX_FILE: u64 = 4096;

/// A password. Shown by nothing, wiped when dropped.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// A secret key, ready to sign. `Debug` shows its id alone; it is wiped when dropped.
pub struct SecretKey {
    id: KeyId,
    key: SigningKey,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.id)
    }
}

/// What a secret key file tells without its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFileInfo {
    /// How it is encrypted; `None` when it is not.
    pub scrypt: Option<Scrypt>,
}

impl SecretKey {
    pub(crate) fn new(id: KeyId, key: SigningKey) -> Self {
        Self { id, key }
    }

    /// Reads a secret key file. Nothing is ever asked for: whoever has a terminal gets the password first.
    /// `weakest` is the cheapest protection that an encrypted file may have; a file without a password is accepted,
    /// because whoever made it said so. A password that is not needed is not looked at.
    ///
    /// # Errors
    /// When the file is missing, open to others than its owner, no secret key, damaged, weakly encrypted, or encrypted
    /// and `password` is missing or wrong.
    pub fn load(
        world: &dyn World,
        path: &Path,
        password: Option<&Password>,
        weakest: Scrypt,
    ) -> Result<Self, TrustError> {
        let file = read(world, path)?;
        Self::open(&file, password, weakest).map_err(|problem| TrustError::KeyFile {
            path: path.to_owned(),
            problem,
        })
    }

    fn open(file: &[u8], password: Option<&Password>, weakest: Scrypt) -> Result<Self, KeyFileProblem> {
        let bytes = decode(file)?;
        let mut sealed = Zeroizing::new([0; SEALED]);
        sealed.copy_from_slice(&bytes[HEADER..]);
        let scrypt = scrypt_of(&bytes)?;
        if let Some(found) = scrypt {
            if !found.at_least(weakest) {
                return Err(KeyFileProblem::Weak {
                    found,
                    required: weakest,
                });
            }
            let password = password.ok_or(KeyFileProblem::NeedsPassword)?;
            let salt = array(&*bytes, 6);
            let mut stream = Zeroizing::new([0; SEALED]);
            found
                .derive(password.bytes(), &salt, &mut *stream)
                .map_err(KeyFileProblem::Malformed)?;
            sealed
                .iter_mut()
                .zip(stream.iter())
                .for_each(|(byte, mask)| *byte ^= mask);
        }
        let checksum: [u8; 32] = array(&*sealed, 72);
        // `minisign -G -W` leaves the checksum of a key without a password zero; that the two halves of the key fit
        // together is checked below in any case.
        let unset = scrypt.is_none() && checksum == [0; 32];
        if !unset && checksum != self::checksum(&sealed[..72]) {
            return Err(match scrypt {
                Some(_) => KeyFileProblem::WrongPassword,
                None => KeyFileProblem::Malformed("the checksum does not fit".to_owned()),
            });
        }
        let pair = Zeroizing::new(array::<64>(&*sealed, 8));
        let key = SigningKey::from_keypair_bytes(&pair).map_err(|_| {
            KeyFileProblem::Malformed("the secret and the public half do not fit together".to_owned())
        })?;
        Ok(Self::new(KeyId::from_file_bytes(array(&*sealed, 0)), key))
    }

    /// The file's content, encrypted where a password is given.
    pub(crate) fn to_file(
        &self,
        protection: Option<(&Password, Scrypt, [u8; 32])>,
    ) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut sealed = Zeroizing::new([0; SEALED]);
        let mut pair = self.key.to_keypair_bytes();
        sealed[..8].copy_from_slice(&self.id.file_bytes());
        sealed[8..72].copy_from_slice(&pair);
        pair.zeroize();
        let checksum = checksum(&sealed[..72]);
        sealed[72..].copy_from_slice(&checksum);

        let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH));
        let label = match protection {
            None => {
                bytes.extend_from_slice(b"Ed\0\0B2");
                bytes.extend_from_slice(&[0; 32 + 8 + 8]);
                "minisign secret key, not encrypted"
            }
            Some((password, scrypt, salt)) => {
                bytes.extend_from_slice(b"EdScB2");
                bytes.extend_from_slice(&salt);
                bytes.extend_from_slice(&scrypt.opslimit.to_le_bytes());
                bytes.extend_from_slice(&scrypt.memlimit.to_le_bytes());
                let mut stream = Zeroizing::new([0; SEALED]);
                scrypt.derive(password.bytes(), &salt, &mut *stream)?;
                sealed
                    .iter_mut()
                    .zip(stream.iter())
                    .for_each(|(byte, mask)| *byte ^= mask);
                "minisign encrypted secret key"
            }
        };
        bytes.extend_from_slice(&*sealed);
        let text = encoding::to_base64(&bytes);
        let mut file = Zeroizing::new(Vec::with_capacity(
            encoding::UNTRUSTED.len() + label.len() + text.len() + 2,
        ));
        for part in [encoding::UNTRUSTED, label, "\n", &text, "\n"] {
            file.extend_from_slice(part.as_bytes());
        }
        Ok(file)
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::new(self.id, self.key.verifying_key())
    }

    /// The Ed25519 signature of a message (RFC 8032, so the same message gives the same signature).
    pub(crate) fn ed25519(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

/// Checks a secret key file as far as that goes without its password: that it is there, closed to others, and a secret
/// key that is not weakly encrypted.
///
/// # Errors
/// As [`SecretKey::load`].
pub fn inspect_secret_key(
    world: &dyn World,
    path: &Path,
    weakest: Scrypt,
) -> Result<KeyFileInfo, TrustError> {
    let file = read(world, path)?;
    let info = decode(&file).and_then(|bytes| match scrypt_of(&bytes)? {
        Some(found) if !found.at_least(weakest) => Err(KeyFileProblem::Weak {
            found,
            required: weakest,
        }),
        scrypt => Ok(KeyFileInfo { scrypt }),
    });
    info.map_err(|problem| TrustError::KeyFile {
        path: path.to_owned(),
        problem,
    })
}

fn read(world: &dyn World, path: &Path) -> Result<Zeroizing<Vec<u8>>, TrustError> {
    use vrel_world::FileKind;
    let problem = |problem| TrustError::KeyFile {
        path: path.to_owned(),
        problem,
    };
    let wrong = |found| {
        problem(KeyFileProblem::WrongType {
            found,
            expected: FILE_TYPE,
        })
    };
    let metadata = world
        .fs()
        .metadata(path)?
        .ok_or_else(|| problem(KeyFileProblem::Missing))?;
    match metadata.kind {
        FileKind::File => {}
        FileKind::Directory => return Err(wrong("a directory")),
        FileKind::Other => return Err(wrong("a special file")),
    }
    if metadata.mode & 0o077 != 0 {
        return Err(problem(KeyFileProblem::Exposed { mode: metadata.mode }));
    }
    if metadata.len > MAX_FILE {
        return Err(wrong("a file of more than 4 KiB"));
    }
    Ok(Zeroizing::new(world.fs().read(path)?))
}

/// The decoded second line of a secret key file.
fn decode(file: &[u8]) -> Result<Zeroizing<[u8; LENGTH]>, KeyFileProblem> {
    match encoding_of(file) {
        Some(FILE_TYPE) => {}
        found => {
            let found = found.unwrap_or("no minisign file");
            return Err(KeyFileProblem::WrongType {
                found,
                expected: FILE_TYPE,
            });
        }
    }
    let [comment, key] = encoding::lines(file).map_err(KeyFileProblem::Malformed)?;
    encoding::comment(comment, encoding::UNTRUSTED, 1).map_err(KeyFileProblem::Malformed)?;
    let bytes = encoding::base64::<LENGTH>(key, 2).map_err(KeyFileProblem::Malformed)?;
    if bytes.starts_with(b"Ed") && &bytes[4..6] == b"B2" {
        Ok(bytes)
    } else {
        Err(KeyFileProblem::Malformed(
            "the algorithms are not Ed25519 and BLAKE2b".to_owned(),
        ))
    }
}

fn scrypt_of(bytes: &[u8; LENGTH]) -> Result<Option<Scrypt>, KeyFileProblem> {
    match &bytes[2..4] {
        b"\0\0" => Ok(None),
        b"Sc" => Ok(Some(Scrypt {
            opslimit: u64::from_le_bytes(array(bytes, 38)),
            memlimit: u64::from_le_bytes(array(bytes, 46)),
        })),
        _ => Err(KeyFileProblem::Malformed(
            "the key derivation is not scrypt".to_owned(),
        )),
    }
}

/// BLAKE2b-256 of the signature algorithm, the key id and the key.
fn checksum(id_and_key: &[u8]) -> [u8; 32] {
    let mut state = blake2b_simd::Params::new().hash_length(32).to_state();
    array(state.update(b"Ed").update(id_and_key).finalize().as_bytes(), 0)
}

/// `N` bytes from an offset, both of which are constants of the layout above.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}
