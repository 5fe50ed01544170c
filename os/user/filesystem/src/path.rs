//! Paths: what they are made of, and which are refused.

use crate::error::{Error, Result};

/// Longest name of an entry in bytes.
pub const MAX_NAME: usize = 255;

/// Longest path in bytes, and longest base that one is relative to.
pub const MAX_PATH: usize = 4096;

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// `.`
    Stay,
    /// `..`
    Up,
    /// To the entry with this name.
    Down(&'a str),
}

/// Checks bytes as a path.
pub(crate) fn check(bytes: &[u8]) -> Result<&str> {
    if bytes.len() > MAX_PATH {
        return Err(Error::NameTooLong);
    }
    let path = core::str::from_utf8(bytes).map_err(|_| Error::BadName)?;
    if path.contains('\0') {
        return Err(Error::BadName);
    }
    Ok(path)
}

/// The steps of a checked path. Doubled slashes count as one, and one at the end is no step.
pub(crate) fn steps(path: &str) -> impl DoubleEndedIterator<Item = Step<'_>> {
    path.split('/')
        .filter(|name| !name.is_empty())
        .map(|name| match name {
            "." => Step::Stay,
            ".." => Step::Up,
            name => Step::Down(name),
        })
}
