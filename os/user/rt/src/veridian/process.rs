//! Processes.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use protocol::list::Entries;
use protocol::process;
use protocol::start::{Header, Stream as Passed, Writer};

use super::channel::End;
use super::client;
use super::env;
use super::start::streams;
use super::{File, Stream, is_terminal, metadata};
use crate::fs::OpenOptions;
use crate::io::{Error, ErrorKind, Result};
use crate::path;
use crate::process::{Command, ExitStatus, Group, ProcessInfo, Signal, Stdio};
use crate::translate::{exit_status, process_state};

/// A process that this program started.
#[derive(Debug)]
pub(crate) struct Child {
    id: u32,
    ended: Option<ExitStatus>,
}

/// What a program is given besides its streams.
#[derive(Debug, Default)]
pub(crate) struct Gifts {
    pub(crate) ends: Vec<End>,
    /// Slot of a capability.
    pub(crate) capability: Option<u64>,
}

/// Whether this program may have the machine switched off, and so those that it starts, as far as it knows.
static MAY_POWER_OFF: AtomicBool = AtomicBool::new(true);

impl Child {
    pub(crate) fn spawn(command: &mut Command) -> Result<(u32, Self)> {
        let streams = core::mem::take(&mut command.streams);
        let directory = match &command.directory {
            Some(path) => env::directory(path)?,
            None => env::current_dir()?,
        };
        let program = path::absolute(&directory, &command.program).ok_or(ErrorKind::NotFound)?;
        check(&program)?;
        let mut variables = if command.clear_variables {
            BTreeMap::new()
        } else {
            env::variables()
        };
        variables.extend(command.variables.iter().cloned());
        // Those of files are duplicated for the program; this one's are closed at the end, whether it starts or not.
        let streams = Streams::new(streams)?;
        let name = command.name.as_ref().unwrap_or(&command.program);
        let record = Record {
            directory: &directory,
            program: program.trim_start_matches('/'),
            name,
            arguments: &command.arguments,
            variables: &variables,
            streams: streams.passed,
            may_power_off: command.may_power_off,
            provides: &command.provides,
        };
        let group = match command.group {
            Group::Inherit => 0,
            Group::New => 1,
            Group::Join(group) => group.into(),
        };
        let gifts = core::mem::take(&mut command.gifts);
        let id = record.spawn(group, &gifts)?;
        // The ends are the program's now, and are not to be closed.
        gifts.ends.into_iter().for_each(End::forget);
        Ok((id, Self { id, ended: None }))
    }

    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        loop {
            match self.ask(process_wait::STOPPED) {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        self.ask(process_wait::STOPPED | process_wait::LOOK)
    }

    fn ask(&mut self, how: u64) -> Result<Option<ExitStatus>> {
        if self.ended.is_some() {
            return Ok(self.ended);
        }
        let [found, status, ..] = client::ask_processes(process::WAIT, [self.id.into(), how, 0])?;
        if found == 0 {
            return Ok(None);
        }
        let status = exit_status(status);
        if status != ExitStatus::Stopped {
            self.ended = Some(status);
        }
        Ok(Some(status))
    }
}

/// How to wait.
mod process_wait {
    /// Only to look.
    pub(super) const LOOK: u64 = 1;
    /// To learn of stopped children too.
    pub(super) const STOPPED: u64 = 2;
}

/// That a program is there. The process server has its own view of the programs, and says less.
fn check(program: &str) -> Result<()> {
    match metadata(program) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(ErrorKind::PermissionDenied.into()),
        // Without a file server, the process server alone knows.
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
        Err(error) => Err(error),
    }
}

/// Standard streams for a program.
struct Streams {
    passed: [Passed; 3],
    /// Those that are this program's until it has started.
    _open: [Option<File>; 3],
}

impl Streams {
    fn new(streams: [Stdio; 3]) -> Result<Self> {
        let mut open = [None, None, None];
        let mut passed = self::streams();
        for ((stream, open), passed) in streams.into_iter().zip(&mut open).zip(&mut passed) {
            let file = match stream {
                Stdio::Inherit => continue,
                Stdio::Null => File::open("/dev/null", *OpenOptions::new().read(true).write(true))?,
                Stdio::File(file) => file.into_sys(),
            };
            *passed = file.stream();
            *open = Some(file);
        }
        Ok(Self { passed, _open: open })
    }
}

/// What a program is to be started with.
struct Record<'a> {
    directory: &'a str,
    /// Name of a file of the initrd.
    program: &'a str,
    name: &'a str,
    arguments: &'a [String],
    variables: &'a BTreeMap<String, String>,
    streams: [Passed; 3],
    may_power_off: bool,
    provides: &'a [String],
}

