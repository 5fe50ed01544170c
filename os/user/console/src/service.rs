//! Requests as they come, and who waits for input.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use abi::WORDS;
use clients::{Call, Kernel, MAX_PARKED, Reply, is_process};
use protocol::files::reader;
use protocol::{Error, IO_SIZE, PROCESS_SERVER, files, signal_bit};
use terminal::{Background, Completed, Outcome, Settings, Signal, Terminal, Ticket};

use crate::uart::{Registers, Uart};

/// The one group that the terminal knows: who is in the foreground is the process server's business, which is asked about
/// each process that wants to read before the terminal is.
const GROUP: u32 = 1;

/// Bytes that are taken from the port before somebody else has a turn.
const BATCH: usize = 256;

/// Bytes that go out before somebody else has a turn: all that the terminal keeps, and what comes in meanwhile.
const LONGEST: usize = 2 * terminal::OUTPUT;

/// What `SET_MODE` calls them.
const LINES: u64 = 0;
const BYTES: u64 = 1;

/// Bytes as they come, but a newline that goes out still starts a new line.
const RAW: Settings = Settings {
    newline_out: true,
    ..Settings::RAW
};

/// A request that waits.
#[derive(Clone, Copy, Debug)]
struct Parked {
    process: u64,
    place: u64,
    /// Room for input, of one that reads.
    room: Option<usize>,
}

/// The console server between the terminal, the serial port and the kernel.
pub struct Service<K, R> {
    terminal: Terminal,
    port: Uart<R>,
    kernel: K,
    /// What the request at hand has of its client's buffer.
    buffer: Vec<u8>,
    parked: BTreeMap<Ticket, Parked>,
    /// Processes that have been stopped, and what they were reading.
    stopped: BTreeSet<u64>,
    paused: Vec<Parked>,
    /// Of which processes it is known whether they may read; everybody may while there is no foreground.
    judged: Option<BTreeMap<u64, bool>>,
    /// Reads of the others, and whether the process server is to be told that there are new ones.
    asked: Vec<Parked>,
    has_asked: bool,
    free: Vec<u64>,
    /// Whether there may be more to be moved.
    has_more: bool,
}

impl<K: Kernel, R: Registers> Service<K, R> {
    /// Serves a port.
    pub fn new(port: Uart<R>, kernel: K) -> Self {
        let mut terminal = Terminal::new(Background::Refuse);
        terminal.set_foreground(Some(GROUP));
        Self {
            terminal,
            port,
            kernel,
            buffer: alloc::vec![0; IO_SIZE as usize],
            parked: BTreeMap::new(),
            stopped: BTreeSet::new(),
            paused: Vec::new(),
            judged: None,
            asked: Vec::new(),
            has_asked: false,
            free: (0..MAX_PARKED).rev().collect(),
            has_more: false,
        }
    }

    /// The kernel's side.
    pub fn kernel(&mut self) -> &mut K {
        &mut self.kernel
    }

    /// The serial port.
    pub fn port(&mut self) -> &mut Uart<R> {
        &mut self.port
    }

    /// Bits of [`signal_bit`] that the process server is to be told, once.
    pub fn signals(&mut self) -> u64 {
        let asked = match core::mem::take(&mut self.has_asked) {
            true => signal_bit::READERS,
            false => 0,
        };
        let signals = core::iter::from_fn(|| self.terminal.signal());
        signals.fold(asked, |bits, (_, signal)| {
            bits | match signal {
                Signal::Interrupt => signal_bit::INTERRUPT,
                Signal::Stop => signal_bit::STOP,
            }
        })
    }

    /// Takes a request. `None` when there is no answer yet, or nobody waits for one. Answers requests that need not wait
    /// any more, and moves bytes from and to the port.
    pub fn serve(&mut self, call: &Call) -> Option<Reply> {
        let result = match call.badge {
            PROCESS_SERVER => self.manage(call).map(Some),
            // Who does not wait could change the buffer meanwhile, and learns of no answer.
            badge if is_process(badge) && call.wants_reply => self.serve_process(call),
            _ => Err(Error::PermissionDenied),
        };
        self.pump();
        let result = result.transpose()?;
        call.wants_reply.then(|| result.into())
    }

    /// Whether there is more to be moved, of which the port will not tell: [`Self::pump`] has to be called again.
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// Moves bytes from and to the port, but not more than somebody else can wait for, and answers those who waited.
    pub fn pump(&mut self) {
        self.take_input(BATCH);
        for _ in 0..LONGEST {
            let Some(byte) = self.terminal.output() else {
                self.answer_parked();
                return;
            };
            // A byte that the port does not take is lost: there is nowhere else to put it.
            self.port.send(byte);
            self.take_input(1);
        }
        self.has_more = true;
        self.answer_parked();
    }

