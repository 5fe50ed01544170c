//! Limits a rate: so many per second, and so many at once after a pause.

/// Nanoseconds in a second, which is also into how many parts a token is divided: none is lost to rounding.
const SECOND: u64 = 1_000_000_000;

/// The bucket. It depends on nothing but the times that it is told, in nanoseconds on a clock that does not go back; a time
/// before an earlier one counts as that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBucket {
    /// Tokens per second, which is parts per nanosecond.
    rate: u32,
    /// Tokens that fit.
    burst: u32,
    /// Parts of tokens that were there at `updated`.
    level: u64,
    updated: u64,
}

impl TokenBucket {
    /// A full bucket of `burst` tokens that gets `rate` tokens per second.
    pub const fn new(rate: u32, burst: u32, now: u64) -> Self {
        Self {
            rate,
            burst,
            level: burst as u64 * SECOND,
            updated: now,
        }
    }

    /// How many whole tokens there are.
    pub const fn available(&self, now: u64) -> u32 {
        // At most `burst`.
        (self.level_at(now) / SECOND) as u32
    }

    /// Takes that many tokens, or none and returns `false` when there are fewer.
    pub const fn take(&mut self, tokens: u32, now: u64) -> bool {
        self.level = self.level_at(now);
        if self.updated < now {
            self.updated = now;
        }
        match self.level.checked_sub(tokens as u64 * SECOND) {
            Some(rest) => {
                self.level = rest;
                true
            }
            None => false,
        }
    }

    /// In how many nanoseconds there will be that many tokens; 0 for now. `None` when there will never be.
    pub const fn wait(&self, tokens: u32, now: u64) -> Option<u64> {
        if tokens > self.burst {
            return None;
        }
        let missing = (tokens as u64 * SECOND).saturating_sub(self.level_at(now));
        if missing == 0 {
            return Some(0);
        }
        if self.rate == 0 {
            return None;
        }
        // A time before `updated` has to come up to that first.
        let ahead = self.updated.saturating_sub(now);
        Some(missing.div_ceil(self.rate as u64).saturating_add(ahead))
    }

    const fn level_at(&self, now: u64) -> u64 {
        let gained = now.saturating_sub(self.updated).saturating_mul(self.rate as u64);
        let level = self.level.saturating_add(gained);
        let full = self.burst as u64 * SECOND;
        if level < full { level } else { full }
    }
}
