//! Starting programs.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use abi::Tag;
use abi::layout::STACK_SIZE;
use abi::start::right;
use processes::{Group, Pid, Spawn, Table};
use protocol::start::{Reader, Stream};
use protocol::{Error, IO_SIZE, files, slot};
use root::{Child, Gift, Limit, Program, SpawnError, TABLE_SLOTS};

use crate::as_client::arguments_text;
use crate::lives::{Life, Server, error_of, error_of_call, own};
use crate::registry::Provides;

/// ELF number of this architecture.
pub(crate) const MACHINE: u16 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else {
    243
};

/// How many messages a program may send to each of the servers. Each has gates of its own, so that what one program has used
/// up is not missing elsewhere. Whoever waits for its answers and does something with them stays below that on any machine
/// that the system was tried on; who only sends uses up a part of a server's time, and not all of it.
const LIMIT: Limit = Limit {
    rate: 50_000,
    burst: 50_000,
};

/// Offsets in a record of what this server fills in.
const PROCESS: usize = 8;
const GROUP: usize = 16;
const STREAMS: usize = 40;
const HEAP: usize = 88;
const LENGTH: usize = 96;
const HEAP_START: usize = 104;
const IO: usize = 112;
const CHANNELS: usize = 120;
const THREADS: usize = 128;

/// What a program gets besides its record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extra {
    /// Whether it may switch the machine off.
    pub(crate) may_power_off: bool,
    /// Bits of the ends of channels that its parent gives it.
    pub(crate) ends: u64,
    /// Whether the capability that came with the request is for it.
    pub(crate) inherits: bool,
}

impl Server {
    /// Starts the program that a record describes, as a child of `parent`, whose streams it names; the first process has
    /// none.
    pub(crate) fn spawn(
        &mut self,
        parent: Pid,
        parent_client: Option<u64>,
        mut record: Vec<u8>,
        group: Group,
        extra: Extra,
    ) -> Result<Pid, Error> {
        let reader = Reader::new(&record).ok_or(Error::BadArgument)?;
        let streams = reader.header.streams;
        let path = String::from(reader.program());
        let path = path.trim_start_matches('/');
        let name = path.rsplit('/').next().unwrap_or_default();
        let shown = String::from(reader.arguments().next().unwrap_or(name));
        let arguments = arguments_text(reader.arguments());
        let provides = if parent_client.is_none() {
            Provides::All
        } else {
            let wanted = Provides::of(&reader)?;
            let parent = self.lives.get(&parent).ok_or(Error::NoProcess)?;
            if !parent.provides.covers(&wanted) {
                return Err(Error::PermissionDenied);
            }
            wanted
        };
        // What `/bin` shows is the initrd's; the file server need not be asked for it.
        let in_bin = path.strip_prefix("bin/").filter(|name| !name.contains('/'));
        let in_initrd = in_bin.and_then(|name| self.initrd.find(path).or_else(|| self.initrd.find(name)));
        let file = match in_initrd {
            Some(file) => Cow::Borrowed(file.data),
            None => Cow::Owned(self.read_program(path)?),
        };
        let client = self.free_client().ok_or(Error::TooManyProcesses)?;
        let pid = match parent_client {
            Some(_) => {
                let spawn = Spawn {
                    parent,
                    name: shown.rsplit('/').next().unwrap_or(name),
                    group,
                };
                self.table.spawn(spawn).map_err(error_of)?
            }
            None => Table::FIRST,
        };
        let made = self.make(
            pid,
            client,
            parent_client,
            &mut record,
            &streams,
            &file,
            extra,
            arguments,
            provides,
        );
        if made.is_ok() && extra.ends != 0 {
            self.pass_ends(parent, pid, extra.ends);
        }
        let made = made.and_then(|()| self.let_go(pid));
        if let Err(error) = made {
            self.forget_client(client);
            if parent_client.is_some() {
                self.table.forget(pid);
            }
            return Err(error);
        }
        Ok(pid)
    }