    /// Takes at most so many bytes from the port.
    fn take_input(&mut self, most: usize) {
        for _ in 0..most {
            let Some(byte) = self.port.receive() else {
                self.has_more = false;
                return;
            };
            self.terminal.receive(byte);
        }
        self.has_more = true;
    }

    fn manage(&mut self, call: &Call) -> Result<[u64; WORDS], Error> {
        let [process, verdict, ..] = call.words;
        match call.label {
            files::FOREGROUND => return Ok(self.ask_again()),
            files::READER => return Ok(self.judge(process, verdict)),
            _ if !is_process(process) => return Err(Error::NoProcess),
            files::CONNECT if !call.has_capability => return Err(Error::BadArgument),
            files::CONNECT => return self.kernel.connect(process).map(|()| [0; WORDS]),
            files::PAUSE if call.words[1] != 0 => return Ok(self.pause(process)),
            files::PAUSE => return Ok(self.go_on(process)),
            files::GONE => {}
            _ => return Err(Error::NotSupported),
        }
        self.terminal.client_gone(process);
        self.kernel.disconnect(process);
        let (kernel, free) = (&mut self.kernel, &mut self.free);
        let mut stays = |parked: &Parked| {
            if parked.process == process {
                kernel.drop_reply(parked.place);
                free.push(parked.place);
            }
            parked.process != process
        };
        self.parked.retain(|_, parked| stays(parked));
        self.paused.retain(&mut stays);
        self.asked.retain(&mut stays);
        self.stopped.remove(&process);
        if let Some(judged) = &mut self.judged {
            judged.remove(&process);
        }
        Ok([0; WORDS])
    }

    /// A process has been stopped: what is typed now is not for it.
    fn pause(&mut self, process: u64) -> [u64; WORDS] {
        self.stopped.insert(process);
        let waiting = self.withdraw(|parked| parked.process == process);
        self.paused.extend(waiting);
        let asked = self.asked.extract_if(.., |parked| parked.process == process);
        self.paused.extend(asked);
        [0; WORDS]
    }

    /// A process goes on, and with it what it was reading.
    fn go_on(&mut self, process: u64) -> [u64; WORDS] {
        self.stopped.remove(&process);
        let paused = self.paused.extract_if(.., |paused| paused.process == process);
        for parked in paused.collect::<Vec<_>>() {
            self.read_again(parked);
        }
        [0; WORDS]
    }

    /// Somebody else is in the foreground: whoever waits for input, or wants to, may have lost the right to it.
    fn ask_again(&mut self) -> [u64; WORDS] {
        self.judged = Some(BTreeMap::new());
        let waiting = self.withdraw(|_| true);
        self.has_asked |= !waiting.is_empty();
        self.asked.extend(waiting);
        [0; WORDS]
    }

    /// What becomes of a process that wants to read. Returns the next one.
    fn judge(&mut self, process: u64, verdict: u64) -> [u64; WORDS] {
        if let Some(judged) = &mut self.judged
            && verdict != reader::STOPPED
            && self.kernel.is_connected(process)
        {
            judged.insert(process, verdict == reader::ALLOWED);
        }
        let meant = self.asked.extract_if(.., |asked| asked.process == process);
        for parked in meant.collect::<Vec<_>>() {
            match verdict {
                reader::STOPPED => self.paused.push(parked),
                _ => self.read_again(parked),
            }
        }
        let next = self.asked.first().map_or(0, |asked| asked.process);
        [next, 0, 0, 0]
    }

    /// Takes the reads that wait for input, and are meant, from the terminal.
    fn withdraw(&mut self, is_meant: impl Fn(&Parked) -> bool) -> Vec<Parked> {
        let terminal = &mut self.terminal;
        let reads = self.parked.extract_if(.., |&ticket, parked| {
            parked.room.is_some() && is_meant(parked) && terminal.cancel(ticket)
        });
        reads.map(|(_, parked)| parked).collect()
    }

    /// Whether a process may read, if that is known.
    fn may_read(&self, process: u64) -> Option<bool> {
        match &self.judged {
            None => Some(true),
            Some(judged) => judged.get(&process).copied(),
        }
    }

