//! The shared words, and positions in them.

use core::sync::atomic::Ordering;

use crate::{Wake, Word};

/// How many words are not for messages. The two sides' words are in different cache lines.
pub const HEADER_WORDS: usize = 32;
/// Position behind the last message.
pub(crate) const WRITTEN: usize = 0;
pub(crate) const SENDER_CLOSED: usize = 1;
pub(crate) const SENDER_WAITS: usize = 2;
/// Position of the next message.
pub(crate) const READ: usize = 16;
pub(crate) const RECEIVER_CLOSED: usize = 17;
pub(crate) const RECEIVER_WAITS: usize = 18;

/// Rings are at most this long, so that positions and lengths in bytes fit into words.
const MAX_WORDS: usize = 1 << 28;

#[derive(Debug)]
pub(crate) struct Ring<'a, W> {
    header: &'a [W],
    words: &'a [W],
}

impl<'a, W: Word> Ring<'a, W> {
    /// `None` when there is no room for a message.
    pub(crate) fn new(words: &'a [W]) -> Option<Self> {
        let (header, words) = words.split_at_checked(HEADER_WORDS)?;
        let words = &words[..words.len().min(MAX_WORDS)];
        (words.len() >= 2).then_some(Self { header, words })
    }

    pub(crate) fn len(&self) -> u32 {
        self.words.len() as u32
    }

    pub(crate) fn load(&self, word: usize) -> u32 {
        self.header[word].load(Ordering::Acquire)
    }

    pub(crate) fn store(&self, word: usize, value: u32) {
        self.header[word].store(value, Ordering::Release);
    }

    /// The word at a position. Every number is one, in a sense: no value can lead outside.
    pub(crate) fn at(&self, position: u32) -> &W {
        &self.words[(position % self.len()) as usize]
    }

    /// The words from a position on, which may go on at the ring's start: `count` is at most the ring's length.
    pub(crate) fn span(&self, position: u32, count: usize) -> [&'a [W]; 2] {
        let (start, end) = self.words.split_at((position % self.len()) as usize);
        let in_end = count.min(end.len());
        [&end[..in_end], &start[..(count - in_end).min(start.len())]]
    }

    /// The position `words` further. Both are below twice the length.
    pub(crate) fn advance(&self, position: u32, words: u32) -> u32 {
        (position + words) % (2 * self.len())
    }

    /// How many words there are from one position to another; `None` when these cannot be positions.
    pub(crate) fn distance(&self, from: u32, to: u32) -> Option<u32> {
        let around = 2 * self.len();
        if from >= around || to >= around {
            return None;
        }
        let distance = if to >= from { to - from } else { to + around - from };
        (distance <= self.len()).then_some(distance)
    }

    /// To be called after having published something: whether the side that waits by this word has to hear of it.
    pub(crate) fn published(&self, waits: usize) -> Wake {
        // Either this sees that the peer waits, or the peer, which has a fence between saying so and looking again, sees
        // what was published.
        W::fence();
        if self.header[waits].load(Ordering::Relaxed) != 0
            && self.header[waits].swap(0, Ordering::Relaxed) != 0
        {
            Wake::Peer
        } else {
            Wake::Nobody
        }
    }

    /// Says that this side will wait; what the peer has published has to be looked at once more after this.
    pub(crate) fn announce_wait(&self, waits: usize) {
        self.header[waits].store(1, Ordering::Relaxed);
        W::fence();
    }
}

/// How many words a message of that many bytes takes.
pub(crate) fn words_of(len: usize) -> usize {
    1 + len.div_ceil(4)
}
