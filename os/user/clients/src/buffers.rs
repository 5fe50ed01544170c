//! The I/O buffers of clients, and the rights to reply: what the kernel does for servers.

use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

use abi::Tag;
use abi::start::{kind, right};
use protocol::{Error, IO_SIZE, MAX_PROCESSES, address, signal_bit, slot};

use crate::{Kernel, MAX_PARKED, Reply};

/// First slot of the rights to reply: behind the buffers of clients.
const REPLIES: u64 = slot::CLIENTS + MAX_PROCESSES;

/// The table has to have this many slots.
const _: () = assert!(REPLIES + MAX_PARKED <= 8192);

/// Slot of what is signalled to ask for the processes, made at the first time.
const ASK_FOR_PROCESSES: u64 = slot::SPACE + 5;

/// How a buffer is mapped.
const ACCESS: u64 = right::READ | right::WRITE;

/// Buffers that are mapped.
#[derive(Debug)]
pub struct Buffers(());

const fn place_of(process: u64) -> u64 {
    slot::CLIENTS + process
}

const fn address_of(process: u64) -> u64 {
    address::CLIENTS + process * IO_SIZE
}

/// Whether the slot has a frame that can be read and written.
fn is_frame(slot: u64) -> bool {
    syscall::capability_identify(slot)
        .is_ok_and(|found| found % 256 == kind::FRAME && (found / 256) & ACCESS == ACCESS)
}

impl Buffers {
    /// No client is there yet. Asks for capabilities of messages.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn new() -> Result<Self, abi::Error> {
        syscall::receive_slot(slot::RECEIVE)?;
        Ok(Self(()))
    }

    /// Drops the capability of the last message, unless somebody has taken it.
    pub fn discard(&mut self) {
        // It is no error when the slot is empty.
        let _ = syscall::capability_delete(0, slot::RECEIVE);
    }

    /// The words of a buffer. Others write to it at the same time, so it is not memory that references could own.
    fn words(&self, process: u64) -> Option<&[AtomicU64]> {
        if !self.is_connected(process) {
            return None;
        }
        let start = ptr::with_exposed_provenance::<AtomicU64>(address_of(process) as usize);
        // SAFETY: the slot has a frame, which `connect` has put there and mapped at this address; it comes from the process
        // server, has this length, and its capability is derived from the process server's own alone, so no client can take
        // the mapping away: it is there until `disconnect`. Everybody else's accesses are as good as atomic ones.
        Some(unsafe { core::slice::from_raw_parts(start, IO_SIZE as usize / 8) })
    }
}

impl Kernel for Buffers {
    fn connect(&mut self, process: u64) -> Result<(), Error> {
        if !is_frame(slot::RECEIVE) {
            return Err(Error::BadArgument);
        }
        self.disconnect(process);
        syscall::capability_move(0, place_of(process), slot::RECEIVE).map_err(|_| Error::BadArgument)?;
        let mapped = syscall::map(slot::SPACE, 0, place_of(process), address_of(process), ACCESS);
        mapped.map(|_| ()).map_err(|error| {
            self.disconnect(process);
            match error {
                abi::Error::NoMemory => Error::NoMemory,
                _ => Error::BadArgument,
            }
        })
    }

    fn is_connected(&self, process: u64) -> bool {
        is_frame(place_of(process))
    }

    fn disconnect(&mut self, process: u64) {
        // It is no error when the slot is empty.
        let _ = syscall::capability_delete(0, place_of(process));
    }

    fn read(&self, process: u64, out: &mut [u8]) {
        let Some(words) = self.words(process) else {
            out.fill(0);
            return;
        };
        for (bytes, word) in out.chunks_mut(8).zip(words) {
            let word = word.load(Ordering::Relaxed).to_ne_bytes();
            bytes.copy_from_slice(&word[..bytes.len()]);
        }
    }

    fn write(&mut self, process: u64, bytes: &[u8]) {
        let Some(words) = self.words(process) else { return };
        for (bytes, word) in bytes.chunks(8).zip(words) {
            let mut value = word.load(Ordering::Relaxed).to_ne_bytes();
            value[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_ne_bytes(value), Ordering::Relaxed);
        }
    }

    fn save_reply(&mut self, place: u64) -> bool {
        syscall::save_reply(REPLIES + place).is_ok()
    }

    fn ask_for_processes(&mut self) -> bool {
        if syscall::signal(ASK_FOR_PROCESSES).is_ok() {
            return true;
        }
        let bit = signal_bit::PROCESSES;
        syscall::capability_mint(0, ASK_FOR_PROCESSES, slot::SIGNALS, right::WRITE, bit)
            .and_then(|_| syscall::signal(ASK_FOR_PROCESSES))
            .is_ok()
    }

    fn reply(&mut self, place: u64, reply: Reply) {
        let [a, b, c, d] = reply.words;
        if syscall::reply(REPLIES + place, Tag::new(reply.label).0, a, b, c, d).is_err() {
            // Nobody waits any more.
            self.drop_reply(place);
        }
    }

    fn drop_reply(&mut self, place: u64) {
        // It is no error when the slot is empty.
        let _ = syscall::capability_delete(0, REPLIES + place);
    }
}
