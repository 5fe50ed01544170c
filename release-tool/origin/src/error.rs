//! What can go wrong with a published tree.

use crate::ObjectPathError;
use vrel_model::Sha256Digest;
use vrel_trust::TrustError;
use vrel_world::{ErrorKind, WorldError};

/// What can go wrong with a published tree: where, with what, expected, found.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// An effect failed.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A key or signature is not accepted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A name that no published object can have.
    #[error(transparent)]
    Path(#[from] ObjectPathError),
    /// There is no tree. Never answered by making one unasked: a mistyped path would start a second history at 1.
    #[error("there is no origin at {origin}: {reason}")]
    NoOrigin {
        /// Where it should be.
        origin: String,
        /// What is there instead.
        reason: &'static str,
    },
    /// The tree cannot be written.
    #[error("the origin {origin} cannot be written: {reason}")]
    ReadOnly {
        /// Where it is.
        origin: String,
        /// What the system said.
        reason: String,
    },
    /// A published name would get another content.
    #[error(
        "{object} is published already with other content: sha256 {existing}, and now {new}; published files never change"
    )]
    Immutable {
        /// The object.
        object: String,
        /// What is there.
        existing: Sha256Digest,
        /// What should have been put there.
        new: Sha256Digest,
    },
    /// The pointer is not the one that the new one was made from.
    #[error(
        "the pointer was changed by somebody else: expected {}, found {}",
        named(expected),
        named(found)
    )]
    PointerMoved {
        /// The digest of the pointer that was built on, or none.
        expected: Option<Sha256Digest>,
        /// The digest of the one that is there, or none.
        found: Option<Sha256Digest>,
    },
    /// A pointer's version does not follow its predecessor's.
    #[error("a pointer of version {new} cannot follow version {previous}; expected {}", previous + 1)]
    PointerVersion {
        /// The version that is there, 0 for none.
        previous: u64,
        /// The new one's.
        new: u64,
    },
    /// Somebody else is replacing the pointer right now.
    #[error("the pointer of {origin} is being replaced by {holder}")]
    Locked {
        /// Where it is.
        origin: String,
        /// What the holder of the lock says of itself.
        holder: String,
    },
    /// There is no such object.
    #[error("{origin} has no {object}")]
    NotFound {
        /// Where it was looked for.
        origin: String,
        /// The object.
        object: String,
    },
    /// More bytes than there may be.
    #[error("{object} is longer than {expected} bytes; the rest was not read")]
    TooLong {
        /// The object.
        object: String,
        /// How many there may be.
        expected: u64,
    },
    /// Fewer bytes than there must be.
    #[error("{object} ends after {found} bytes, expected {expected}")]
    TooShort {
        /// The object.
        object: String,
        /// How many there must be.
        expected: u64,
        /// How many came.
        found: u64,
    },
    /// Reading failed on the way.
    #[error("cannot read {object}: {reason}")]
    Read {
        /// The object.
        object: String,
        /// What the system or the network said.
        reason: String,
    },
    /// A server answered with something else than the object.
    #[error("{url} answered with status {status}, expected 200")]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The address is not usable.
    #[error("`{url}` is not the address of an origin: {reason}")]
    Address {
        /// The address.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The server does not send, or not fast enough to come to an end.
    #[error("{url} is too slow: {bytes} bytes in {seconds} seconds, expected at least {expected}")]
    Stalled {
        /// The address.
        url: String,
        /// How many bytes came in the last span of time.
        bytes: u64,
        /// The span.
        seconds: f64,
        /// How many must come at least.
        expected: u64,
    },
    /// A container image that cannot be pushed.
    #[error("{archive} is not a container image: {problem}")]
    ImageArchive {
        /// The file.
        archive: String,
        /// What was expected and found.
        problem: String,
    },
    /// A text that names no repository of a registry.
    #[error("`{address}` does not name a repository of a registry: {reason}")]
    Repository {
        /// The text.
        address: String,
        /// Why not.
        reason: String,
    },
    /// A registry does not let this client in.
    #[error("{repository} refuses {action}: {reason}")]
    RegistryDenied {
        /// Registry and repository.
        repository: String,
        /// What was asked for.
        action: String,
        /// What the registry said.
        reason: String,
    },
    /// There is no registry to speak with.
    #[error("{repository} cannot be reached for {action}: {reason}")]
    RegistryUnreachable {
        /// Registry and repository.
        repository: String,
        /// What was asked for.
        action: String,
        /// What the network said.
        reason: String,
    },
    /// A registry answered with an error.
    #[error("{repository} failed at {action}: {reason}")]
    RegistryFailed {
        /// Registry and repository.
        repository: String,
        /// What was asked for.
        action: String,
        /// What the registry said.
        reason: String,
    },
    /// A registry has something else than what was pushed.
    #[error("{object}: expected sha256 {expected}, got {found}")]
    RegistryDigest {
        /// Registry and repository, and what was looked at.
        object: String,
        /// The digest that it must have.
        expected: Sha256Digest,
        /// What it has.
        found: String,
    },
    /// A document that cannot be understood.
    #[error("{object}: {reason}")]
    Document {
        /// The object.
        object: String,
        /// Why not.
        reason: String,
    },
}

fn named(digest: &Option<Sha256Digest>) -> String {
    digest.map_or("none".to_owned(), |digest| format!("sha256 {digest}"))
}

impl OriginError {
    /// What a person can do about it, in one line, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Trust(error) => return error.hint(),
            Self::NoOrigin { .. } => "check the path; a new origin is made only when asked for (`--init`)",
            Self::ReadOnly { .. } => {
                "check the owner and mode of the directory and how its file system is mounted"
            }
            Self::PointerMoved { .. } => {
                "run the release again: it starts from the pointer that is there now"
            }
            Self::ImageArchive { .. } => "build the artifact again",
            Self::Repository { .. } => {
                "name host and repository, for example `registry.example.org/veridianos/veridianos`"
            }
            Self::RegistryDenied { .. } => {
                "check user and password, and that this user may push to the repository"
            }
            Self::RegistryUnreachable { .. } => "check the registry's name and the network, and try again",
            Self::RegistryDigest { .. } => "do not announce it: ask who runs the registry, then push again",
            Self::Immutable { .. } => {
                "cut a new version instead; a version that was published once is used up"
            }
            Self::Stalled { .. } => "try again, or another mirror",
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// Whether a person asked the program to stop.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::World(error) if error.kind == ErrorKind::Interrupted)
    }
}
