//! What servers have of their clients: requests as they come, I/O buffers, and answers that come later.
//!
//! [`Kernel`] is what a server asks of the kernel, so that tests on the host can run all else; on bare metal `Buffers` is
//! it.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(not(target_os = "none"), forbid(unsafe_code))]

#[cfg(target_os = "none")]
mod buffers;
#[cfg(target_os = "none")]
mod record;

#[cfg(target_os = "none")]
pub use buffers::Buffers;
#[cfg(target_os = "none")]
pub use record::{call, variable};

use abi::WORDS;
use protocol::{Error, MAX_PROCESSES, OK};

/// Requests that may wait at one time.
pub const MAX_PARKED: u64 = 512;

/// A request as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Whose it is: the number of a process, or [`PROCESS_SERVER`].
    pub badge: u64,
    /// Label of the message.
    pub label: u32,
    /// Its words.
    pub words: [u64; WORDS],
    /// Whether the sender waits for a reply.
    pub wants_reply: bool,
    /// Whether a capability came with it.
    pub has_capability: bool,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// [`OK`] or the number of an error.
    pub label: u32,
    /// Words of the answer.
    pub words: [u64; WORDS],
}

impl From<Result<[u64; WORDS], Error>> for Reply {
    fn from(result: Result<[u64; WORDS], Error>) -> Self {
        match result {
            Ok(words) => Self { label: OK, words },
            Err(error) => Self {
                label: error as u32,
                words: [0; WORDS],
            },
        }
    }
}

/// What a server asks of the kernel. Processes are below [`MAX_PROCESSES`], places below [`MAX_PARKED`].
pub trait Kernel {
    /// Makes the frame that came with the message of the process server the buffer of a process, in place of an older one.
    ///
    /// # Errors
    /// `BadArgument` when what came is no frame that can be read and written, `NoMemory`.
    fn connect(&mut self, process: u64) -> Result<(), Error>;
    /// Whether the process has a buffer.
    fn is_connected(&self, process: u64) -> bool;
    /// Gives the buffer of a process up, if it has one.
    fn disconnect(&mut self, process: u64);
    /// Copies the beginning of the buffer of a connected process. At most [`IO_SIZE`] bytes.
    fn read(&self, process: u64, out: &mut [u8]);
    /// Copies to the beginning of the buffer of a connected process. At most [`IO_SIZE`] bytes.
    fn write(&mut self, process: u64, bytes: &[u8]);
    /// Keeps the right to answer the request that was received last in a place. Whether that worked.
    fn save_reply(&mut self, place: u64) -> bool;
    /// Asks the process server to tell which processes there are. Whether there is one to be asked.
    fn ask_for_processes(&mut self) -> bool;
    /// Answers the request whose right is in a place, which is free then.
    fn reply(&mut self, place: u64, reply: Reply);
    /// Gives the right in a place up, which is free then.
    fn drop_reply(&mut self, place: u64);
}

/// Whether a badge is the number of a process.
pub fn is_process(badge: u64) -> bool {
    (1..MAX_PROCESSES).contains(&badge)
}
