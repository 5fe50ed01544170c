//! What the process server is to the file server and its clients: it starts them, gives memory, passes handles on, and
//! tells who is gone.

use core::fmt;

use abi::start::{RootInfo, kind, right, slot};
use abi::{Error, Message, Tag};
use kcore::elf::{ElfError, Program};
use protocol::start::{Header, Writer};
use protocol::{IO_SIZE, OK, PROCESS_SERVER, address, files, process, signal_bit};
use rt::alloc::format;
use syscall::FOREVER;

use crate::load::{Child, LARGE, Loader, PLACE};
use crate::parts::{Part, TELL_READY, TO_PASS_ON};

/// Slots of the own table that nothing else uses.
const FREE: u64 = 4096;

/// Slots of tables: the file server's, and others'.
const SERVER_SLOTS: u64 = 8192;
const CLIENT_SLOTS: u64 = 64;

/// Badges of the servers at the own endpoint. Clients have their numbers.
const SERVER: u64 = 1000;
const CONSOLE: u64 = 1001;

/// Which server a badge is of.
fn server_of(badge: u64) -> Option<usize> {
    [SERVER, CONSOLE].iter().position(|&server| server == badge)
}

/// How long to wait for somebody who types, in nanoseconds.
const PATIENCE: u64 = 20_000_000_000;

/// The highest number of a client here.
const CLIENTS: usize = 16;

/// ELF number of this architecture.
const MACHINE: u16 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else {
    243
};

/// What went wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    Call(Error),
    Elf(ElfError),
    Missing(&'static str),
    /// Badge and exit code.
    Exit(u64, u64),
    /// Badge, and what the kernel reported.
    Fault(u64, [u64; 4]),
    /// A request of the process server was refused.
    Refused(u32, protocol::Error),
    /// Bits of signals that are not the expected ones.
    Signals(u64, u64),
    /// A message that nobody should send.
    Message(u64, u32),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => error.fmt(out),
            Self::Elf(error) => error.fmt(out),
            Self::Missing(name) => write!(out, "the initrd has no {name}"),
            Self::Exit(badge, code) => write!(out, "process {badge} ended with {code}"),
            Self::Fault(badge, words) => write!(out, "process {badge} faulted: {words:x?}"),
            Self::Refused(label, error) => write!(out, "request {label} of the process server: {error}"),
            Self::Signals(first, second) => write!(out, "the keys signalled {first} and {second}"),
            Self::Message(badge, label) => write!(out, "process {badge} sent a message {label}"),
        }
    }
}

struct Parent {
    loader: Loader,
    image: &'static [u8],
    /// The endpoint at which this program receives, the file server's, and that one with the process server's badge.
    own: u64,
    service: u64,
    manager: u64,
    clients: [Option<Child>; CLIENTS],
    /// Slots of the frames of their buffers.
    buffers: [u64; CLIENTS],
    /// The file server and the console server.
    servers: [Option<Child>; 2],
    /// The console server's endpoint, and the same with the process server's badge, once it runs.
    console: Option<(u64, u64)>,
    /// Bytes that the heaps of servers have got.
    heap: [u64; 2],
    /// Handle that was passed on last.
    passed: u64,
}

/// Runs all parts.
pub(crate) fn run(argument: u64) -> Result<(), Failure> {
    // SAFETY: this is the first program, and the argument is what the kernel started it with.
    let (info, archive) = unsafe {
        let info = root::info(argument);
        (info, root::initrd(&info))
    };
    let start = core::ptr::with_exposed_provenance::<u8>(info.initrd as usize);
    // SAFETY: as above: the kernel has mapped the initrd there, for ever, and nobody writes to it.
    let initrd = unsafe { core::slice::from_raw_parts(start, info.initrd_len as usize) };
    let mut loader = Loader::new(FREE);
    let own = loader.make(kind::ENDPOINT, 0)?;
    let service = loader.make(kind::ENDPOINT, 0)?;
    let manager = loader.slot();
    syscall::capability_mint(0, manager, service, right::WRITE | right::GRANT, PROCESS_SERVER)?;
    let mut parent = Parent {
        loader,
        image: archive.find("root").ok_or(Failure::Missing("root"))?.data,
        own,
        service,
        manager,
        clients: [None; CLIENTS],
        buffers: [0; CLIENTS],
        servers: [None; 2],
        console: None,
        heap: [0; 2],
        passed: 0,
    };
    parent.start_server(
        archive.find("files").ok_or(Failure::Missing("files"))?.data,
        initrd,
    )?;
    parent.parts()?;
    // Only with somebody who types.
    match archive.find("console") {
        Some(file) => parent.console_part(file.data, &info),
        None => Ok(()),
    }
}

