//! Requests on pipes: the ones that wait, and what completes them.

use alloc::vec::Vec;

use super::table::Object;
use super::{Client, Completed, Handle, Outcome, Server, Ticket, reply, reply_with};
use crate::error::{Error, Result};
use crate::flags::Flags;
use crate::pipe::{ATOMIC, Pipe};

/// A request that waits.
pub(super) struct Parked {
    client: Client,
    pipe: u64,
    /// The open file that it was made on.
    description: u64,
    wish: Wish,
}

enum Wish {
    /// So many bytes at most.
    Read(usize),
    /// These bytes.
    Write(Vec<u8>),
}

impl Server<'_> {
    pub(super) fn make_pipe(&mut self, client: Client, flags: u32) -> Result<Outcome> {
        if flags & !Flags::NONBLOCK.bits() != 0 {
            return Err(Error::BadArgument);
        }
        let (read, write) = (Flags::from_bits(flags | 1)?, Flags::from_bits(flags | 2)?);
        self.table.room(client, 2, &self.limits)?;
        let made = self.pipes.values().filter(|pipe| pipe.owner == client).count();
        if made >= self.limits.pipes || self.pipes.len() >= self.limits.all_pipes {
            return Err(Error::TooManyOpen);
        }
        let pipe = self.number();
        self.pipes.insert(pipe, Pipe::new(client));
        let (reader, writer) = (self.number(), self.number());
        let reader = self.table.add(client, reader, Object::Reader(pipe), read);
        let writer = self.table.add(client, writer, Object::Writer(pipe), write);
        reply(u64::from(reader.0) | u64::from(writer.0) << 32)
    }

    pub(super) fn read_pipe(
        &mut self,
        client: Client,
        handle: Handle,
        number: u64,
        out: &mut [u8],
        flags: Flags,
    ) -> Result<Outcome> {
        let pipe = self.pipes.get_mut(&number).ok_or(Error::BadHandle)?;
        if out.is_empty() || pipe.len() > 0 || pipe.writers == 0 {
            let count = pipe.read(out);
            self.pump(number);
            return reply_with(count as u64, count);
        }
        self.park(client, handle, number, Wish::Read(out.len()), flags)
    }

    pub(super) fn write_pipe(
        &mut self,
        client: Client,
        handle: Handle,
        number: u64,
        data: &[u8],
        flags: Flags,
    ) -> Result<Outcome> {
        let pipe = self.pipes.get_mut(&number).ok_or(Error::BadHandle)?;
        if data.is_empty() {
            return reply(0);
        }
        if pipe.readers == 0 {
            return Err(Error::BrokenPipe);
        }
        // Nobody overtakes those who wait.
        if let Some(count) = pipe
            .accepts(data.len())
            .filter(|_| pipe.waiting_writers.is_empty())
        {
            pipe.write(&data[..count]);
            self.pump(number);
            return reply(count as u64);
        }
        // A longer write may be answered with less, so no more than this is ever kept.
        let kept = data[..data.len().min(ATOMIC)].to_vec();
        self.park(client, handle, number, Wish::Write(kept), flags)
    }

    fn park(
        &mut self,
        client: Client,
        handle: Handle,
        number: u64,
        wish: Wish,
        flags: Flags,
    ) -> Result<Outcome> {
        if flags.has(Flags::NONBLOCK) {
            return Err(Error::WouldBlock);
        }
        let parked = self
            .parked
            .values()
            .filter(|parked| parked.client == client)
            .count();
        let completed = self.completed.iter().filter(|done| done.client == client).count();
        if parked + completed >= self.limits.parked {
            return Err(Error::TooMany);
        }
        let description = self.table.id(client, handle)?;
        let ticket = Ticket(self.number());
        let pipe = self.pipes.get_mut(&number).ok_or(Error::BadHandle)?;
        match wish {
            Wish::Read(_) => pipe.waiting_readers.push_back(ticket),
            Wish::Write(_) => pipe.waiting_writers.push_back(ticket),
        }
        let parked = Parked {
            client,
            pipe: number,
            description,
            wish,
        };
        self.parked.insert(ticket, parked);
        Ok(Outcome::Park(ticket))
    }

    /// Takes a request out of all queues, for good.
    pub(super) fn unpark(&mut self, ticket: Ticket) -> Option<Parked> {
        let parked = self.take_out(ticket)?;
        // What stood behind it may have room now.
        self.pump(parked.pipe);
        Some(parked)
    }

    fn take_out(&mut self, ticket: Ticket) -> Option<Parked> {
        let parked = self.parked.remove(&ticket)?;
        if let Some(pipe) = self.pipes.get_mut(&parked.pipe) {
            pipe.waiting_readers.retain(|&other| other != ticket);
            pipe.waiting_writers.retain(|&other| other != ticket);
        }
        Some(parked)
    }

    /// Drops the client's parked requests and completions.
    pub(super) fn forget_requests(&mut self, client: Client) {
        let of_client = self.parked.iter().filter(|(_, parked)| parked.client == client);
        let tickets: Vec<Ticket> = of_client.map(|(&ticket, _)| ticket).collect();
        // All of them first: none may be served because another one has gone.
        let taken: Vec<Parked> = tickets
            .into_iter()
            .filter_map(|ticket| self.take_out(ticket))
            .collect();
        for parked in taken {
            self.pump(parked.pipe);
        }
        self.completed.retain(|done| done.client != client);
    }

    /// The last handle of one end is gone.
    pub(super) fn close_end(&mut self, description: u64, object: Object, number: u64) {
        let on_it = self
            .parked
            .iter()
            .filter(|(_, parked)| parked.description == description);
        let tickets: Vec<Ticket> = on_it.map(|(&ticket, _)| ticket).collect();
        for ticket in tickets {
            if let Some(parked) = self.take_out(ticket) {
                self.complete(ticket, parked.client, Err(Error::BadHandle), Vec::new());
            }
        }
        let Some(pipe) = self.pipes.get_mut(&number) else {
            return;
        };
        match object {
            Object::Reader(_) => pipe.readers -= 1,
            Object::Writer(_) => pipe.writers -= 1,
            Object::Node(_) => {}
        }
        if pipe.readers == 0 && pipe.writers == 0 {
            self.pipes.remove(&number);
        }
        self.pump(number);
    }

    fn complete(&mut self, ticket: Ticket, client: Client, result: Result<u64>, bytes: Vec<u8>) {
        self.completed.push_back(Completed {
            ticket,
            client,
            result,
            bytes,
        });
    }

    /// Completes what need not wait any longer, until nothing moves.
    fn pump(&mut self, number: u64) {
        while self.pump_reader(number) || self.pump_writer(number) {}
    }

    fn pump_reader(&mut self, number: u64) -> bool {
        let Some(pipe) = self.pipes.get_mut(&number) else {
            return false;
        };
        if pipe.len() == 0 && pipe.writers > 0 {
            return false;
        }
        let Some(ticket) = pipe.waiting_readers.pop_front() else {
            return false;
        };
        if let Some(parked) = self.parked.remove(&ticket)
            && let Wish::Read(len) = parked.wish
        {
            let bytes = pipe.take(len);
            self.complete(ticket, parked.client, Ok(bytes.len() as u64), bytes);
        }
        true
    }

    fn pump_writer(&mut self, number: u64) -> bool {
        let Some(pipe) = self.pipes.get_mut(&number) else {
            return false;
        };
        let Some(&ticket) = pipe.waiting_writers.front() else {
            return false;
        };
        let Some(Parked {
            wish: Wish::Write(data),
            ..
        }) = self.parked.get(&ticket)
        else {
            return false;
        };
        let result = match pipe.accepts(data.len()) {
            _ if pipe.readers == 0 => Err(Error::BrokenPipe),
            None => return false,
            Some(count) => {
                pipe.write(&data[..count]);
                Ok(count as u64)
            }
        };
        pipe.waiting_writers.pop_front();
        if let Some(parked) = self.parked.remove(&ticket) {
            self.complete(ticket, parked.client, result, Vec::new());
        }
        true
    }
}
