//! Making key pairs.

use crate::error::{KeyFileProblem, TrustError};
use crate::{Password, PublicKey, Scrypt, SecretKey, inspect_secret_key};
use ed25519_dalek::SigningKey;
use std::path::Path;
use vrel_model::{KeyId, KeyRole};
use vrel_world::{ErrorKind, World};
use zeroize::Zeroizing;

/// How a new secret key is protected where it lies.
#[derive(Debug, Clone, Copy)]
pub enum Protection<'a> {
    /// Encrypted with a password.
    Password {
        /// The password.
        password: &'a Password,
        /// How much a guess at it costs.
        scrypt: Scrypt,
    },
    /// By the file's mode alone. Only where a person asked for exactly this.
    FileModeOnly,
}

/// A key pair to make.
#[derive(Debug, Clone, Copy)]
pub struct NewKey<'a> {
    /// What the key is for.
    pub role: &'a KeyRole,
    /// Where the secret key goes, mode 0600.
    pub secret_file: &'a Path,
    /// Where the public key goes: `ROLE.pub` or `ROLE-SOMETHING.pub`.
    pub public_file: &'a Path,
    /// How the secret key is protected.
    pub protection: Protection<'a>,
}

/// A key pair that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedKey {
    /// The public key.
    pub public: PublicKey,
    /// The protection that the secret key's file records, read back from it; `None` when it is not encrypted. Belongs
    /// into the record of the ceremony.
    pub scrypt: Option<Scrypt>,
}

/// Makes a key pair and writes both files, the secret one first. Nothing is overwritten; when the second file cannot be
/// written the first is removed again.
///
/// # Errors
/// When a file is there already, the public file's name does not tell the role, the password is empty, the file does not
/// record the protection that was asked for, or as any write.
pub fn generate(world: &dyn World, new: &NewKey<'_>) -> Result<GeneratedKey, TrustError> {
    let problem = |path: &Path, problem| TrustError::KeyFile {
        path: path.to_owned(),
        problem,
    };
    let name = new
        .public_file
        .file_name()
        .and_then(|name| name.to_str())
        .and_then(|name| name.strip_suffix(".pub"));
    let rest = name.and_then(|name| name.strip_prefix(new.role.as_str()));
    if !rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('-') && rest.len() > 1)) {
        return Err(problem(
            new.public_file,
            KeyFileProblem::Name {
                role: new.role.clone(),
            },
        ));
    }
    for path in [new.secret_file, new.public_file] {
        if world.fs().metadata(path)?.is_some() {
            return Err(problem(path, KeyFileProblem::Exists));
        }
    }

    let mut random = Zeroizing::new([0; 32 + 8 + 32]);
    world.random(&mut *random)?;
    let (seed, id_and_salt) = random.split_at(32);
    let (id, salt) = id_and_salt.split_at(8);
    let mut key_seed = Zeroizing::new([0; 32]);
    key_seed.copy_from_slice(seed);
    let (mut key_id, mut key_salt) = ([0; 8], [0; 32]);
    key_id.copy_from_slice(id);
    key_salt.copy_from_slice(salt);
    let key = SecretKey::new(KeyId::from_file_bytes(key_id), SigningKey::from_bytes(&key_seed));

    let (protection, weakest) = match new.protection {
        Protection::FileModeOnly => (None, None),
        Protection::Password { password, .. } if password.bytes().is_empty() => {
            return Err(problem(new.secret_file, KeyFileProblem::EmptyPassword));
        }
        Protection::Password { password, scrypt } => (Some((password, scrypt, key_salt)), Some(scrypt)),
    };
    let malformed = |reason| problem(new.secret_file, KeyFileProblem::Malformed(reason));
    let file = key.to_file(protection).map_err(malformed)?;
    for path in [new.secret_file, new.public_file] {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            world.fs().create_dir_all(parent)?;
        }
    }
    world.fs().write(new.secret_file, &file, 0o600)?;

    // From here on the secret key lies on the disk: whatever goes wrong takes it away again, so that no key is left
    // whose public half nobody has.
    let finish = || {
        let written = inspect_secret_key(world, new.secret_file, weakest.unwrap_or(Scrypt::THROWAWAY))?;
        if written.scrypt != weakest {
            return Err(malformed(
                "it does not record the protection that was asked for".to_owned(),
            ));
        }
        let public = key.public_key();
        match world
            .fs()
            .create_new(new.public_file, public.to_file().as_bytes())
        {
            Ok(()) => Ok(GeneratedKey {
                public,
                scrypt: written.scrypt,
            }),
            Err(error) if error.kind == ErrorKind::Exists => {
                Err(problem(new.public_file, KeyFileProblem::Exists))
            }
            Err(error) => Err(error.into()),
        }
    };
    finish().inspect_err(|_| {
        // A failure of the removal would hide the one that matters.
        let _ = world.fs().remove_file(new.secret_file);
    })
}
