//! The public keys that are trusted, by role: the files of `signing/keys/`.

use crate::error::{KeyFileProblem, TrustError};
use crate::public_key::encoding_of;
use crate::{PublicKey, SecretKey, secret_key};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vrel_model::{KeyId, KeyRole, SigningPolicy};
use vrel_world::{FileKind, World};

/// The trusted public keys of every role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    dir: PathBuf,
    keys: BTreeMap<KeyRole, Vec<PublicKey>>,
}

/// Longer files are not looked at.
const MAX_FILE: u64 = 4096;

impl KeyRing {
    /// Reads every `*.pub` file of a directory. A file is of the role whose name it has, alone or followed by a hyphen
    /// and anything; where several roles fit, the longest. Other files are left alone, unless one is a secret key.
    /// Roles without a key are fine here; signing or verifying for them is not.
    ///
    /// # Errors
    /// When a file is malformed or of no role, a key stands there twice, or a secret key lies in the directory.
    pub fn load(world: &dyn World, dir: &Path, policy: &SigningPolicy) -> Result<Self, TrustError> {
        let mut files = Vec::new();
        for entry in world.fs().list(dir)? {
            let path = dir.join(&entry.name);
            let problem = |problem| TrustError::KeyFile {
                path: path.clone(),
                problem,
            };
            let stem = entry.name.strip_suffix(".pub");
            let size = match (entry.kind, world.fs().metadata(&path)?) {
                (FileKind::File, Some(metadata)) => metadata.len,
                _ if stem.is_some() => {
                    let found = "no regular file";
                    return Err(problem(KeyFileProblem::WrongType {
                        found,
                        expected: crate::public_key::FILE_TYPE,
                    }));
                }
                _ => continue,
            };
            if size > MAX_FILE && stem.is_none() {
                continue;
            }
            if size > MAX_FILE {
                let found = "a file of more than 4 KiB";
                return Err(problem(KeyFileProblem::WrongType {
                    found,
                    expected: crate::public_key::FILE_TYPE,
                }));
            }
            let content = zeroize::Zeroizing::new(world.fs().read(&path)?);
            if encoding_of(&content) == Some(secret_key::FILE_TYPE) {
                let problem_is = KeyFileProblem::WrongType {
                    found: "a minisign secret key, which must never lie here",
                    expected: "public keys only",
                };
                return Err(problem(problem_is));
            }
            let Some(stem) = stem else { continue };
            let role = role_of(stem, policy).ok_or_else(|| TrustError::NoRole {
                path: path.clone(),
                roles: policy.roles.keys().cloned().collect(),
            })?;
            let key = PublicKey::parse(&content).map_err(problem)?;
            files.push((path, role, key));
        }
        Self::from_files(dir, files)
    }

    fn from_files(dir: &Path, files: Vec<(PathBuf, KeyRole, PublicKey)>) -> Result<Self, TrustError> {
        let mut keys: BTreeMap<KeyRole, Vec<PublicKey>> = BTreeMap::new();
        for (index, (path, role, key)) in files.iter().enumerate() {
            let same =
                |other: &&(PathBuf, KeyRole, PublicKey)| other.2.id() == key.id() || other.2.same_point(key);
            if let Some((first, ..)) = files[..index].iter().find(same) {
                return Err(TrustError::DuplicateKey {
                    id: key.id(),
                    first: first.clone(),
                    second: path.clone(),
                });
            }
            keys.entry(role.clone()).or_default().push(key.clone());
        }
        Ok(Self {
            dir: dir.to_owned(),
            keys,
        })
    }

    /// The keys of a role, in the order of their files' names.
    #[must_use]
    pub fn keys(&self, role: &KeyRole) -> &[PublicKey] {
        self.keys.get(role).map_or(&[], Vec::as_slice)
    }

    /// All keys with their roles, sorted by role.
    pub fn iter(&self) -> impl Iterator<Item = (&KeyRole, &PublicKey)> {
        self.keys
            .iter()
            .flat_map(|(role, keys)| keys.iter().map(move |key| (role, key)))
    }

    /// The key of a role by its id.
    ///
    /// # Errors
    /// [`TrustError::NoKeys`] when the role has none at all.
    pub(crate) fn find(&self, role: &KeyRole, id: KeyId) -> Result<Option<&PublicKey>, TrustError> {
        match self.keys(role) {
            [] => Err(TrustError::NoKeys {
                role: role.clone(),
                dir: self.dir.clone(),
            }),
            keys => Ok(keys.iter().find(|key| key.id() == id)),
        }
    }

    pub(crate) fn ids(&self, role: &KeyRole) -> Vec<KeyId> {
        self.keys(role).iter().map(PublicKey::id).collect()
    }

    /// Makes sure that what a secret key signs will be accepted for a role. Signing with a wrong or an old key would
    /// succeed just as well.
    ///
    /// # Errors
    /// When the key's public half is not one of the role's keys.
    pub fn require(&self, role: &KeyRole, key: &SecretKey) -> Result<(), TrustError> {
        match self.find(role, key.id())? {
            Some(trusted) if *trusted == key.public_key() => Ok(()),
            _ => Err(TrustError::KeyNotTrusted {
                id: key.id(),
                role: role.clone(),
                trusted: self.ids(role),
            }),
        }
    }
}

fn role_of(stem: &str, policy: &SigningPolicy) -> Option<KeyRole> {
    let fits = |role: &&KeyRole| {
        stem.strip_prefix(role.as_str())
            .is_some_and(|rest| rest.is_empty() || (rest.starts_with('-') && rest.len() > 1))
    };
    policy
        .roles
        .keys()
        .filter(fits)
        .max_by_key(|role| role.as_str().len())
        .cloned()
}
