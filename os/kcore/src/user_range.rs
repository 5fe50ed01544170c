//! Ranges of user memory that a program names: checked against the address space's layout before anything looks at them.

use abi::layout::{PAGE_SIZE, USER_END};
use abi::{Error, UserBuffer, UserBytes};

/// A range that lies in user space as a whole. Whether it is mapped is another question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserRange {
    start: u64,
    len: u64,
}

/// The part of a range that lies in one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PagePart {
    /// Virtual address of the first byte.
    pub start: u64,
    /// How many bytes: 1 to 4096.
    pub len: usize,
    /// Where the part begins in the whole range.
    pub offset: usize,
}

impl UserRange {
    /// Checks a range of `len` bytes.
    ///
    /// # Errors
    /// [`Error::BadLength`] when it is longer than `max` bytes, [`Error::BadAddress`] when it wraps around or leaves user
    /// space. An empty range passes wherever it points: nothing of it is ever accessed.
    pub fn new(start: u64, len: u64, max: usize) -> Result<Self, Error> {
        if len > max as u64 {
            return Err(Error::BadLength);
        }
        match start.checked_add(len) {
            Some(end) if end <= USER_END || len == 0 => Ok(Self { start, len }),
            None if len == 0 => Ok(Self { start, len }),
            _ => Err(Error::BadAddress),
        }
    }

    /// [`Self::new`] for memory that the kernel reads.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of_bytes(bytes: UserBytes, max: usize) -> Result<Self, Error> {
        Self::new(bytes.addr, bytes.len, max)
    }

    /// [`Self::new`] for memory that the kernel writes to.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of_buffer(buffer: UserBuffer, max: usize) -> Result<Self, Error> {
        Self::new(buffer.addr, buffer.len, max)
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Whether there is nothing in it.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The first `len` bytes of the range, or all of it when it is shorter.
    pub fn prefix(self, len: usize) -> Self {
        Self {
            start: self.start,
            len: self.len.min(len as u64),
        }
    }

    /// Cuts the range at page boundaries.
    pub fn pages(self) -> impl Iterator<Item = PagePart> {
        let mut done = 0;
        core::iter::from_fn(move || {
            let left = self.len - done;
            let start = self.start.wrapping_add(done);
            let len = left.min(PAGE_SIZE - start % PAGE_SIZE);
            let part = PagePart {
                start,
                len: len as usize,
                offset: done as usize,
            };
            done += len;
            (len > 0).then_some(part)
        })
    }
}
