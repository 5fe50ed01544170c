//! The side that sends.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::ring::{
    READ, RECEIVER_CLOSED, RECEIVER_WAITS, Ring, SENDER_CLOSED, SENDER_WAITS, WRITTEN, words_of,
};
use crate::{Error, Wake, Word};

/// The side that sends. There must be one sender and one receiver in the memory's life.
#[derive(Debug)]
pub struct Sender<'a, W = AtomicU32> {
    ring: Ring<'a, W>,
    written: u32,
    /// As far as the receiver is known to have come.
    read: u32,
    broken: bool,
}

impl<'a, W: Word> Sender<'a, W> {
    /// The sender in this memory, of which the receiver has the same words. `None` when it is too small for messages.
    pub fn new(words: &'a [W]) -> Option<Self> {
        Some(Self {
            ring: Ring::new(words)?,
            written: 0,
            read: 0,
            broken: false,
        })
    }

    /// Bytes of the longest message.
    pub fn max_len(&self) -> usize {
        (self.ring.len() as usize - 1) * 4
    }

    /// Sends a message as a whole, or not at all.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::TooLong`], [`Error::Closed`], [`Error::Broken`].
    pub fn try_send(&mut self, message: &[u8]) -> Result<Wake, Error> {
        if message.len() > self.max_len() {
            return Err(Error::TooLong);
        }
        let words = words_of(message.len()) as u32;
        self.find_room(words)?;
        let length = self.ring.at(self.written);
        length.store(message.len() as u32, Ordering::Relaxed);
        let [first, second] = self
            .ring
            .span(self.ring.advance(self.written, 1), words as usize - 1);
        let (head, tail) = message.split_at(message.len().min(first.len() * 4));
        put(first, head);
        put(second, tail);
        self.written = self.ring.advance(self.written, words);
        self.ring.store(WRITTEN, self.written);
        Ok(self.ring.published(RECEIVER_WAITS))
    }

    /// Whether to wait for a notification now, because a message of `len` bytes cannot be sent. Otherwise there is
    /// something to be done, if only to learn of an error.
    pub fn prepare_to_wait(&mut self, len: usize) -> bool {
        self.ring.announce_wait(SENDER_WAITS);
        let waits = len <= self.max_len() && self.find_room(words_of(len) as u32) == Err(Error::Full);
        if !waits {
            self.ring.store(SENDER_WAITS, 0);
        }
        waits
    }

    /// Ends the channel. The receiver still gets what was sent.
    pub fn close(self) -> Wake {
        self.ring.store(SENDER_CLOSED, 1);
        self.ring.published(RECEIVER_WAITS)
    }

    fn find_room(&mut self, words: u32) -> Result<(), Error> {
        if self.broken {
            return Err(Error::Broken);
        }
        if self.ring.load(RECEIVER_CLOSED) != 0 {
            return Err(Error::Closed);
        }
        let used = |read| self.ring.distance(read, self.written);
        let Some(known) = used(self.read) else {
            unreachable!("own positions are in order");
        };
        if self.ring.len() - known >= words {
            return Ok(());
        }
        let read = self.ring.load(READ);
        // A receiver that goes back would make us overwrite nothing, but it does not know what it does.
        match used(read).filter(|&used| used <= known) {
            Some(used) => {
                self.read = read;
                if self.ring.len() - used >= words {
                    Ok(())
                } else {
                    Err(Error::Full)
                }
            }
            None => {
                self.broken = true;
                Err(Error::Broken)
            }
        }
    }
}

/// Writes bytes into as many words as they fill.
fn put<W: Word>(words: &[W], bytes: &[u8]) {
    let (whole, rest) = bytes.as_chunks::<4>();
    for (word, bytes) in words.iter().zip(whole) {
        word.store(u32::from_le_bytes(*bytes), Ordering::Relaxed);
    }
    if let Some(word) = words.get(whole.len())
        && !rest.is_empty()
    {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        word.store(u32::from_le_bytes(last), Ordering::Relaxed);
    }
}