    /// Makes a read that has waited for a reason other than that there was no input.
    fn read_again(&mut self, parked: Parked) {
        let Parked { process, place, room } = parked;
        let reply = match self.may_read(process) {
            None => {
                self.asked.push(parked);
                self.has_asked = true;
                return;
            }
            Some(false) => Err(Error::PermissionDenied),
            Some(true) => {
                let room = room.unwrap_or(0);
                match self.terminal.read(process, GROUP, &mut self.buffer[..room]) {
                    Outcome::Park(ticket) => {
                        self.parked.insert(ticket, parked);
                        return;
                    }
                    Outcome::Done(len) => {
                        self.kernel.write(process, &self.buffer[..len]);
                        Ok([len as u64, 0, 0, 0])
                    }
                    Outcome::Refused(_) => Err(Error::Busy),
                }
            }
        };
        self.free.push(place);
        self.kernel.reply(place, reply.into());
    }

    fn serve_process(&mut self, call: &Call) -> Result<Option<[u64; WORDS]>, Error> {
        let process = call.badge;
        match call.label {
            files::CONNECT | files::GONE | files::PAUSE | files::FOREGROUND | files::READER => {
                return Err(Error::PermissionDenied);
            }
            _ if !self.kernel.is_connected(process) => return Err(Error::NotConnected),
            _ => {}
        }
        let [first, second, ..] = call.words;
        match call.label {
            files::CLOSE => Ok(Some([0; WORDS])),
            files::READ => self.read(process, second.min(IO_SIZE) as usize),
            files::WRITE if second > IO_SIZE => Err(Error::BadArgument),
            files::WRITE => self.write(process, second as usize),
            files::SET_MODE => self.set_mode(first).map(|before| Some([before, 0, 0, 0])),
            files::SIZE => {
                let (rows, columns) = self.terminal.size();
                Ok(Some([rows.into(), columns.into(), 0, 0]))
            }
            _ => Err(Error::NotSupported),
        }
    }

    fn read(&mut self, process: u64, room: usize) -> Result<Option<[u64; WORDS]>, Error> {
        let is_stopped = self.stopped.contains(&process);
        let may_read = self.may_read(process);
        if is_stopped || may_read.is_none() {
            let place = self.place().ok_or(Error::Busy)?;
            let room = Some(room);
            let parked = Parked { process, place, room };
            if is_stopped {
                // It was stopped just when it asked.
                self.paused.push(parked);
            } else {
                self.asked.push(parked);
                self.has_asked = true;
            }
            return Ok(None);
        }
        if may_read == Some(false) {
            return Err(Error::PermissionDenied);
        }
        match self.terminal.read(process, GROUP, &mut self.buffer[..room]) {
            Outcome::Done(len) => {
                self.kernel.write(process, &self.buffer[..len]);
                Ok(Some([len as u64, 0, 0, 0]))
            }
            Outcome::Park(ticket) => self.park(process, ticket, Some(room)),
            Outcome::Refused(_) => Err(Error::Busy),
        }
    }

    fn write(&mut self, process: u64, len: usize) -> Result<Option<[u64; WORDS]>, Error> {
        self.kernel.read(process, &mut self.buffer[..len]);
        match self.terminal.write(process, &self.buffer[..len]) {
            Outcome::Done(count) => Ok(Some([count as u64, 0, 0, 0])),
            Outcome::Park(ticket) => self.park(process, ticket, None),
            Outcome::Refused(_) => Err(Error::Busy),
        }
    }

    fn set_mode(&mut self, mode: u64) -> Result<u64, Error> {
        let before = if self.terminal.settings().edit {
            LINES
        } else {
            BYTES
        };
        self.terminal.set_settings(match mode {
            LINES => Settings::COOKED,
            BYTES => RAW,
            _ => return Err(Error::BadArgument),
        });
        Ok(before)
    }

    fn park(
        &mut self,
        process: u64,
        ticket: Ticket,
        room: Option<usize>,
    ) -> Result<Option<[u64; WORDS]>, Error> {
        let Some(place) = self.place() else {
            self.terminal.cancel(ticket);
            return Err(Error::Busy);
        };
        self.parked.insert(ticket, Parked { process, place, room });
        Ok(None)
    }

    /// A place with the right to answer the request at hand.
    fn place(&mut self) -> Option<u64> {
        let place = *self.free.last()?;
        if !self.kernel.save_reply(place) {
            return None;
        }
        self.free.pop()
    }

    fn answer_parked(&mut self) {
        while let Some(Completed {
            ticket,
            client,
            count,
            bytes,
        }) = self.terminal.ready()
        {
            let Some(Parked { place, .. }) = self.parked.remove(&ticket) else {
                continue;
            };
            self.free.push(place);
            let reply = if self.kernel.is_connected(client) {
                self.kernel.write(client, &bytes);
                Ok([count as u64, 0, 0, 0])
            } else {
                Err(Error::NotConnected)
            };
            self.kernel.reply(place, reply.into());
        }
    }
}
