//! Bytes from writers to readers, in order.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::server::Ticket;

/// Bytes that a pipe holds.
pub const CAPACITY: usize = 64 << 10;

/// Up to this many bytes a write goes into a pipe whole, with nothing in between.
pub const ATOMIC: usize = 4096;

/// A pipe. It has bytes and parked readers never at the same time.
pub(crate) struct Pipe {
    /// Who made it, and is charged for it.
    pub(crate) owner: u64,
    bytes: VecDeque<u8>,
    /// Open descriptions of the reading end, and of the writing end.
    pub(crate) readers: u32,
    pub(crate) writers: u32,
    /// Parked requests in the order in which they came.
    pub(crate) waiting_readers: VecDeque<Ticket>,
    pub(crate) waiting_writers: VecDeque<Ticket>,
}

impl Pipe {
    /// A pipe with one reading and one writing end.
    pub(crate) fn new(owner: u64) -> Self {
        Self {
            owner,
            bytes: VecDeque::new(),
            readers: 1,
            writers: 1,
            waiting_readers: VecDeque::new(),
            waiting_writers: VecDeque::new(),
        }
    }

    /// Bytes in it.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the oldest bytes; how many there were.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> usize {
        let count = out.len().min(self.bytes.len());
        for (place, byte) in out.iter_mut().zip(self.bytes.drain(..count)) {
            *place = byte;
        }
        count
    }

    /// The same for a parked reader.
    pub(crate) fn take(&mut self, len: usize) -> Vec<u8> {
        self.bytes.drain(..len.min(self.bytes.len())).collect()
    }

    /// How many of `len` bytes may be written now; `None` if the writer has to wait.
    pub(crate) fn accepts(&self, len: usize) -> Option<usize> {
        let room = CAPACITY - self.bytes.len().min(CAPACITY);
        match room {
            _ if len <= room => Some(len),
            0 => None,
            _ if len <= ATOMIC => None,
            _ => Some(room),
        }
    }

    /// Appends bytes that were accepted.
    pub(crate) fn write(&mut self, data: &[u8]) {
        self.bytes.extend(data);
    }
}
