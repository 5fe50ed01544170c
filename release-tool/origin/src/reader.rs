//! Reading a published tree, wherever it is. Nothing that is read is trusted, not even to come to an end.

use crate::{ObjectPath, OriginError};
use std::io::{self, Read};
use vrel_model::Version;

/// The longest document (manifest, checksums, notes, pointer, signature) that is read into memory, in bytes.
pub const MAX_DOCUMENT: u64 = 4 << 20;

/// A place that a published tree is read from.
pub trait OriginReader: Send + Sync {
    /// Where it is, for messages.
    fn location(&self) -> String;

    /// A small object as a whole.
    ///
    /// # Errors
    /// [`OriginError::NotFound`]; [`OriginError::TooLong`] when it has more than `limit` bytes; or when it cannot be
    /// read.
    fn read(&self, object: &ObjectPath, limit: u64) -> Result<Vec<u8>, OriginError>;

    /// Opens an object of known length. The reader gives exactly so many bytes or fails, with an error from which
    /// [`origin_error`] takes the reason.
    ///
    /// # Errors
    /// [`OriginError::NotFound`], or when it cannot be read.
    fn open(&self, object: &ObjectPath, length: u64) -> Result<Box<dyn Read + Send + '_>, OriginError>;

    /// The names in a release's directory, hidden ones as well, sorted; `None` where names cannot be listed.
    ///
    /// # Errors
    /// When it cannot be read.
    fn list(&self, release: &Version) -> Result<Option<Vec<String>>, OriginError>;
}

/// Holds a reader to an exact length.
pub struct Stream<R> {
    reader: R,
    object: String,
    expected: u64,
    found: u64,
}

impl<R: Read> Stream<R> {
    /// A reader that must give `expected` bytes of `object`.
    pub fn new(reader: R, object: &str, expected: u64) -> Self {
        Self {
            reader,
            object: object.to_owned(),
            expected,
            found: 0,
        }
    }
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let left = self.expected - self.found;
        let count = if left == 0 {
            // One byte more than promised would go unnoticed if nobody asked for it.
            self.reader.read(&mut [0])?
        } else {
            let room = usize::try_from(left).unwrap_or(usize::MAX).min(out.len());
            self.reader.read(&mut out[..room])?
        };
        let object = || self.object.clone();
        match (left, count) {
            (0, 0) => Ok(0),
            (0, _) => Err(io_error(OriginError::TooLong {
                object: object(),
                expected: self.expected,
            })),
            (_, 0) => {
                let (expected, found) = (self.expected, self.found);
                Err(io_error(OriginError::TooShort {
                    object: object(),
                    expected,
                    found,
                }))
            }
            _ => {
                self.found += count as u64;
                Ok(count)
            }
        }
    }
}

/// Reads everything, up to a limit.
pub(crate) fn read_limited(reader: impl Read, object: &str, limit: u64) -> Result<Vec<u8>, OriginError> {
    let mut content = Vec::new();
    let read = reader.take(limit.saturating_add(1)).read_to_end(&mut content);
    read.map_err(|error| origin_error(object, error))?;
    if content.len() as u64 > limit {
        return Err(OriginError::TooLong {
            object: object.to_owned(),
            expected: limit,
        });
    }
    Ok(content)
}

/// Packs an error so that it passes through a [`Read`].
pub(crate) fn io_error(error: OriginError) -> io::Error {
    io::Error::other(error)
}

/// The reason why a reader of this crate failed.
#[must_use]
pub fn origin_error(object: &str, error: io::Error) -> OriginError {
    let reason = error.to_string();
    let inner = error
        .into_inner()
        .and_then(|inner| inner.downcast::<OriginError>().ok());
    inner.map_or(
        OriginError::Read {
            object: object.to_owned(),
            reason,
        },
        |inner| *inner,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(content: &[u8], expected: u64) -> Result<Vec<u8>, OriginError> {
        let mut out = Vec::new();
        match Stream::new(content, "x", expected).read_to_end(&mut out) {
            Ok(_) => Ok(out),
            Err(error) => Err(origin_error("x", error)),
        }
    }

    #[test]
    fn a_stream_has_exactly_its_length() {
        assert_eq!(all(b"abc", 3).unwrap(), b"abc");
        assert_eq!(all(b"", 0).unwrap(), b"");
        assert!(matches!(
            all(b"abc", 4),
            Err(OriginError::TooShort {
                expected: 4,
                found: 3,
                ..
            })
        ));
        assert!(matches!(
            all(b"abc", 2),
            Err(OriginError::TooLong { expected: 2, .. })
        ));
        assert!(matches!(all(b"a", 0), Err(OriginError::TooLong { .. })));
    }

    #[test]
    fn an_endless_document_ends_at_its_limit() {
        let error = read_limited(io::repeat(b' '), "x", 1000).unwrap_err();
        assert!(
            matches!(error, OriginError::TooLong { expected: 1000, .. }),
            "{error}"
        );
        assert_eq!(read_limited(&b"abc"[..], "x", 3).unwrap(), b"abc");
    }
}
