//! Why a key, a signature or a document is not accepted.

use crate::{EnvelopeProblem, ProvenanceProblem, SbomProblem, Scrypt, SignatureError};
use std::fmt;
use std::path::PathBuf;
use vrel_model::{KeyId, KeyRole, PersonId, PointerError, StatementError, UtcTime};
use vrel_world::WorldError;

/// Why a key, a signature or a document is not accepted: the object, what was expected, what was found.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// An effect failed.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A key file is not usable.
    #[error("key file {}: {problem}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: KeyFileProblem,
    },
    /// Two public key files hold the same key, or keys of the same id.
    #[error("key {id} stands in {} and in {}; a key has one file and one role", first.display(), second.display())]
    DuplicateKey {
        /// The key's id.
        id: KeyId,
        /// The file that was read first.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// A public key file whose name tells no role.
    #[error("key file {}: the name begins with no role of the signing policy; roles are {}", path.display(), list(roles))]
    NoRole {
        /// The file.
        path: PathBuf,
        /// The roles that there are.
        roles: Vec<KeyRole>,
    },
    /// No public key at all for a role.
    #[error("there is no public key for the role `{role}` in {}", dir.display())]
    NoKeys {
        /// The role.
        role: KeyRole,
        /// Where keys are looked for.
        dir: PathBuf,
    },
    /// A secret key that must not sign for a role, because nobody would accept its signatures.
    #[error(
        "key {id} is not trusted for the role `{role}`; trusted are {}",
        list(trusted)
    )]
    KeyNotTrusted {
        /// The key.
        id: KeyId,
        /// The role it should sign for.
        role: KeyRole,
        /// The keys of that role.
        trusted: Vec<KeyId>,
    },
    /// A signature file that is not of the one accepted form.
    #[error("signature of {file}: {problem}")]
    Signature {
        /// The signed file.
        file: String,
        /// What is wrong.
        problem: SignatureError,
    },
    /// A signature by a key that is not one of the role's.
    #[error(
        "{file} is signed by key {id}, which is not trusted for the role `{role}`; trusted are {}",
        list(trusted)
    )]
    UnknownKey {
        /// The signed file.
        file: String,
        /// The key that the signature names.
        id: KeyId,
        /// The role.
        role: KeyRole,
        /// The keys of that role.
        trusted: Vec<KeyId>,
    },
    /// The signature does not fit the content.
    #[error(
        "{file}: the signature of key {id} does not fit the content: the file or its signature was changed"
    )]
    BadSignature {
        /// The signed file.
        file: String,
        /// The key.
        id: KeyId,
    },
    /// The signature fits the content, but its comment was exchanged.
    #[error("signature of {file}: its trusted comment was not signed by key {id}")]
    BadComment {
        /// The signed file.
        file: String,
        /// The key.
        id: KeyId,
    },
    /// A person's statement that is signed by a key which is not theirs.
    #[error("{file} is signed by key {id}, which is not the key in signing/people/{person}.toml")]
    NotTheirKey {
        /// The statement.
        file: String,
        /// Who is said to have signed.
        person: PersonId,
        /// The key that the signature names.
        id: KeyId,
    },
    /// A person's signature that was made for another statement.
    #[error("the signature of {file} states `{}`, expected `{expected}`", found.escape_debug())]
    PersonalComment {
        /// The statement.
        file: String,
        /// What belongs to this statement.
        expected: String,
        /// What was signed.
        found: String,
    },
    /// The trusted comment is not a statement.
    #[error("signature of {file}: {problem}")]
    Statement {
        /// The signed file.
        file: String,
        /// What is wrong.
        problem: StatementError,
    },
    /// A good signature of something else than what was asked for.
    #[error(
        "signature of {file} states something else than what was asked for: {}",
        list(mismatches)
    )]
    Mismatch {
        /// The file that was asked for.
        file: String,
        /// Every field that differs.
        mismatches: Vec<FieldMismatch>,
    },
    /// An envelope that cannot be made or trusted.
    #[error("{file}: {problem}")]
    Envelope {
        /// The envelope's file.
        file: String,
        /// What is wrong.
        problem: EnvelopeProblem,
    },
    /// A bill of materials that cannot be made or read.
    #[error(transparent)]
    Sbom(#[from] SbomProblem),
    /// A provenance statement that cannot be made or read.
    #[error(transparent)]
    Provenance(#[from] ProvenanceProblem),
    /// A statement that cannot be written as a comment, or would not be read back as the same.
    #[error("cannot sign {file}: {reason}")]
    Unsignable {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A pointer that is not of the known form.
    #[error(transparent)]
    Pointer(#[from] PointerError),
    /// A pointer without any signature.
    #[error("the pointer carries no signature")]
    PointerUnsigned,
    /// A pointer whose signature was made for another one.
    #[error("the pointer's signature states `{found}`, expected `{expected}`")]
    PointerComment {
        /// What belongs to this pointer.
        expected: String,
        /// What was signed.
        found: String,
    },
    /// A pointer of something else.
    #[error("the pointer is of the product `{found}`, expected `{expected}`")]
    PointerProduct {
        /// The product that was asked for.
        expected: String,
        /// The pointer's.
        found: String,
    },
    /// A pointer that is too old to be believed.
    #[error("the pointer (version {version}) expired at {expires}; it is {now} now")]
    PointerExpired {
        /// The pointer's version.
        version: u64,
        /// From when it must not be believed.
        expires: UtcTime,
        /// The time of the check.
        now: UtcTime,
    },
    /// A pointer that says that it was made later than now.
    #[error("the pointer (version {version}) says that it was issued at {issued}, but it is {now} now")]
    PointerFromTheFuture {
        /// The pointer's version.
        version: u64,
        /// When it says it was made.
        issued: UtcTime,
        /// The time of the check.
        now: UtcTime,
    },
}

/// What is wrong with a key file. Nothing of the file's content is ever part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileProblem {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// The name is taken.
    #[error("there is a file of that name already; keys are never overwritten")]
    Exists,
    /// Others than the owner can use the secret key.
    #[error("its mode is {mode:04o}: others than its owner can read or change it; expected 0600")]
    Exposed {
        /// The permission bits.
        mode: u32,
    },
    /// Another kind of file.
    #[error("this is {found}, expected {expected}")]
    WrongType {
        /// What it looks like.
        found: &'static str,
        /// What should be there.
        expected: &'static str,
    },
    /// The right kind of file, damaged.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Encrypted, and no password was given.
    #[error("the secret key is encrypted and no password was given")]
    NeedsPassword,
    /// The password does not fit.
    #[error("wrong password")]
    WrongPassword,
    /// A password that protects nothing.
    #[error("an empty password protects nothing")]
    EmptyPassword,
    /// The password is too cheap to guess.
    #[error("weakly protected: {found}, expected at least {required}")]
    Weak {
        /// What the file says.
        found: Scrypt,
        /// What is asked for.
        required: Scrypt,
    },
    /// A public key that anybody can sign for.
    #[error("the public key is a weak point of the curve: anybody can make signatures that fit it")]
    WeakPoint,
    /// A name that does not say what role the key has.
    #[error("the name of a public key for the role `{role}` is `{role}.pub` or `{role}-SOMETHING.pub`")]
    Name {
        /// The role.
        role: KeyRole,
    },
}

/// A field of a statement that differs from what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMismatch {
    /// The field's name, as in the comment.
    pub field: &'static str,
    /// What was asked for.
    pub expected: String,
    /// What was signed.
    pub found: String,
}

impl fmt::Display for FieldMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is `{}`, expected `{}`",
            self.field, self.found, self.expected
        )
    }
}

