//! A set of small numbers that finds its smallest member in a few steps: a bitmap with summaries.
//!
//! Level 0 has one bit for each member. A bit of the next level says that a word of the level below is not zero. With
//! 64-bit words, four levels reach 16 million members, so every operation touches a handful of words.

const WORD: usize = u64::BITS as usize;

/// The shape of a set of numbers below `len`. Its words live in storage that the caller keeps, all zero at first.
#[derive(Clone, Copy, Debug)]
pub struct BitTree {
    len: usize,
}

impl BitTree {
    /// A set of numbers below `len`.
    pub const fn new(len: usize) -> Self {
        Self { len }
    }

    /// How many words of storage the set needs.
    pub const fn words(self) -> usize {
        let mut level = self.len.div_ceil(WORD);
        let mut total = level;
        while level > 1 {
            level = level.div_ceil(WORD);
            total += level;
        }
        total
    }

    /// Whether `member` is in the set.
    pub fn contains(self, words: &[u64], member: usize) -> bool {
        member < self.len && words[member / WORD] >> (member % WORD) & 1 != 0
    }

    /// Whether a number in `start..end` is in the set.
    pub fn contains_any(self, words: &[u64], start: usize, end: usize) -> bool {
        let end = end.min(self.len);
        let mut at = start;
        while at < end {
            let take = (WORD - at % WORD).min(end - at);
            let mask = (u64::MAX >> (WORD - take)) << (at % WORD);
            if words[at / WORD] & mask != 0 {
                return true;
            }
            at += take;
        }
        false
    }

    /// Puts `member` into the set.
    ///
    /// # Panics
    /// When `member` is not below the set's length.
    pub fn insert(self, words: &mut [u64], member: usize) {
        assert!(member < self.len, "bit {member} of {}", self.len);
        let (mut base, mut level, mut at) = (0, self.len.div_ceil(WORD), member);
        loop {
            let word = &mut words[base + at / WORD];
            let was_empty = *word == 0;
            *word |= 1 << (at % WORD);
            if !was_empty || level == 1 {
                return;
            }
            at /= WORD;
            base += level;
            level = level.div_ceil(WORD);
        }
    }

    /// Takes `member` out of the set.
    ///
    /// # Panics
    /// When `member` is not below the set's length.
    pub fn remove(self, words: &mut [u64], member: usize) {
        assert!(member < self.len, "bit {member} of {}", self.len);
        let (mut base, mut level, mut at) = (0, self.len.div_ceil(WORD), member);
        loop {
            let word = &mut words[base + at / WORD];
            *word &= !(1 << (at % WORD));
            if *word != 0 || level == 1 {
                return;
            }
            at /= WORD;
            base += level;
            level = level.div_ceil(WORD);
        }
    }

    /// The smallest member.
    pub fn first(self, words: &[u64]) -> Option<usize> {
        if self.len == 0 {
            return None;
        }
        // Climb to the one-word summary, then follow the lowest bits down.
        let (mut base, mut level) = (0, self.len.div_ceil(WORD));
        let mut bases = [0; WORD / 6 + 1];
        let mut depth = 0;
        while level > 1 {
            bases[depth] = base;
            depth += 1;
            base += level;
            level = level.div_ceil(WORD);
        }
        let mut at = lowest(words[base])?;
        while depth > 0 {
            depth -= 1;
            at = at * WORD + lowest(words[bases[depth] + at])?;
        }
        Some(at)
    }
}

fn lowest(word: u64) -> Option<usize> {
    (word != 0).then_some(word.trailing_zeros() as usize)
}
