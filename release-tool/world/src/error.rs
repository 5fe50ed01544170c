//! What can go wrong between the tool and the machine.

use std::path::Path;

/// The result of an effect.
pub type Result<T> = std::result::Result<T, WorldError>;

/// A failed effect: what was tried, on what, and why it failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {action} {object}: {reason}")]
pub struct WorldError {
    /// What was tried, in words that follow "cannot".
    pub action: &'static str,
    /// On what: a path, a ref, a program.
    pub object: String,
    /// What the system said.
    pub reason: String,
    /// The situation, for code that reacts to it.
    pub kind: ErrorKind,
}

/// The situations that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no such thing.
    NotFound,
    /// It is there already.
    Exists,
    /// Permission denied.
    Denied,
    /// The file system is full, or a quota is used up.
    NoSpace,
    /// The file system cannot be written.
    ReadOnly,
    /// A person asked the program to stop.
    Interrupted,
    /// The remote refused a push because a ref is not what was expected.
    Rejected,
    /// Anything else.
    Other,
}

impl WorldError {
    /// An error of the tool's own making.
    #[must_use]
    pub fn new(
        action: &'static str,
        object: impl Into<String>,
        kind: ErrorKind,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            action,
            object: object.into(),
            reason: reason.into(),
            kind,
        }
    }

    /// From an input/output error on a path.
    #[must_use]
    pub fn io(action: &'static str, path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match error.kind() {
            Io::NotFound => ErrorKind::NotFound,
            Io::AlreadyExists => ErrorKind::Exists,
            Io::PermissionDenied => ErrorKind::Denied,
            Io::StorageFull | Io::QuotaExceeded => ErrorKind::NoSpace,
            Io::ReadOnlyFilesystem => ErrorKind::ReadOnly,
            _ => ErrorKind::Other,
        };
        Self::new(action, path.display().to_string(), kind, error.to_string())
    }
}
