//! The front: requests in, answers out.

mod files;
mod names;
mod pipes;
mod table;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::error::{Error, Result};
use crate::mount::{MountError, Mounts};
use crate::pipe::Pipe;
use crate::request::{Path, Request};
use crate::system::FileSystem;
use table::Table;

/// Who asks: the badge that its messages carry.
pub type Client = u64;

/// A client's name for an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub u32);

/// A parked request. No two ever have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered.
    Reply {
        /// What the request says it is.
        result: Result<u64>,
        /// How many bytes of the payload are part of the answer.
        len: usize,
    },
    /// It waits. Its completion will have this ticket.
    Park(Ticket),
    /// The client has to ask the server of this device instead, now and later.
    Redirect {
        /// Number of the device.
        device: u32,
    },
}

/// A request that was parked and now is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// Which one.
    pub ticket: Ticket,
    /// Whose it was.
    pub client: Client,
    /// The result, as an answer at once would have it.
    pub result: Result<u64>,
    /// The bytes that the answer carries.
    pub bytes: Vec<u8>,
}

/// What clients may keep here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Clients with open handles or parked requests.
    pub clients: usize,
    /// Handles of one client.
    pub handles: usize,
    /// Pipes that one client has made and that still are.
    pub pipes: usize,
    /// Pipes of all clients together.
    pub all_pipes: usize,
    /// Parked requests of one client.
    pub parked: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients: 1024,
            handles: 256,
            pipes: 32,
            all_pipes: 1024,
            parked: 64,
        }
    }
}

/// The file server without its messages.
pub struct Server<'a> {
    mounts: Mounts<'a>,
    limits: Limits,
    manager: Option<Client>,
    table: Table,
    pipes: BTreeMap<u64, Pipe>,
    parked: BTreeMap<Ticket, pipes::Parked>,
    completed: VecDeque<Completed>,
    /// Source of numbers for descriptions, pipes and tickets.
    next: u64,
}

/// An answer without bytes.
fn reply(result: u64) -> Result<Outcome> {
    reply_with(result, 0)
}

fn reply_with(result: u64, len: usize) -> Result<Outcome> {
    Ok(Outcome::Reply {
        result: Ok(result),
        len,
    })
}

impl<'a> Server<'a> {
    /// A server whose tree has this root. `manager` is the client that may share handles between clients and say that
    /// one is gone.
    pub fn new(root: Box<dyn FileSystem + 'a>, limits: Limits, manager: Option<Client>) -> Self {
        Self {
            mounts: Mounts::new(root),
            limits,
            manager,
            table: Table::default(),
            pipes: BTreeMap::new(),
            parked: BTreeMap::new(),
            completed: VecDeque::new(),
            next: 0,
        }
    }

    /// Puts a file system in the place of the directory that `path` leads to.
    ///
    /// # Errors
    /// `path` leads to no directory, or to one that has something mounted already.
    pub fn mount(
        &mut self,
        path: &str,
        system: Box<dyn FileSystem + 'a>,
    ) -> core::result::Result<(), MountError> {
        self.mounts.mount(path, system)
    }

    /// Takes a request. `payload` has what it refers to, and takes what the answer carries. `now` is the time in
    /// nanoseconds that files changed by it show.
    ///
    /// Other requests may be completed by it: ask [`ready`](Self::ready) afterwards.
    pub fn handle(&mut self, client: Client, request: Request, payload: &mut [u8], now: u64) -> Outcome {
        self.mounts.clock(now);
        self.dispatch(client, request, payload)
            .unwrap_or_else(|error| Outcome::Reply {
                result: Err(error),
                len: 0,
            })
    }

