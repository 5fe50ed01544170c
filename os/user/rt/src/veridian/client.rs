//! Requests to the servers.

use core::ptr;
use core::slice;

use abi::Tag;
use protocol::{Error, IO_SIZE, OK, process, slot};

use super::lock::Lock;
use crate::io::{ErrorKind, Result};
use crate::translate::{call_error_kind, error_kind};

/// How long to wait when there were too many requests, in nanoseconds.
const PAUSE: u64 = 1_000_000;

/// Words of a request, and of a reply.
type Request = [u64; 3];
type Reply = [u64; abi::WORDS];

/// A server that wants to know the I/O buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    Files,
    Console,
}

impl Server {
    const fn slot(self) -> u64 {
        match self {
            Self::Files => slot::FILES,
            Self::Console => slot::CONSOLE,
        }
    }
}

/// What a server replies, or why it refuses.
fn call(
    slot: u64,
    tag: Tag,
    [a, b, c]: Request,
    capability: u64,
) -> Result<core::result::Result<Reply, Error>> {
    loop {
        return match syscall::call(slot, tag.0, a, b, c, capability) {
            Err(abi::Error::RateLimited) => {
                let _woken = syscall::sleep(PAUSE);
                continue;
            }
            Err(error) => Err(call_error_kind(error).into()),
            Ok(reply) => Ok(match reply.tag.label() {
                OK => Ok(reply.words),
                label => Err(Error::from_label(label)),
            }),
        };
    }
}

/// Asks the process server for something that needs no I/O buffer. Others may use that meanwhile.
pub(super) fn ask_processes(label: u32, words: Request) -> Result<Reply> {
    call(slot::PROCESS, Tag::new(label), words, 0)?.map_err(|error| error_kind(error).into())
}

/// The I/O buffer, and with it the right to make requests: one at a time, since all use the one buffer.
#[derive(Debug)]
pub(super) struct Client {
    /// Where the I/O buffer is; 0 when there is none.
    buffer: usize,
    /// Whether the file server and the console server know it.
    connected: [bool; 2],
}

static CLIENT: Lock<Client> = Lock::new(Client {
    buffer: 0,
    connected: [false; 2],
});

/// Says where the I/O buffer is.
///
/// # Safety
/// [`IO_SIZE`] bytes at `buffer` are mapped for reading and writing, stay so, and are used by nobody else in this
/// program. A server uses them only between a request and its reply.
pub(super) unsafe fn begin(buffer: usize) {
    CLIENT.with(|client| client.buffer = buffer);
}

/// Uses the I/O buffer and the servers.
///
/// # Errors
/// `Unsupported` when the program has none, and those of `f`.
pub(super) fn with<T>(f: impl FnOnce(&mut Client) -> Result<T>) -> Result<T> {
    let run = |client: &mut Client| {
        if client.buffer != 0 {
            f(client)
        } else {
            Err(ErrorKind::Unsupported.into())
        }
    };
    CLIENT.with(run).unwrap_or(Err(ErrorKind::ResourceBusy.into()))
}

/// Makes a request that needs nothing in the I/O buffer.
pub(super) fn ask(server: Server, label: u32, words: Request) -> Result<Reply> {
    with(|client| client.ask(server, label, words))
}

impl Client {
    /// Its bytes, to write a request.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        debug_assert!(self.buffer != 0, "`with` gives no other out");
        let start = ptr::with_exposed_provenance_mut(self.buffer);
        // SAFETY: `buffer` is set, which `begin` demands the memory for; `with` gives a client to one thread at a time, and
        // this borrows it exclusively, so there is no other reference, and no request until it has ended: those borrow
        // exclusively too. Any bytes are a valid `u8`.
        unsafe { slice::from_raw_parts_mut(start, IO_SIZE as usize) }
    }

    /// Its first bytes, to read a reply; fewer when there are not so many.
    pub(super) fn bytes(&self, len: u64) -> &[u8] {
        debug_assert!(self.buffer != 0, "`with` gives no other out");
        let start = ptr::with_exposed_provenance(self.buffer);
        // SAFETY: as for `bytes_mut`, but this borrows the client shared: nobody writes while the reference lives, as
        // requests and `bytes_mut` borrow exclusively.
        unsafe { slice::from_raw_parts(start, len.min(IO_SIZE) as usize) }
    }

    /// Puts texts behind each other and returns the length of each.
    ///
    /// # Errors
    /// `InvalidFilename` when they do not fit.
    pub(super) fn put<const N: usize>(&mut self, texts: [&str; N]) -> Result<[u64; N]> {
        let mut rest = self.bytes_mut();
        for text in texts {
            let (place, behind) = rest
                .split_at_mut_checked(text.len())
                .ok_or(ErrorKind::InvalidFilename)?;
            place.copy_from_slice(text.as_bytes());
            rest = behind;
        }
        Ok(texts.map(|text| text.len() as u64))
    }

    /// Makes a request to the file server or the console server, which learns of the I/O buffer when it does not know it.
    pub(super) fn ask(&mut self, server: Server, label: u32, words: Request) -> Result<Reply> {
        loop {
            let knew = self.connected[server as usize];
            if !knew {
                ask_processes(process::CONNECT, [server as u64 + 1, 0, 0])?;
                self.connected[server as usize] = true;
            }
            match call(server.slot(), Tag::new(label), words, 0)? {
                // It has been started anew since.
                Err(Error::NotConnected) if knew => self.connected[server as usize] = false,
                result => return result.map_err(|error| error_kind(error).into()),
            }
        }
    }

    /// Makes a request to the process server.
    pub(super) fn ask_processes(&mut self, label: u32, words: Request) -> Result<Reply> {
        ask_processes(label, words)
    }

    /// Makes a request to the process server with a copy of the capability in a slot.
    pub(super) fn ask_processes_with(
        &mut self,
        label: u32,
        words: Request,
        capability: Option<u64>,
    ) -> Result<Reply> {
        let Some(capability) = capability else {
            return ask_processes(label, words);
        };
        let tag = Tag::new(label).with_capability();
        call(slot::PROCESS, tag, words, capability)?.map_err(|error| error_kind(error).into())
    }
}