impl TrustError {
    /// What a person can do about it, in one line, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::KeyFile { path, problem } => return problem.hint(path),
            Self::KeyNotTrusted { role, .. } => format!(
                "use the secret key of one of them, or put this key's public file into the keys directory as `{role}-SOMETHING.pub` and commit it"
            ),
            Self::NoKeys { role, .. } => format!("make one with `vrel keys generate {role}`"),
            Self::NoRole { .. } => "name the file `ROLE.pub` or `ROLE-SOMETHING.pub`".into(),
            Self::PointerExpired { .. } => {
                "either this machine's clock is wrong, or somebody withholds newer pointers, or the origin is no longer cared for".into()
            }
            Self::PointerFromTheFuture { .. } => "check this machine's clock".into(),
            _ => return None,
        };
        Some(text)
    }
}

impl KeyFileProblem {
    fn hint(&self, path: &std::path::Path) -> Option<String> {
        let path = path.display();
        Some(match self {
            Self::Missing => {
                format!("make a key with `vrel keys generate`, or name the right file instead of {path}")
            }
            Self::Exposed { .. } => {
                format!("chmod 600 {path}; where others may have read it, replace the key instead")
            }
            Self::NeedsPassword => "give the password through a file, the environment or the prompt".into(),
            Self::Weak { .. } => format!(
                "encrypt it again with `minisign -C -s {path}` on a machine with 2 GiB of free memory"
            ),
            Self::Exists => "choose another name, or move the old key away first".into(),
            _ => return None,
        })
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