impl Parent {
    fn parts(&mut self) -> Result<(), Failure> {
        self.start(1, Part::Alone, 0)?;
        self.wait_for(1)?;
        rt::println!("files-suite: one client has used every request");
        // The reader passes its other end on before it reads.
        self.start(2, Part::Reader, 3)?;
        self.wait_for_label(2, TO_PASS_ON)?;
        self.start(3, Part::Writer, self.passed)?;
        self.wait_for(3)?;
        self.wait_for(2)?;
        rt::println!("files-suite: two clients have used a pipe");
        self.start(4, Part::Waiter, 5)?;
        self.wait_for_label(4, TELL_READY)?;
        // Its request comes next: it has no other to make.
        syscall::sleep(50_000_000)?;
        self.kill(4)?;
        self.start(5, Part::Survivor, self.passed)?;
        self.wait_for(5)?;
        rt::println!("files-suite: a client that waited is gone, and so is its end of the pipe");
        self.start(6, Part::Traitor, 0)?;
        self.wait_for(6)?;
        rt::println!("files-suite: a client has taken its buffer back, and the server goes on");
        // The number comes again, and the server still serves.
        self.start(4, Part::Alone, 0)?;
        self.wait_for(4)
    }

    fn console_part(&mut self, file: &[u8], info: &RootInfo) -> Result<(), Failure> {
        let service = self.loader.make(kind::ENDPOINT, 0)?;
        let signals = self.loader.make(kind::NOTIFICATION, 0)?;
        self.start_console(file, info, service, signals)?;
        let manager = self.loader.slot();
        syscall::capability_mint(0, manager, service, right::WRITE | right::GRANT, PROCESS_SERVER)?;
        self.console = Some((service, manager));
        self.start(7, Part::Typist, 0)?;
        self.wait_for(7)?;
        rt::println!("files-suite: somebody has typed; now the interrupt key");
        let bits = syscall::wait(signals, PATIENCE)?;
        rt::println!("files-suite: now the stop key");
        let more = syscall::wait(signals, PATIENCE)?;
        if [bits, more] != [signal_bit::INTERRUPT, signal_bit::STOP] {
            return Err(Failure::Signals(bits, more));
        }
        Ok(())
    }

    fn start_console(
        &mut self,
        file: &[u8],
        info: &RootInfo,
        service: u64,
        signals: u64,
    ) -> Result<(), Failure> {
        let program = Program::parse(file, MACHINE, PLACE.image).map_err(Failure::Elf)?;
        let child = self.loader.load(&program, SERVER_SLOTS)?;
        let (base, interrupt) = (info.serial_base, info.serial_interrupt);
        if info.serial_untyped != 0 {
            let registers = self.loader.slot();
            syscall::retype(
                info.serial_untyped,
                kind::FRAME,
                abi::layout::PAGE_SIZE,
                1,
                0,
                registers,
            )?;
            let access = right::READ | right::WRITE;
            syscall::map(child.space, 0, registers, address::DEVICE, access)?;
        } else {
            let range = base | (base + 7) << 32;
            syscall::capability_mint(child.table, protocol::slot::PORTS, slot::PORTS, right::ALL, range)?;
        }
        let range = interrupt | interrupt << 32;
        syscall::capability_mint(
            child.table,
            protocol::slot::INTERRUPT,
            slot::INTERRUPTS,
            right::ALL,
            range,
        )?;
        let events = self.loader.make(kind::NOTIFICATION, 0)?;
        for (to, from, rights) in [
            (protocol::slot::SERVICE, service, right::READ),
            (protocol::slot::SPACE, child.space, right::ALL),
            (protocol::slot::THREAD, child.thread, right::ALL),
            (protocol::slot::EVENTS, events, right::ALL),
            (protocol::slot::SIGNALS, signals, right::WRITE),
        ] {
            syscall::capability_copy(child.table, to, from, rights)?;
        }
        let serial = format!("SERIAL={},{base},{interrupt}", info.serial_kind);
        self.record(child, ["/", "console", "console", &serial])?;
        self.run(child, CONSOLE, program.entry, PLACE.record)
    }

