//! What programs ask for: reads and writes, now or later.

use alloc::vec::Vec;

use crate::settings::Background;
use crate::{Signal, Terminal};

/// Who asks: the badge that its messages carry.
pub type Client = u64;

/// Requests that may be parked or have a completion that was not fetched.
pub const PARKED: usize = 256;

/// Up to this many bytes a write goes out whole, with nothing in between. No more are kept while it is parked.
pub const ATOMIC: usize = 256;

/// A parked request. No two ever have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The group is in the background.
    Background,
    /// Too many requests are parked.
    TooMany,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// So many bytes were read or written; 0 read bytes are the end of the file.
    Done(usize),
    /// It waits. Its completion will have this ticket.
    Park(Ticket),
    /// Nothing happens.
    Refused(Error),
}

/// A request that was parked and now is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// Which one.
    pub ticket: Ticket,
    /// Whose it was.
    pub client: Client,
    /// How many bytes were read or written.
    pub count: usize,
    /// What was read.
    pub bytes: Vec<u8>,
}

/// A request that waits: a reader with the length of its buffer, or a writer with its data.
#[derive(Debug)]
pub(crate) struct Parked {
    ticket: Ticket,
    client: Client,
    group: u32,
    len: usize,
    data: Vec<u8>,
}

impl Terminal {
    /// Reads at most one line, or in raw mode what is there, for a process of a group. With less room than the line
    /// has, the rest of it is for the next one.
    pub fn read(&mut self, client: Client, group: u32, out: &mut [u8]) -> Outcome {
        if !self.may_read(group) {
            if self.background == Background::Refuse {
                return Outcome::Refused(Error::Background);
            }
            self.raise(group, Signal::Stop);
            return self.park(client, group, out.len(), None);
        }
        if out.is_empty() {
            return Outcome::Done(0);
        }
        // Those who wait came first; the ones in the background do not count.
        let waits = self.readers.iter().any(|reader| self.may_read(reader.group));
        match self.readable(out.len()) {
            Some(count) if !waits => {
                for (place, byte) in out.iter_mut().zip(self.take(count)) {
                    *place = byte;
                }
                Outcome::Done(count)
            }
            _ => self.park(client, group, out.len(), None),
        }
    }

    /// Writes. Of more than [`ATOMIC`] bytes less than all may be taken.
    pub fn write(&mut self, client: Client, data: &[u8]) -> Outcome {
        if self.writers.is_empty() && (data.len() > ATOMIC || self.fits(data)) {
            let count = self.show(data);
            if count > 0 || data.is_empty() {
                return Outcome::Done(count);
            }
        }
        self.park(client, 0, 0, Some(&data[..data.len().min(ATOMIC)]))
    }

    /// The next completion.
    pub fn ready(&mut self) -> Option<Completed> {
        self.completed.pop_front()
    }

    /// Withdraws a parked request: it will have no completion. Whether it was still parked.
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        let before = self.readers.len() + self.writers.len();
        self.readers.retain(|parked| parked.ticket != ticket);
        self.writers.retain(|parked| parked.ticket != ticket);
        before > self.readers.len() + self.writers.len()
    }

    /// Drops all requests and completions of a client.
    pub fn client_gone(&mut self, client: Client) {
        self.readers.retain(|parked| parked.client != client);
        self.writers.retain(|parked| parked.client != client);
        self.completed.retain(|done| done.client != client);
    }

    fn may_read(&self, group: u32) -> bool {
        self.foreground.is_none_or(|foreground| foreground == group)
    }

    fn park(&mut self, client: Client, group: u32, len: usize, data: Option<&[u8]>) -> Outcome {
        if self.readers.len() + self.writers.len() + self.completed.len() >= PARKED {
            return Outcome::Refused(Error::TooMany);
        }
        self.next += 1;
        let ticket = Ticket(self.next);
        let queue = if data.is_some() {
            &mut self.writers
        } else {
            &mut self.readers
        };
        queue.push_back(Parked {
            ticket,
            client,
            group,
            len,
            data: data.unwrap_or_default().to_vec(),
        });
        Outcome::Park(ticket)
    }

    /// How many bytes a read with that much room gives now; `None` if it has to wait.
    fn readable(&self, room: usize) -> Option<usize> {
        if self.settings.edit {
            self.lines.front().map(|&line| line.min(room))
        } else {
            Some(self.input.len().min(room)).filter(|&count| count > 0)
        }
    }

    /// Takes bytes that are readable. An end of file directly behind them goes with them.
    fn take(&mut self, count: usize) -> Vec<u8> {
        // In raw mode more than a line may go, and some of it may be in none.
        let mut rest = count;
        while let Some(line) = self.lines.front_mut() {
            let part = rest.min(*line);
            rest -= part;
            *line -= part;
            if *line > 0 {
                break;
            }
            self.lines.pop_front();
            if rest == 0 {
                break;
            }
        }
        self.input.drain(..count).collect()
    }

    pub(crate) fn serve_readers(&mut self) {
        while let Some(at) = self.readers.iter().position(|reader| self.may_read(reader.group)) {
            let len = self.readers[at].len;
            let Some(count) = (if len == 0 { Some(0) } else { self.readable(len) }) else {
                return;
            };
            let bytes = if len == 0 { Vec::new() } else { self.take(count) };
            let Some(reader) = self.readers.remove(at) else {
                return;
            };
            self.completed.push_back(Completed {
                ticket: reader.ticket,
                client: reader.client,
                count,
                bytes,
            });
        }
    }

    /// Puts what there is room for; how many bytes that were.
    fn show(&mut self, data: &[u8]) -> usize {
        let newline_out = self.settings.newline_out;
        let full = data.iter().position(|&byte| !self.screen.put(byte, newline_out));
        full.unwrap_or(data.len())
    }

    /// Whether there is room for all of it.
    fn fits(&self, data: &[u8]) -> bool {
        let newlines = data.iter().filter(|&&byte| byte == b'\n').count();
        let returns = if self.settings.newline_out { newlines } else { 0 };
        data.len() + returns <= self.screen.room()
    }

    pub(crate) fn serve_writers(&mut self) {
        while self.writers.front().is_some_and(|writer| self.fits(&writer.data)) {
            let Some(writer) = self.writers.pop_front() else {
                return;
            };
            let count = self.show(&writer.data);
            self.completed.push_back(Completed {
                ticket: writer.ticket,
                client: writer.client,
                count,
                bytes: Vec::new(),
            });
        }
    }
}
