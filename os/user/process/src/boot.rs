//! From what the kernel gives to the first process.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use abi::layout::PAGE_SIZE;
use abi::start::{KernelInfo, RootInfo, kind, right, slot as root_slot};
use processes::{Group, Limits, Table};
use protocol::start::{Header, MAX_LEN, Stream, Writer};
use protocol::{Error, address, slot};
use root::{Addresses, Child, Chunks, Gift, Program, Slots, SpawnError};

use crate::lives::{SERVERS, Server, own};
use crate::registry;
use crate::shared::Shared;
use crate::spawn::{Extra, MACHINE};
use crate::system::News;

/// The programs that may be the first process, in this order.
const FIRST: [&str; 2] = ["system-suite", "init"];

/// Slots of the table of a server that has buffers of clients.
const SERVER_SLOTS: u64 = 8192;

/// Memory of the servers, in large pages.
const FILES_MEMORY: u64 = 24 << 20;
const CONSOLE_MEMORY: u64 = 2 << 20;
const LARGE: u64 = 2 << 20;

/// Why there is no system.
#[derive(Debug)]
pub(crate) enum BootError {
    /// The kernel refused what the server needs.
    Call(abi::Error),
    /// A program cannot be started.
    Program(&'static str, SpawnError),
    /// The initrd lacks a program.
    Missing(&'static str),
    /// The first process cannot be started.
    First(Error),
}

impl From<abi::Error> for BootError {
    fn from(error: abi::Error) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for BootError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => error.fmt(out),
            Self::Program(name, error) => write!(out, "{name} cannot be started: {error}"),
            Self::Missing(name) => write!(out, "the initrd has no {name}"),
            Self::First(error) => write!(out, "the first process cannot be started: {error}"),
        }
    }
}

/// Starts the servers and the first process.
pub(crate) fn boot(argument: u64) -> Result<Server, BootError> {
    // SAFETY: this is the first program, and the argument is what the kernel started it with.
    let (info, initrd) = unsafe {
        let info = root::info(argument);
        (info, root::initrd(&info))
    };
    let name = FIRST.into_iter().find(|name| initrd.find(name).is_some());
    let name = name.ok_or(BootError::Missing(FIRST[1]))?;
    let mut server = Server {
        addresses: Addresses::new(&info, &initrd),
        initrd,
        chunks: Chunks::new(info.untyped),
        slots: Box::new(Slots::new(own::REST.start, own::REST.end)),
        table: Table::new(name, Limits::default()),
        lives: BTreeMap::new(),
        clients: vec![None],
        parked: BTreeMap::new(),
        session: Table::FIRST,
        memory: memory()?,
        shared: Shared::default(),
        servers: Vec::new(),
        news: News::default(),
        is_connected: false,
        has_registry: false,
    };
    for (kind, at) in [
        (kind::ENDPOINT, own::SERVICE),
        (kind::ENDPOINT, own::FILES),
        (kind::ENDPOINT, own::CONSOLE),
        (kind::ENDPOINT, own::NAMES),
        (kind::NOTIFICATION, own::SIGNALS),
        (kind::NOTIFICATION, own::EVENTS),
    ] {
        server.chunks.make_for_ever(kind, 0, 0, at)?;
    }
    for (to, from) in [(own::TO_FILES, own::FILES), (own::TO_CONSOLE, own::CONSOLE)] {
        syscall::capability_mint(0, to, from, right::WRITE | right::GRANT, protocol::PROCESS_SERVER)?;
    }
    registry::prepare()?;
    syscall::receive_slot(own::RECEIVED)?;
    syscall::thread_bind(root_slot::THREAD, own::SIGNALS)?;
    server.start_files(&info)?;
    server.start_console(&info)?;
    server.start_first(name)?;
    Ok(server)
}

/// Bytes of memory that the machine has.
fn memory() -> Result<u64, abi::Error> {
    let mut numbers = [0; size_of::<KernelInfo>()];
    syscall::kernel_statistics(&mut numbers)?;
    Ok(numbers[..8]
        .iter()
        .rev()
        .fold(0, |word, &byte| word << 8 | u64::from(byte)))
}

impl Server {
    fn start_files(&mut self, info: &RootInfo) -> Result<(), BootError> {
        let start = core::ptr::with_exposed_provenance::<u8>(info.initrd as usize);
        // SAFETY: the kernel has mapped the initrd there, for ever, and nobody writes to it.
        let initrd = unsafe { core::slice::from_raw_parts(start, info.initrd_len as usize) };
        let variables = [format!("INITRD_LEN={}", initrd.len())];
        let signals = Gift {
            to: slot::SIGNALS,
            from: own::SIGNALS,
            rights: right::WRITE,
            badge: None,
        };
        let gifts = [service(own::FILES), signals];
        let mut child = self.new_server("files", 1, &variables, &gifts, FILES_MEMORY, SERVER_SLOTS)?;
        let pages = (initrd.len() as u64).div_ceil(PAGE_SIZE);
        child.fill(
            address::DEVICE,
            pages,
            right::READ,
            &mut self.chunks,
            &mut self.slots,
            |page, bytes| {
                let rest = &initrd[(page - address::DEVICE) as usize..];
                let len = rest.len().min(bytes.len());
                bytes[..len].copy_from_slice(&rest[..len]);
            },
        )?;
        child.start()?;
        self.servers.push(child);
        Ok(())
    }