    fn dispatch(&mut self, client: Client, request: Request, payload: &mut [u8]) -> Result<Outcome> {
        match request {
            Request::Open { path, flags } => {
                let (base, path) = split(payload, path)?;
                self.open(client, base, path, flags)
                    .and_then(|handle| reply(handle.0.into()))
            }
            Request::Close(handle) => self.close(client, handle).and_then(|()| reply(0)),
            Request::Read { handle, len } => self.read(client, handle, first_mut(payload, len), None),
            Request::ReadAt { handle, len, offset } => {
                self.read(client, handle, first_mut(payload, len), Some(offset))
            }
            Request::Write { handle, len } => self.write(client, handle, first(payload, len)?, None),
            Request::WriteAt { handle, len, offset } => {
                self.write(client, handle, first(payload, len)?, Some(offset))
            }
            Request::Seek {
                handle,
                whence,
                offset,
            } => self.seek(client, handle, whence, offset),
            Request::Truncate { handle, len } => self.truncate(client, handle, len),
            Request::Stat(handle) => {
                let stat = self.stat(client, handle)?;
                put(payload, &stat.to_bytes())
            }
            Request::StatPath(path) => {
                let (base, path) = split(payload, path)?;
                let stat = self.mounts.stat(self.mounts.find(base, path)?)?;
                put(payload, &stat.to_bytes())
            }
            Request::ReadDirectory(handle) => self.read_directory(client, handle, payload),
            Request::MakeDirectory(path) => {
                let (base, path) = split(payload, path)?;
                self.make_directory(base, path)
            }
            Request::RemoveFile(path) => {
                let (base, path) = split(payload, path)?;
                self.remove_file(base, path)
            }
            Request::RemoveDirectory(path) => {
                let (base, path) = split(payload, path)?;
                self.remove_directory(base, path)
            }
            Request::Rename { from, to } => {
                let (base, old) = split(payload, from)?;
                let start = base.len() + old.len();
                let end = start.checked_add(to as usize).ok_or(Error::BadArgument)?;
                let new = payload.get(start..end).ok_or(Error::BadArgument)?;
                self.rename(base, old, new)
            }
            Request::Canonical(path) => {
                let (base, path) = split(payload, path)?;
                let text = self.mounts.canonical(base, path)?;
                put(payload, text.as_bytes())
            }
            Request::Pipe { flags } => self.make_pipe(client, flags),
            Request::Duplicate(handle) => self
                .share(client, handle, client, None)
                .and_then(|handle| reply(handle.0.into())),
            Request::Share { .. } | Request::Gone(_) if self.manager != Some(client) => {
                Err(Error::NotPermitted)
            }
            Request::Share { from, handle, to, at } => self
                .share(from, handle, to, at)
                .and_then(|handle| reply(handle.0.into())),
            Request::Gone(client) => {
                self.client_gone(client);
                reply(0)
            }
        }
    }

    /// The next completion.
    pub fn ready(&mut self) -> Option<Completed> {
        self.completed.pop_front()
    }

    /// Withdraws a parked request: it will have no completion. Whether it was still parked; if not, its completion has
    /// been taken or still can be.
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        self.unpark(ticket).is_some()
    }

    /// Gives up everything that the client has: its parked requests, their completions, and its handles.
    pub fn client_gone(&mut self, client: Client) {
        self.forget_requests(client);
        for handle in self.table.handles(client) {
            // The table has just said that it is there.
            let _ = self.close(client, handle);
        }
    }

    /// Moves a handle to another client, for which it has the lowest number that is free.
    ///
    /// # Errors
    /// `BadHandle`; `TooManyOpen` and `TooMany` by the limits of `to`. Then nothing has changed.
    pub fn transfer(&mut self, from: Client, handle: Handle, to: Client) -> Result<Handle> {
        let new = self.share(from, handle, to, None)?;
        self.close(from, handle)?;
        Ok(new)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// Base and path in a payload.
fn split(payload: &[u8], path: Path) -> Result<(&[u8], &[u8])> {
    payload
        .split_at_checked(path.base as usize)
        .and_then(|(base, rest)| Some((base, rest.get(..path.len as usize)?)))
        .ok_or(Error::BadArgument)
}

fn first(payload: &[u8], len: u32) -> Result<&[u8]> {
    payload.get(..len as usize).ok_or(Error::BadArgument)
}

/// Reading less than was asked for is always allowed.
fn first_mut(payload: &mut [u8], len: u32) -> &mut [u8] {
    let len = payload.len().min(len as usize);
    &mut payload[..len]
}

fn put(payload: &mut [u8], bytes: &[u8]) -> Result<Outcome> {
    payload
        .get_mut(..bytes.len())
        .ok_or(Error::BadArgument)?
        .copy_from_slice(bytes);
    reply_with(0, bytes.len())
}
