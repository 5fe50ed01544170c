//! Requests to the registry of names, and names.
//!
//! A program that serves something registers a name with the capability of an endpoint; who looks the name up gets one of
//! its own, with which it can only send, and whose badge is its process number. A name lies in three words, so the registry
//! needs no buffers of its clients. The badge of a request is the process number too.

use core::fmt;

/// Longest name in bytes.
pub const MAX_LEN: usize = 24;

/// Words that a name takes.
pub const WORDS: usize = 3;

/// Most names that a program may be allowed to provide.
pub const MAX_PROVIDED: usize = 8;

/// Registers a name. Words 0 to 2: the name; carries the capability of an endpoint without a badge. It stays registered until
/// the caller withdraws it or ends, or the endpoint ends. `PermissionDenied` for who was not allowed to provide the name,
/// `Exists` when it is taken, `BadArgument` when the capability is of no use, `NoSpace` when there are too many names.
pub const REGISTER: u32 = 80;
/// Looks a name up. Words 0 to 2: the name. The reply carries the capability, or is `NotFound`.
pub const LOOK_UP: u32 = 81;
/// As [`LOOK_UP`], but waits until the name is there. Only so many wait at a time, for a program and for all: the request that
/// has waited longest is answered with `Busy` when there are more, and can be made again.
pub const WAIT_FOR: u32 = 82;
/// Takes a name of the caller back. Words 0 to 2: the name. Capabilities that others got of it are deleted.
pub const WITHDRAW: u32 = 83;
/// Tells a name. Word 0: an index, 0 at first. Reply: words 0 to 2 the first name from there on, word 3 its owner's process
/// number plus 2^32 times the next index; `NotFound` at the end.
pub const LIST: u32 = 84;
/// From the process server: a process may provide a name. Words 0 to 2: the name, or 0 for every name; word 3: the process.
pub const ALLOW: u32 = 96;
/// From the process server: a process has ended. Word 0: its number.
pub const GONE: u32 = 97;

/// A name: 1 to [`MAX_LEN`] letters, digits, `-`, `_` and `.`, of which the last cannot be the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name([u8; MAX_LEN]);

impl Name {
    /// Checks a name.
    pub fn new(text: &str) -> Option<Self> {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if text.is_empty() || text.starts_with('.') || !text.bytes().all(fine) {
            return None;
        }
        let mut bytes = [0; MAX_LEN];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self(bytes))
    }

    /// Reads it from words of a message, which may be anything.
    pub fn from_words(words: [u64; WORDS]) -> Option<Self> {
        let mut bytes = [0; MAX_LEN];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let len = bytes.iter().position(|&byte| byte == 0).unwrap_or(MAX_LEN);
        let (text, rest) = bytes.split_at(len);
        if rest.iter().any(|&byte| byte != 0) {
            return None;
        }
        Self::new(core::str::from_utf8(text).ok()?)
    }

    /// The words of a message that it is.
    pub fn words(&self) -> [u64; WORDS] {
        let (words, _) = self.0.as_chunks::<8>();
        [0, 1, 2].map(|index| u64::from_le_bytes(words[index]))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|&byte| byte == 0).unwrap_or(MAX_LEN);
        // It was made of ASCII.
        core::str::from_utf8(&self.0[..len]).unwrap_or_default()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(out)
    }
}
