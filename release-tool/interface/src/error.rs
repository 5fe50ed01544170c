//! Why an interface cannot be read.

use crate::Place;

/// Sources that the extractor does not understand, or that are not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct InterfaceError {
    /// The file and line.
    pub place: Place,
    /// What was expected and what was found.
    pub reason: String,
}

impl InterfaceError {
    pub(crate) fn new(place: Place, reason: impl Into<String>) -> Self {
        Self {
            place,
            reason: reason.into(),
        }
    }
}
