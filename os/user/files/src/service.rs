//! Requests as they come, and who waits for an answer.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use abi::WORDS;
use clients::{Call, Kernel, MAX_PARKED, Reply, is_process};
use filesystem::{Completed, Outcome, Request, Server, Stat, Ticket};
use protocol::{Error, IO_SIZE, PROCESS_SERVER, PROCESS_SERVER_AS_CLIENT, files};

use crate::answer;
use crate::processes::Processes;
use crate::request::{Decoded, decode, decode_of_manager};

/// A request that waits.
#[derive(Clone, Copy, Debug)]
struct Parked {
    process: u64,
    place: u64,
}

/// A request that is served again when the processes are known.
#[derive(Clone, Copy, Debug)]
struct Delayed {
    call: Call,
    place: u64,
}

/// The file server between the tree and the kernel.
pub struct Service<'a, K> {
    server: Server<'a>,
    kernel: K,
    /// What the request at hand has of its client's buffer. A copy: the client can change the buffer at any time.
    buffer: Vec<u8>,
    parked: BTreeMap<Ticket, Parked>,
    free: Vec<u64>,
    processes: Processes,
    delayed: Vec<Delayed>,
    /// The tree has said that it does not know the processes.
    needs_processes: bool,
    /// Where the right to answer the request at hand is, when it is one that was delayed.
    place: Option<u64>,
}

impl<'a, K: Kernel> Service<'a, K> {
    /// Serves a tree. `processes` is what the tree's facts look at.
    pub fn new(server: Server<'a>, kernel: K, processes: Processes) -> Self {
        Self {
            server,
            kernel,
            buffer: alloc::vec![0; IO_SIZE as usize],
            parked: BTreeMap::new(),
            free: (0..MAX_PARKED).rev().collect(),
            processes,
            delayed: Vec::new(),
            needs_processes: false,
            place: None,
        }
    }

    /// The kernel's side.
    pub fn kernel(&mut self) -> &mut K {
        &mut self.kernel
    }

    /// How many requests wait.
    pub fn waiting(&self) -> usize {
        self.parked.len() + self.delayed.len()
    }

    /// Takes a request; `now` is the time in nanoseconds. `None` when there is no answer yet, or nobody waits for one.
    /// Answers requests that need not wait any more.
    pub fn serve(&mut self, call: &Call, now: u64) -> Option<Reply> {
        let result = match call.badge {
            PROCESS_SERVER => self.manage(call, now).map(Some),
            // Who does not wait could change the buffer meanwhile, and learns of no answer.
            badge if is_process(badge) && call.wants_reply => self.serve_or_delay(call, now),
            _ => Err(Error::PermissionDenied),
        };
        self.answer_parked();
        let result = result.transpose()?;
        call.wants_reply.then(|| result.into())
    }

    fn manage(&mut self, call: &Call, now: u64) -> Result<[u64; WORDS], Error> {
        let [first, second, ..] = call.words;
        match call.label {
            files::CONNECT if !is_process(first) => return Err(Error::NoProcess),
            files::CONNECT if !call.has_capability => return Err(Error::BadArgument),
            files::CONNECT => return self.kernel.connect(first).map(|()| [0; WORDS]),
            files::PROCESSES => return self.learn(first, second == 0, now),
            _ => {}
        }
        let request = decode_of_manager(call.label, call.words)?;
        if let Request::Gone(process) = request {
            self.forget(process);
        }
        match self.ask(PROCESS_SERVER, request, 0, now)? {
            Answer::Now { result, .. } => Ok([result, 0, 0, 0]),
            Answer::Later(_) => Err(Error::NotSupported),
        }
    }

    /// Gives up what the service has of a process; the tree's part is not its business.
    fn forget(&mut self, process: u64) {
        self.kernel.disconnect(process);
        let (kernel, free) = (&mut self.kernel, &mut self.free);
        self.parked.retain(|_, parked| {
            if parked.process == process {
                kernel.drop_reply(parked.place);
                free.push(parked.place);
            }
            parked.process != process
        });
        self.delayed.retain(|delayed| {
            if delayed.call.badge == process {
                kernel.drop_reply(delayed.place);
                free.push(delayed.place);
            }
            delayed.call.badge != process
        });
    }

    /// Takes what the process server tells, and after the last of it serves who waited for that.
    fn learn(&mut self, len: u64, is_last: bool, now: u64) -> Result<[u64; WORDS], Error> {
        if len > IO_SIZE || !self.kernel.is_connected(PROCESS_SERVER_AS_CLIENT) {
            return Err(Error::BadArgument);
        }
        let bytes = &mut self.buffer[..len as usize];
        self.kernel.read(PROCESS_SERVER_AS_CLIENT, bytes);
        self.processes.add(bytes, is_last);
        if is_last {
            for Delayed { call, place } in core::mem::take(&mut self.delayed) {
                self.place = Some(place);
                let result = self.serve_process(&call, now);
                // What parks it again takes the place over.
                if let Some(place) = self.place.take() {
                    let reply = result.map(Option::unwrap_or_default).into();
                    self.kernel.reply(place, reply);
                    self.free.push(place);
                }
            }
            self.processes.expire();
            self.needs_processes = false;
        }
        Ok([0; WORDS])
    }

