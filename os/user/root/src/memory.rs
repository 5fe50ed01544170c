//! Memory in chunks: untyped objects of one size.

use alloc::vec::Vec;

use abi::Error;
use abi::start::{kind, slot};

use crate::slots::Slots;

/// Size of a chunk in bytes.
pub const CHUNK: u64 = 64 << 10;

/// All memory that is not in use, in chunks.
#[derive(Debug)]
pub struct Chunks {
    /// Slots of chunks of which nothing is made.
    free: Vec<u64>,
    /// Slots of the untyped objects that chunks are cut from, and the first one that may have room.
    sources: core::ops::Range<u64>,
}

impl Chunks {
    /// All memory that the first program got, as `untyped` objects.
    pub fn new(untyped: u64) -> Self {
        Self {
            free: Vec::new(),
            sources: slot::UNTYPED..slot::UNTYPED + untyped,
        }
    }

    /// Takes a chunk: a slot with an untyped of [`CHUNK`] bytes.
    ///
    /// # Errors
    /// When memory or slots are used up.
    pub fn take(&mut self, slots: &mut Slots) -> Result<u64, Error> {
        if let Some(chunk) = self.free.pop() {
            return Ok(chunk);
        }
        let at = slots.take().ok_or(Error::TooMany)?;
        while !self.sources.is_empty() {
            match syscall::retype(self.sources.start, kind::UNTYPED, CHUNK, 1, 0, at) {
                Ok(_) => return Ok(at),
                Err(Error::NoMemory) => self.sources.start += 1,
                Err(error) => {
                    slots.give_back(at);
                    return Err(error);
                }
            }
        }
        slots.give_back(at);
        Err(Error::NoMemory)
    }

    /// Ends everything that was made of a chunk, and takes it back.
    pub fn give_back(&mut self, chunk: u64) {
        // The slot was this program's to begin with; without it there is nothing to take back.
        if syscall::capability_revoke(0, chunk).is_ok() {
            self.free.push(chunk);
        }
    }

    /// Bytes that are free.
    pub fn free(&self) -> u64 {
        let uncut: u64 = self
            .sources
            .clone()
            .map(|source| syscall::untyped_free(source).unwrap_or(0))
            .sum();
        uncut + self.free.len() as u64 * CHUNK
    }
}