    /// Gives a server its start record: directory, program, argument 0, and one variable.
    fn record(&mut self, child: Child, texts: [&str; 4]) -> Result<(), Failure> {
        let header = Header {
            arguments: 1,
            variables: 1,
            ..Header::default()
        };
        self.loader.frame(
            child,
            abi::layout::PAGE_SIZE,
            PLACE.record,
            right::READ,
            |bytes| {
                // The page has room for it.
                let _ = Writer::new(bytes, &header)
                    .and_then(|mut record| texts.iter().try_for_each(|text| record.text(text)));
            },
        )?;
        Ok(())
    }

    fn start_server(&mut self, file: &[u8], initrd: &[u8]) -> Result<(), Failure> {
        let program = Program::parse(file, MACHINE, PLACE.image).map_err(Failure::Elf)?;
        let child = self.loader.load(&program, SERVER_SLOTS)?;
        for (piece, at) in initrd
            .chunks(LARGE as usize)
            .zip((address::DEVICE..).step_by(LARGE as usize))
        {
            self.loader.frame(child, LARGE, at, right::READ, |bytes| {
                bytes[..piece.len()].copy_from_slice(piece)
            })?;
        }
        self.record(
            child,
            ["/", "files", "files", &format!("INITRD_LEN={}", initrd.len())],
        )?;
        syscall::capability_copy(child.table, protocol::slot::SERVICE, self.service, right::READ)?;
        syscall::capability_copy(child.table, protocol::slot::SPACE, child.space, right::ALL)?;
        self.run(child, SERVER, program.entry, PLACE.record)
    }

    /// Starts this program as a client.
    fn start(&mut self, number: u64, part: Part, handle: u64) -> Result<(), Failure> {
        let program = Program::parse(self.image, MACHINE, PLACE.image).map_err(Failure::Elf)?;
        let child = self.loader.load(&program, CLIENT_SLOTS)?;
        let access = right::READ | right::WRITE;
        let frame = self.loader.frame(child, IO_SIZE, PLACE.io, access, |_| {})?;
        syscall::capability_copy(child.table, protocol::slot::IO, frame, access)?;
        let rights = right::WRITE | right::GRANT;
        syscall::capability_mint(child.table, protocol::slot::FILES, self.service, rights, number)?;
        if let Some((console, _)) = self.console {
            syscall::capability_mint(child.table, protocol::slot::CONSOLE, console, rights, number)?;
        }
        self.buffers[number as usize] = frame;
        self.clients[number as usize] = Some(child);
        self.run(child, number, program.entry, part as u64 | handle << 8)
    }

    fn run(&mut self, child: Child, badge: u64, entry: u64, argument: u64) -> Result<(), Failure> {
        let rights = right::WRITE | right::GRANT;
        if let Some(server) = server_of(badge) {
            self.servers[server] = Some(child);
        }
        let faults = self.loader.slot();
        syscall::capability_mint(0, faults, self.own, rights, badge)?;
        syscall::capability_copy(child.table, slot::PARENT, faults, rights)?;
        syscall::capability_copy(child.table, slot::MACHINE, slot::MACHINE, right::WRITE)?;
        syscall::thread_configure(child.thread, child.table, child.space, faults)?;
        syscall::thread_start(child.thread, entry, PLACE.stack_top, argument)?;
        Ok(())
    }

