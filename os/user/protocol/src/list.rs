//! How the process server lists processes: for each one five words of 64 bits, little endian (number, parent, group,
//! state, nanoseconds of processor time), the length of its name in two bytes, and the name.

/// States.
pub mod state {
    /// It runs, or could.
    pub const RUNNING: u64 = 0;
    /// It was stopped.
    pub const STOPPED: u64 = 1;
    /// It has ended, and nobody has asked how.
    pub const ENDED: u64 = 2;
}

/// One process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its number.
    pub process: u64,
    /// Its parent's, 0 for none.
    pub parent: u64,
    /// Its group's.
    pub group: u64,
    /// What it does, see [`state`].
    pub state: u64,
    /// Nanoseconds of processor time.
    pub time: u64,
    /// Its name.
    pub name: &'a str,
}

impl<'a> Entry<'a> {
    /// Writes it; returns how many bytes, `None` when there is too little room.
    pub fn write(&self, bytes: &mut [u8]) -> Option<usize> {
        let len = 42 + self.name.len();
        let bytes = bytes.get_mut(..len)?;
        for (place, word) in
            bytes
                .chunks_exact_mut(8)
                .zip([self.process, self.parent, self.group, self.state, self.time])
        {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes[40..42].copy_from_slice(&u16::try_from(self.name.len()).ok()?.to_le_bytes());
        bytes[42..].copy_from_slice(self.name.as_bytes());
        Some(len)
    }

    /// Reads the first one; returns what follows it, too.
    pub fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let word = |index: usize| -> Option<u64> {
            Some(u64::from_le_bytes(
                bytes.get(index * 8..index * 8 + 8)?.try_into().ok()?,
            ))
        };
        let len = u16::from_le_bytes(bytes.get(40..42)?.try_into().ok()?);
        let end = 42 + usize::from(len);
        let entry = Self {
            process: word(0)?,
            parent: word(1)?,
            group: word(2)?,
            state: word(3)?,
            time: word(4)?,
            name: core::str::from_utf8(bytes.get(42..end)?).ok()?,
        };
        Some((entry, &bytes[end..]))
    }
}
