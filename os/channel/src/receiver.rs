//! The side that receives.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::ring::{
    READ, RECEIVER_CLOSED, RECEIVER_WAITS, Ring, SENDER_CLOSED, SENDER_WAITS, WRITTEN, words_of,
};
use crate::{Error, Wake, Word};

/// The side that receives. There must be one sender and one receiver in the memory's life.
#[derive(Debug)]
pub struct Receiver<'a, W = AtomicU32> {
    ring: Ring<'a, W>,
    read: u32,
    /// As far as the sender is known to have come.
    written: u32,
    broken: bool,
}

impl<'a, W: Word> Receiver<'a, W> {
    /// The receiver in this memory, of which the sender has the same words. `None` when it is too small for messages.
    pub fn new(words: &'a [W]) -> Option<Self> {
        Some(Self {
            ring: Ring::new(words)?,
            read: 0,
            written: 0,
            broken: false,
        })
    }

    /// Bytes of the longest message.
    pub fn max_len(&self) -> usize {
        (self.ring.len() as usize - 1) * 4
    }

    /// Length in bytes of the next message. A hostile sender may change it before it is received.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Closed`], [`Error::Broken`].
    pub fn next_len(&mut self) -> Result<usize, Error> {
        let available = self.find_message()?;
        let len = self.ring.at(self.read).load(Ordering::Relaxed) as usize;
        if len > self.max_len() || words_of(len) > available as usize {
            return Err(self.give_up());
        }
        Ok(len)
    }

    /// Receives a message into the start of `buffer`; says how long it is.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::BufferTooShort`], [`Error::Closed`], [`Error::Broken`].
    pub fn try_receive(&mut self, buffer: &mut [u8]) -> Result<(usize, Wake), Error> {
        let len = self.next_len()?;
        let buffer = buffer.get_mut(..len).ok_or(Error::BufferTooShort { len })?;
        let body = self.ring.advance(self.read, 1);
        let [first, second] = self.ring.span(body, words_of(len) - 1);
        let (head, tail) = buffer.split_at_mut(len.min(first.len() * 4));
        take(first, head);
        take(second, tail);
        Ok((len, self.step_over(len)))
    }

    /// Drops the next message.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Closed`], [`Error::Broken`].
    pub fn skip(&mut self) -> Result<Wake, Error> {
        let len = self.next_len()?;
        Ok(self.step_over(len))
    }

    /// Whether to wait for a notification now, because there is no message. Otherwise there is something to be done, if
    /// only to learn of an error.
    pub fn prepare_to_wait(&mut self) -> bool {
        self.ring.announce_wait(RECEIVER_WAITS);
        let waits = self.find_message() == Err(Error::Empty);
        if !waits {
            self.ring.store(RECEIVER_WAITS, 0);
        }
        waits
    }

    /// Ends the channel. What has not been received is lost.
    pub fn close(self) -> Wake {
        self.ring.store(RECEIVER_CLOSED, 1);
        self.ring.published(SENDER_WAITS)
    }

    fn step_over(&mut self, len: usize) -> Wake {
        self.read = self.ring.advance(self.read, words_of(len) as u32);
        self.ring.store(READ, self.read);
        self.ring.published(SENDER_WAITS)
    }

    fn give_up(&mut self) -> Error {
        self.broken = true;
        Error::Broken
    }

    /// How many words there are to read.
    fn find_message(&mut self) -> Result<u32, Error> {
        if self.broken {
            return Err(Error::Broken);
        }
        let mut available = self.look()?;
        if available == 0 {
            if self.ring.load(SENDER_CLOSED) == 0 {
                return Err(Error::Empty);
            }
            // Whatever was sent before it was closed can be seen now.
            available = self.look()?;
            if available == 0 {
                return Err(Error::Closed);
            }
        }
        Ok(available)
    }

    fn look(&mut self) -> Result<u32, Error> {
        let available = |written| self.ring.distance(self.read, written);
        let Some(known) = available(self.written) else {
            unreachable!("own positions are in order");
        };
        if known > 0 {
            return Ok(known);
        }
        let written = self.ring.load(WRITTEN);
        match available(written) {
            Some(words) => {
                self.written = written;
                Ok(words)
            }
            None => Err(self.give_up()),
        }
    }
}

/// Reads bytes from as many words as they fill.
fn take<W: Word>(words: &[W], bytes: &mut [u8]) {
    let (whole, rest) = bytes.as_chunks_mut::<4>();
    let count = whole.len();
    for (word, bytes) in words.iter().zip(whole) {
        *bytes = word.load(Ordering::Relaxed).to_le_bytes();
    }
    if let Some(word) = words.get(count) {
        let last = word.load(Ordering::Relaxed).to_le_bytes();
        rest.copy_from_slice(&last[..rest.len()]);
    }
}
