//! Free slots of the own table.

/// Most slots that are managed.
const MAX: usize = 16384;

/// Which slots of a range are free.
#[derive(Debug)]
pub struct Slots {
    /// A bit for each slot that is taken.
    taken: [u64; MAX / 64],
    end: u64,
    /// Below this word all are taken.
    hint: usize,
}

impl Slots {
    /// The slots from `first` to below `end`, which is 16384 at most.
    pub fn new(first: u64, end: u64) -> Self {
        let mut slots = Self {
            taken: [0; MAX / 64],
            end: end.min(MAX as u64),
            hint: 0,
        };
        for slot in 0..first.min(MAX as u64) {
            slots.taken[slot as usize / 64] |= 1 << (slot % 64);
        }
        slots
    }

    /// Takes a slot.
    pub fn take(&mut self) -> Option<u64> {
        let word = (self.hint..self.taken.len()).find(|&word| self.taken[word] != u64::MAX)?;
        let bit = self.taken[word].trailing_ones();
        let slot = word as u64 * 64 + u64::from(bit);
        if slot >= self.end {
            return None;
        }
        self.hint = word;
        self.taken[word] |= 1 << bit;
        Some(slot)
    }

    /// Gives a slot back, which is empty again.
    pub fn give_back(&mut self, slot: u64) {
        if slot < self.end {
            let word = slot as usize / 64;
            self.taken[word] &= !(1 << (slot % 64));
            self.hint = self.hint.min(word);
        }
    }
}
