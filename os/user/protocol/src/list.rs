//! The list of processes, as it lies in the I/O buffer after [`process::LIST`](crate::process::LIST).
//!
//! An entry is six words of 64 bits, little endian: process, parent (0 none), group, [`state`], memory in bytes, processor
//! time in nanoseconds; then two texts in UTF-8, each with its length in four bytes before it: the program's name, and its
//! arguments, each with a zero byte behind it.

/// Longest text of arguments in bytes; longer ones are cut off.
pub const MAX_ARGUMENTS: usize = 1024;

/// What a process is doing.
pub mod state {
    /// It runs, or wants to.
    pub const RUNNING: u64 = 0;
    /// It waits for something.
    pub const WAITING: u64 = 1;
    /// A signal stopped it.
    pub const STOPPED: u64 = 2;
    /// It has ended, and its parent has not waited for it.
    pub const ENDED: u64 = 3;
}

/// A process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its number.
    pub process: u64,
    /// Who started it; 0 for nobody.
    pub parent: u64,
    /// Its group.
    pub group: u64,
    /// A number of [`state`].
    pub state: u64,
    /// Bytes of memory that it has.
    pub memory: u64,
    /// Nanoseconds that CPUs have spent on it.
    pub time: u64,
    /// Name of its program.
    pub name: &'a str,
    /// Its arguments, each with a zero byte behind it; nothing when it has ended.
    pub arguments: &'a str,
}

impl Entry<'_> {
    /// Writes it to the beginning of `bytes` and returns its length; `None` when there is too little room.
    pub fn write(&self, bytes: &mut [u8]) -> Option<usize> {
        let words = [
            self.process,
            self.parent,
            self.group,
            self.state,
            self.memory,
            self.time,
        ];
        let texts = [self.name, self.arguments];
        let len = words.len() * 8 + texts.iter().map(|text| 4 + text.len()).sum::<usize>();
        let (head, mut rest) = bytes.get_mut(..len)?.split_at_mut(words.len() * 8);
        for (place, word) in head.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        for text in texts {
            let (before, behind) = rest.split_at_mut(4);
            before.copy_from_slice(&u32::try_from(text.len()).ok()?.to_le_bytes());
            let (place, behind) = behind.split_at_mut(text.len());
            place.copy_from_slice(text.as_bytes());
            rest = behind;
        }
        Some(len)
    }
}

/// Reads entries that lie behind each other. Ends where one is cut off or its name is no UTF-8.
#[derive(Clone, Debug)]
pub struct Entries<'a>(&'a [u8]);

impl<'a> Entries<'a> {
    /// Reads from the beginning of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn word(&mut self) -> Option<u64> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*word))
    }

    fn text(&mut self) -> Option<&'a str> {
        let (len, rest) = self.0.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        self.0 = rest;
        core::str::from_utf8(text).ok()
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        Some(Entry {
            process: self.word()?,
            parent: self.word()?,
            group: self.word()?,
            state: self.word()?,
            memory: self.word()?,
            time: self.word()?,
            name: self.text()?,
            arguments: self.text()?,
        })
    }
}