    /// Serves until a client has ended.
    fn wait_for(&mut self, number: u64) -> Result<(), Failure> {
        loop {
            let (badge, label) = self.serve()?;
            if (badge, label) == (number, process::EXIT) {
                return Ok(());
            }
        }
    }

    /// Serves until a client has said something.
    fn wait_for_label(&mut self, number: u64, label: u32) -> Result<(), Failure> {
        while self.serve()? != (number, label) {}
        Ok(())
    }

    /// Serves one message, and tells which.
    fn serve(&mut self) -> Result<(u64, u32), Failure> {
        let Message { badge, tag, words } = syscall::receive(self.own, FOREVER)?;
        if tag.is_fault() {
            return Err(Failure::Fault(badge, words));
        }
        let [first, second, ..] = words;
        match tag.label() {
            process::EXIT if server_of(badge).is_some() || first != 0 => {
                return Err(Failure::Exit(badge, first));
            }
            process::EXIT => self.kill(badge)?,
            process::GROW => {
                let (start, len) = self.grow(badge, first)?;
                syscall::reply(0, Tag::new(OK).0, start, len, 0, 0)?;
            }
            process::CONNECT => {
                self.connect(badge, first)?;
                syscall::reply(0, Tag::new(OK).0, 0, 0, 0, 0)?;
            }
            TO_PASS_ON => {
                self.passed = self.ask(files::PASS_ON, [first, badge, second])?;
                syscall::reply(0, Tag::new(OK).0, 0, 0, 0, 0)?;
            }
            TELL_READY => {
                syscall::reply(0, Tag::new(OK).0, 0, 0, 0, 0)?;
            }
            label => return Err(Failure::Message(badge, label)),
        }
        Ok((badge, tag.label()))
    }

    /// Gives a server the buffer of a client.
    fn connect(&self, badge: u64, server: u64) -> Result<(), Failure> {
        let manager = match (server, self.console) {
            (1, _) => self.manager,
            (2, Some((_, manager))) => manager,
            _ => return Err(Failure::Message(badge, process::CONNECT)),
        };
        let frame = self.buffers.get(badge as usize).copied().unwrap_or(0);
        let tag = Tag::new(files::CONNECT).with_capability();
        let reply = syscall::call(manager, tag.0, badge, 0, 0, frame)?;
        match reply.tag.label() {
            OK => Ok(()),
            error => Err(Failure::Refused(
                files::CONNECT,
                protocol::Error::from_label(error),
            )),
        }
    }

    /// Memory for the heap of a server. Clients get none: they do without.
    fn grow(&mut self, badge: u64, bytes: u64) -> Result<(u64, u64), Failure> {
        let server = server_of(badge).filter(|_| bytes <= LARGE);
        let server = server.ok_or(Failure::Message(badge, process::GROW))?;
        let child = self.servers[server].ok_or(Failure::Message(badge, process::GROW))?;
        let at = PLACE.heap + self.heap[server];
        self.loader
            .frame(child, LARGE, at, right::READ | right::WRITE, |_| {})?;
        self.heap[server] += LARGE;
        Ok((at, LARGE))
    }

    /// Ends a client, whatever it does, and tells the file server.
    fn kill(&mut self, number: u64) -> Result<(), Failure> {
        let child = self.clients.get_mut(number as usize).and_then(Option::take);
        let Child { table, space, thread } = child.ok_or(Failure::Message(number, process::EXIT))?;
        syscall::thread_suspend(thread)?;
        self.ask(files::GONE, [number, 0, 0])?;
        for slot in [thread, table, space] {
            syscall::capability_delete(0, slot)?;
        }
        Ok(())
    }

    /// A request of the process server to the file server. Returns the first word of the answer.
    fn ask(&mut self, label: u32, [a, b, c]: [u64; 3]) -> Result<u64, Failure> {
        let reply = syscall::call(self.manager, Tag::new(label).0, a, b, c, 0)?;
        match reply.tag.label() {
            OK => Ok(reply.words[0]),
            error => Err(Failure::Refused(label, protocol::Error::from_label(error))),
        }
    }
}