    #[expect(clippy::too_many_arguments, reason = "what a program consists of")]
    fn make(
        &mut self,
        pid: Pid,
        client: u64,
        parent_client: Option<u64>,
        record: &mut [u8],
        streams: &[Stream; 3],
        file: &[u8],
        extra: Extra,
        arguments: String,
        provides: Provides,
    ) -> Result<(), Error> {
        let len = record.len() as u64;
        let mut put = |at: usize, word: u64| record[at..at + 8].copy_from_slice(&word.to_le_bytes());
        let group = self.table.info(pid).map_err(error_of)?.group;
        put(PROCESS, u64::from(pid));
        put(GROUP, u64::from(group));
        put(HEAP, 0);
        put(LENGTH, len);
        let placement = self.addresses.choose();
        put(HEAP_START, placement.heap);
        put(IO, placement.io);
        put(CHANNELS, placement.channels);
        put(THREADS, placement.threads);
        for (number, stream) in streams.iter().enumerate() {
            let given = self.pass_on(*stream, parent_client, client)?;
            put(STREAMS + number * 16, given.server);
            put(STREAMS + number * 16 + 8, given.handle);
        }
        let inherited = [Gift {
            to: slot::INHERITED,
            from: own::RECEIVED,
            rights: right::ALL,
            badge: None,
        }];
        let program = Program {
            file,
            machine: MACHINE,
            placement,
            endpoint: own::SERVICE,
            badge: client,
            argument: 0,
            record,
            slots: TABLE_SLOTS,
            gifts: if extra.inherits { &inherited } else { &[] },
        };
        let child = Child::new(&program, &mut self.chunks, &mut self.slots).map_err(error_of_spawn)?;
        let Some(buffer) = self.slots.take() else {
            child.end(&mut self.chunks, &mut self.slots);
            return Err(Error::NoMemory);
        };
        let mut life = Life {
            child,
            client,
            buffer,
            may_power_off: extra.may_power_off,
            holds_interrupts: false,
            was_interrupted: false,
            holds_terminate: false,
            was_asked_to_end: false,
            arguments,
            heap: 0,
            stack: STACK_SIZE,
            provides,
            knows_names: false,
            endpoints: 0,
            pieces: Vec::new(),
        };
        let gates = [
            (slot::PROCESS, own::SERVICE),
            (slot::FILES, own::FILES),
            (slot::CONSOLE, own::CONSOLE),
        ];
        let child = &mut life.child;
        let limited = gates.into_iter().try_for_each(|(to, server)| {
            child.gate(to, server, client, LIMIT, &mut self.chunks, &mut self.slots)
        });
        let started = limited
            .and_then(|()| {
                child.share(
                    IO_SIZE,
                    buffer,
                    slot::IO,
                    placement.io,
                    &mut self.chunks,
                    &mut self.slots,
                )
            })
            // Its own table, for threads that it makes.
            .and_then(|()| {
                let table = life.child.table;
                syscall::capability_copy(table, abi::start::slot::TABLE, table, right::ALL).map(drop)
            });
        if let Err(error) = started {
            life.child.end(&mut self.chunks, &mut self.slots);
            self.slots.give_back(buffer);
            return Err(error_of_call(error));
        }
        self.clients[client as usize] = Some(pid);
        self.lives.insert(pid, life);
        Ok(())
    }

    /// Lets a program run that was made.
    fn let_go(&mut self, pid: Pid) -> Result<(), Error> {
        let life = self.lives.get(&pid).ok_or(Error::NoProcess)?;
        life.child.start().map_err(|error| {
            self.destroy(pid);
            error_of_call(error)
        })
    }

    /// Gives a program a standard stream of its parent's.
    fn pass_on(&self, stream: Stream, from: Option<u64>, to: u64) -> Result<Stream, Error> {
        let (1, Some(from)) = (stream.server, from) else {
            return Ok(stream);
        };
        let tag = Tag::new(files::PASS_ON);
        let reply = syscall::call(own::TO_FILES, tag.0, stream.handle, from, to, 0).map_err(error_of_call)?;
        match reply.tag.label() {
            protocol::OK => Ok(Stream {
                server: 1,
                handle: reply.words[0],
            }),
            label => Err(Error::from_label(label)),
        }
    }
}

/// What a program gets to know about one that cannot be started.
fn error_of_spawn(error: SpawnError) -> Error {
    match error {
        SpawnError::Elf(_) => Error::NotExecutable,
        SpawnError::Call(error) => error_of_call(error),
    }
}
