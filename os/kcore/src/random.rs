//! Random numbers from a seed: ChaCha20 (RFC 8439) with fast key erasure, so that what was given out cannot be computed
//! from what the generator holds later.
//!
//! It is written here and not taken from a library because those choose vector instructions by asking the CPU, and the
//! kernel must not use its registers.

/// Words of 64 bits in a seed.
pub const SEED_WORDS: usize = 4;

/// A seed as numbers.
pub type Seed = [u64; SEED_WORDS];

/// First words of the state: "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// ChaCha20's block function.
pub fn block(key: &[u32; 8], counter: u32, nonce: [u32; 3]) -> [u32; 16] {
    let mut start = [0; 16];
    start[..4].copy_from_slice(&CONSTANTS);
    start[4..12].copy_from_slice(key);
    start[12] = counter;
    start[13..].copy_from_slice(&nonce);
    let mut state = start;
    for _ in 0..10 {
        for column in 0..4 {
            quarter(&mut state, [column, column + 4, column + 8, column + 12]);
        }
        for row in 0..4 {
            quarter(
                &mut state,
                [row, 4 + (row + 1) % 4, 8 + (row + 2) % 4, 12 + (row + 3) % 4],
            );
        }
    }
    for (word, first) in state.iter_mut().zip(start) {
        *word = word.wrapping_add(first);
    }
    state
}

/// The quarter round on four words of the state.
fn quarter(state: &mut [u32; 16], [a, b, c, d]: [usize; 4]) {
    for (sum, add, target, bits) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
        state[sum] = state[sum].wrapping_add(state[add]);
        state[target] = (state[target] ^ state[sum]).rotate_left(bits);
    }
}

/// A generator.
#[derive(Clone)]
pub struct Random {
    key: [u32; 8],
    ready: [u64; SEED_WORDS],
    left: usize,
}

impl core::fmt::Debug for Random {
    /// Shows nothing of the state, from which numbers to come could be computed.
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("Random")
    }
}

impl Random {
    /// A generator whose numbers depend on the seed alone.
    pub fn new(seed: Seed) -> Self {
        let mut random = Self {
            key: [0; 8],
            ready: [0; SEED_WORDS],
            left: 0,
        };
        random.mix(seed);
        random
    }

    /// Mixes more randomness in: whoever does not know it cannot foretell the numbers from now on, nor can who knows it but
    /// not what was there before.
    pub fn mix(&mut self, more: Seed) {
        for (index, key) in self.key.iter_mut().enumerate() {
            *key ^= (more[index / 2] >> (index % 2 * 32)) as u32;
        }
        self.left = 0;
        self.refill();
    }

    fn refill(&mut self) {
        let words = block(&self.key, 0, [0; 3]);
        self.key.copy_from_slice(&words[..8]);
        for (number, pair) in self.ready.iter_mut().zip(words[8..].chunks_exact(2)) {
            *number = u64::from(pair[0]) | u64::from(pair[1]) << 32;
        }
        self.left = SEED_WORDS;
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        if self.left == 0 {
            self.refill();
        }
        self.left -= 1;
        core::mem::take(&mut self.ready[self.left])
    }

    /// A seed for another generator.
    pub fn seed(&mut self) -> Seed {
        core::array::from_fn(|_| self.number())
    }
}