    fn serve_or_delay(&mut self, call: &Call, now: u64) -> Result<Option<[u64; WORDS]>, Error> {
        let result = self.serve_process(call, now);
        if !core::mem::take(&mut self.needs_processes) {
            return result;
        }
        if let Some(&place) = self.free.last()
            && self.kernel.ask_for_processes()
            && self.kernel.save_reply(place)
        {
            self.free.pop();
            self.delayed.push(Delayed { call: *call, place });
            return Ok(None);
        }
        Err(Error::Busy)
    }

    fn serve_process(&mut self, call: &Call, now: u64) -> Result<Option<[u64; WORDS]>, Error> {
        let process = call.badge;
        match call.label {
            files::CONNECT | files::PASS_ON | files::GONE | files::PROCESSES => {
                return Err(Error::PermissionDenied);
            }
            _ if !self.kernel.is_connected(process) => return Err(Error::NotConnected),
            _ => {}
        }
        let decoded = decode(call.label, call.words)?;
        self.kernel.read(process, &mut self.buffer[..decoded.input]);
        decoded.check(&self.buffer[..decoded.input])?;
        if let Request::ReadDirectory(handle) = decoded.request
            && call.words[1] == 0
        {
            let request = Request::Seek {
                handle,
                whence: filesystem::Whence::Start,
                offset: 0,
            };
            self.ask(process, request, 0, now)?;
        }
        let used = decoded.input.max(decoded.room);
        match self.ask(process, decoded.request, used, now)? {
            Answer::Now { result, len } => self.answer(process, &decoded, result, len, now).map(Some),
            Answer::Later(ticket) => self.park(process, ticket).map(|()| None),
        }
    }

    /// What an answer of the tree is in a reply.
    fn answer(
        &mut self,
        process: u64,
        decoded: &Decoded,
        result: u64,
        len: usize,
        now: u64,
    ) -> Result<[u64; WORDS], Error> {
        match decoded.request {
            Request::Open { .. } => self.opened(process, result, now),
            Request::Read { .. } => {
                self.kernel.write(process, &self.buffer[..len]);
                Ok([result, 0, 0, 0])
            }
            Request::ReadDirectory(_) => {
                let len = answer::directory(&mut self.buffer, len);
                self.kernel.write(process, &self.buffer[..len]);
                // The tree knows where it was: any cursor but 0 goes on from there.
                Ok([len as u64, 1, 0, 0])
            }
            Request::Stat(_) | Request::StatPath(_) => {
                let stat = Stat::from_bytes(&self.buffer[..len]).ok_or(Error::Other)?;
                Ok(answer::status(&stat))
            }
            Request::Pipe { .. } => Ok([result & u64::from(u32::MAX), result >> 32, 0, 0]),
            _ => Ok([result, 0, 0, 0]),
        }
    }

    /// The answer to `OPEN`: the console is another server's, and has no handle here.
    fn opened(&mut self, process: u64, number: u64, now: u64) -> Result<[u64; WORDS], Error> {
        let handle = filesystem::Handle(u32::try_from(number).map_err(|_| Error::Other)?);
        let len = match self.ask(process, Request::Stat(handle), Stat::BYTES, now)? {
            Answer::Now { len, .. } => len,
            Answer::Later(_) => 0,
        };
        let stat = Stat::from_bytes(&self.buffer[..len]).ok_or(Error::Other)?;
        let [kind, ..] = answer::status(&stat);
        if kind == files::kind::CONSOLE {
            self.ask(process, Request::Close(handle), 0, now)?;
            return Ok([0, kind, 0, 0]);
        }
        Ok([number, kind, 0, 0])
    }

    /// Asks the tree, with the first `used` bytes of the buffer as payload.
    fn ask(&mut self, client: u64, request: Request, used: usize, now: u64) -> Result<Answer, Error> {
        match self.server.handle(client, request, &mut self.buffer[..used], now) {
            Outcome::Reply { result, len } => {
                self.needs_processes |= result == Err(filesystem::Error::NotReady);
                let result = result.map_err(answer::error)?;
                Ok(Answer::Now { result, len })
            }
            Outcome::Park(ticket) => Ok(Answer::Later(ticket)),
            Outcome::Redirect { .. } => Err(Error::NotSupported),
        }
    }

    fn park(&mut self, process: u64, ticket: Ticket) -> Result<(), Error> {
        if let Some(place) = self.place.take() {
            self.parked.insert(ticket, Parked { process, place });
            return Ok(());
        }
        if let Some(&place) = self.free.last()
            && self.kernel.save_reply(place)
        {
            self.free.pop();
            self.parked.insert(ticket, Parked { process, place });
            return Ok(());
        }
        self.server.cancel(ticket);
        Err(Error::Busy)
    }

    fn answer_parked(&mut self) {
        while let Some(completed) = self.server.ready() {
            let Completed {
                ticket,
                client,
                result,
                bytes,
            } = completed;
            let Some(Parked { place, .. }) = self.parked.remove(&ticket) else {
                continue;
            };
            self.free.push(place);
            let result = match result {
                Ok(_) if !self.kernel.is_connected(client) => Err(Error::NotConnected),
                Ok(count) => {
                    self.kernel.write(client, &bytes);
                    Ok([count, 0, 0, 0])
                }
                Err(error) => Err(answer::error(error)),
            };
            self.kernel.reply(place, result.into());
        }
    }
}

/// What the tree says.
enum Answer {
    /// It is done, and so many bytes of the buffer are part of the answer.
    Now { result: u64, len: usize },
    /// It waits.
    Later(Ticket),
}