impl Record<'_> {
    /// Writes it and returns its length; `None` when there is too little room.
    fn write(&self, bytes: &mut [u8]) -> Option<usize> {
        let header = Header {
            // The process server fills in what is 0.
            process: 0,
            group: 0,
            arguments: self.arguments.len() as u64 + 1,
            variables: self.variables.len() as u64,
            streams: self.streams,
            heap: 0,
            length: 0,
            heap_start: 0,
            io: 0,
            channels: 0,
            threads: 0,
            provides: self.provides.len() as u64,
        };
        let mut writer = Writer::new(bytes, &header)?;
        for text in [self.directory, self.program, self.name] {
            writer.text(text)?;
        }
        for argument in self.arguments {
            writer.text(argument)?;
        }
        for (name, value) in self.variables {
            writer.joined(name, "=", value)?;
        }
        for name in self.provides {
            writer.text(name)?;
        }
        Some(writer.len())
    }

    /// Starts the program and returns its number.
    fn spawn(&self, group: u64, gifts: &Gifts) -> Result<u32> {
        let may_power_off = self.may_power_off && MAY_POWER_OFF.load(Ordering::Relaxed);
        match self.ask(group, may_power_off, gifts) {
            // Whether this program has the right, only the server knows.
            Err(error) if may_power_off && error.kind() == ErrorKind::PermissionDenied => {
                let id = self.ask(group, false, gifts)?;
                MAY_POWER_OFF.store(false, Ordering::Relaxed);
                Ok(id)
            }
            result => result,
        }
    }

    fn ask(&self, group: u64, may_power_off: bool, gifts: &Gifts) -> Result<u32> {
        client::with(|client| {
            let len = self
                .write(client.bytes_mut())
                .ok_or(ErrorKind::ArgumentListTooLong)?;
            let ends: u64 = gifts.ends.iter().map(|end| 256 << end.number()).sum();
            let words = [len as u64, group, u64::from(may_power_off) + ends];
            let [id, ..] = client.ask_processes_with(process::SPAWN, words, gifts.capability)?;
            Ok(id as u32)
        })
    }
}

fn send(target: u32, is_group: bool, signal: Signal) -> Result<()> {
    let number = match signal {
        // No signal, but what became of a process.
        Signal::Other => return Err(ErrorKind::InvalidInput.into()),
        // Nothing can catch signals, so these do the same.
        Signal::TerminalStop => Signal::Stop.number(),
        Signal::Hangup | Signal::Quit | Signal::Abort | Signal::Pipe => Signal::Terminate.number(),
        signal => signal.number(),
    };
    let words = [target.into(), is_group.into(), number.into()];
    client::ask_processes(process::KILL, words).map(drop)
}

pub(crate) fn kill(process: u32, signal: Signal) -> Result<()> {
    send(process, false, signal)
}

pub(crate) fn kill_group(group: u32, signal: Signal) -> Result<()> {
    send(group, true, signal)
}

pub(crate) fn set_foreground(group: u32) -> Result<()> {
    if !is_terminal(Stream::Input) {
        return Err(ErrorKind::Unsupported.into());
    }
    client::ask_processes(process::SET_FOREGROUND, [group.into(), 0, 0]).map(drop)
}

/// Whether interrupts are held back.
static HOLDS: AtomicBool = AtomicBool::new(false);

pub(crate) fn hold_interrupts() -> Result<()> {
    client::ask_processes(process::HOLD_INTERRUPTS, [1, 0, 0])?;
    HOLDS.store(true, Ordering::Relaxed);
    Ok(())
}

pub(crate) fn take_interrupt() -> bool {
    HOLDS.load(Ordering::Relaxed)
        && client::ask_processes(process::TAKE_INTERRUPT, [0; 3]).is_ok_and(|[taken, ..]| taken == 1)
}

pub(crate) fn processes() -> Result<Vec<ProcessInfo>> {
    let mut processes = Vec::new();
    let mut index = 0;
    loop {
        client::with(|client| {
            let [count, next, ..] = client.ask_processes(process::LIST, [index, 0, 0])?;
            let before = processes.len();
            let entries = Entries::new(client.bytes(protocol::IO_SIZE)).take(count as usize);
            processes.extend(entries.map(|entry| ProcessInfo {
                id: entry.process as u32,
                parent: entry.parent as u32,
                group: entry.group as u32,
                name: entry.name.into(),
                state: process_state(entry.state),
                memory: entry.memory,
                cpu_time: Duration::from_nanos(entry.time),
            }));
            if (processes.len() - before) as u64 != count || next != 0 && next <= index {
                return Err(Error::from(ErrorKind::InvalidData));
            }
            index = next;
            Ok(())
        })?;
        if index == 0 {
            processes.sort_by_key(|process| process.id);
            return Ok(processes);
        }
    }
}