    fn start_console(&mut self, info: &RootInfo) -> Result<(), BootError> {
        let number = info.serial_interrupt;
        let variables = [format!(
            "SERIAL={},{},{number}",
            info.serial_kind, info.serial_base
        )];
        let gift = |to, from, rights, badge| Gift {
            to,
            from,
            rights,
            badge,
        };
        let mut gifts = vec![
            service(own::CONSOLE),
            gift(slot::EVENTS, own::EVENTS, right::ALL, Some(1)),
            gift(slot::SIGNALS, own::SIGNALS, right::WRITE, None),
            gift(
                slot::INTERRUPT,
                root_slot::INTERRUPTS,
                right::ALL,
                Some(number << 32 | number),
            ),
        ];
        if info.serial_kind == 1 {
            let (first, last) = (info.serial_base, info.serial_base + 7);
            gifts.push(gift(
                slot::PORTS,
                root_slot::PORTS,
                right::ALL,
                Some(last << 32 | first),
            ));
        }
        let child = self.new_server("console", 2, &variables, &gifts, CONSOLE_MEMORY, SERVER_SLOTS)?;
        if info.serial_untyped != 0 {
            syscall::retype(info.serial_untyped, kind::FRAME, PAGE_SIZE, 1, 0, own::REGISTERS)?;
            let access = right::READ | right::WRITE;
            syscall::map(child.space, 0, own::REGISTERS, address::DEVICE, access)?;
        }
        child.start()?;
        self.servers.push(child);
        Ok(())
    }

    /// Makes a server, which does not run yet, with all the memory that it will ever have.
    pub(crate) fn new_server(
        &mut self,
        name: &'static str,
        number: u64,
        variables: &[String],
        gifts: &[Gift],
        memory: u64,
        slots: u64,
    ) -> Result<Child, BootError> {
        let file = self.initrd.find(name).ok_or(BootError::Missing(name))?;
        let mut placement = self.addresses.choose();
        // Its heap consists of large pages.
        placement.heap = placement.heap.next_multiple_of(LARGE);
        let header = Header {
            arguments: 1,
            variables: variables.len() as u64,
            heap: memory,
            heap_start: placement.heap,
            ..Header::default()
        };
        let record = record(&header, name, &[name], variables);
        let mut all = vec![Gift::CONSOLE];
        all.extend_from_slice(gifts);
        let program = Program {
            file: file.data,
            machine: MACHINE,
            placement,
            endpoint: own::SERVICE,
            badge: SERVERS + number,
            argument: 0,
            record: &record,
            slots,
            gifts: &all,
        };
        let child = Child::new(&program, &mut self.chunks, &mut self.slots)
            .map_err(|error| BootError::Program(name, error))?;
        for offset in (0..memory).step_by(LARGE as usize) {
            let frame = self.slots.take().ok_or(abi::Error::TooMany)?;
            self.chunks.make_for_ever(kind::FRAME, LARGE, 0, frame)?;
            syscall::map(
                child.space,
                0,
                frame,
                placement.heap + offset,
                right::READ | right::WRITE,
            )?;
        }
        Ok(child)
    }

    fn start_first(&mut self, name: &str) -> Result<(), BootError> {
        let console = Stream { server: 2, handle: 0 };
        let variables = ["PATH=/bin", "HOME=/home", "TERM=vt100"].map(String::from);
        let header = Header {
            arguments: 1,
            variables: variables.len() as u64,
            streams: [console; 3],
            ..Header::default()
        };
        let record = record(&header, &format!("/bin/{name}"), &[name], &variables);
        self.spawn(
            0,
            None,
            record,
            Group::New,
            Extra {
                may_power_off: true,
                ..Extra::default()
            },
        )
        .map_err(BootError::First)?;
        Ok(())
    }
}

/// The right to receive at a server's endpoint.
pub(crate) fn service(endpoint: u64) -> Gift {
    Gift {
        to: slot::SERVICE,
        from: endpoint,
        rights: right::READ,
        badge: None,
    }
}

/// A start record for a program in the root directory.
fn record(header: &Header, program: &str, arguments: &[&str], variables: &[String]) -> Vec<u8> {
    let mut bytes = vec![0; MAX_LEN];
    let mut len = 0;
    if let Some(mut writer) = Writer::new(&mut bytes, header) {
        let texts = ["/", program].into_iter().chain(arguments.iter().copied());
        for text in texts.chain(variables.iter().map(String::as_str)) {
            // All of them together are far shorter than a record may be.
            let _ = writer.text(text);
        }
        len = writer.len();
    }
    bytes.truncate(len);
    let length = protocol::start::LENGTH * 8;
    bytes[length..length + 8].copy_from_slice(&(len as u64).to_le_bytes());
    bytes
}
