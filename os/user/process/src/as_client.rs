//! This server as a client of the file server: programs that are files, and the processes that it tells of.

use alloc::string::String;
use alloc::vec::Vec;

use abi::Tag;
use abi::start::{kind, right, slot};
use processes::State;
use protocol::list::{Entry, state};
use protocol::{Error, IO_SIZE, PROCESS_SERVER_AS_CLIENT, address, files};

use crate::lives::{Server, error_of_call, own, processor_time};

/// Where the own I/O buffer is: where servers have those of their clients, of which this one needs no such.
const BUFFER: u64 = address::CLIENTS;

/// Longest file that is taken for a program, in bytes.
const LONGEST: u64 = 16 << 20;

/// The own I/O buffer, once it is there.
fn buffer() -> &'static mut [u8] {
    let start = core::ptr::with_exposed_provenance_mut::<u8>(BUFFER as usize);
    // SAFETY: `connect` has mapped the frame there before anybody asks, for ever; this program has one thread, and nobody
    // in this module keeps the reference while it asks for another one or waits for the file server.
    unsafe { core::slice::from_raw_parts_mut(start, IO_SIZE as usize) }
}

/// Asks the file server, as the client that this server is or as its manager.
fn ask(server: u64, label: u32, [a, b]: [u64; 2]) -> Result<[u64; 4], Error> {
    let reply = syscall::call(server, Tag::new(label).0, a, b, 0, 0).map_err(error_of_call)?;
    match reply.tag.label() {
        protocol::OK => Ok(reply.words),
        label => Err(Error::from_label(label)),
    }
}

impl Server {
    /// Gives the file server the own I/O buffer, the first time.
    fn connect_self(&mut self) -> Result<(), Error> {
        if self.is_connected {
            return Ok(());
        }
        self.chunks
            .make_for_ever(kind::FRAME, IO_SIZE, 0, own::BUFFER)
            .and_then(|()| {
                let access = right::READ | right::WRITE;
                syscall::map(slot::SPACE, 0, own::BUFFER, BUFFER, access)
            })
            .map_err(error_of_call)?;
        connect(own::TO_FILES, PROCESS_SERVER_AS_CLIENT, own::BUFFER)?;
        let (rights, badge) = (right::WRITE, PROCESS_SERVER_AS_CLIENT);
        syscall::capability_mint(0, own::FILES_AS_CLIENT, own::FILES, rights, badge)
            .map_err(error_of_call)?;
        self.is_connected = true;
        Ok(())
    }

    /// The bytes of a file that is to be started.
    pub(crate) fn read_program(&mut self, path: &str) -> Result<Vec<u8>, Error> {
        self.connect_self()?;
        let len = path.len() + 1;
        let place = buffer().get_mut(..len).ok_or(Error::TooLong)?;
        place[0] = b'/';
        place[1..].copy_from_slice(path.as_bytes());
        let how = files::open::READ;
        let [handle, ..] = ask(own::FILES_AS_CLIENT, files::OPEN, [len as u64, how])?;
        let result = read_all(handle);
        // The file server has no reason to refuse that.
        let _ = ask(own::FILES_AS_CLIENT, files::CLOSE, [handle, 0]);
        result
    }

    /// Tells the file server which processes there are: it has asked.
    pub(crate) fn tell_processes(&mut self) {
        if let Err(error) = self.try_tell_processes() {
            rt::println!("process: the file server cannot be told of the processes: {error}");
        }
    }

    fn try_tell_processes(&mut self) -> Result<(), Error> {
        self.connect_self()?;
        let mut from = 0;
        loop {
            let (_, len, next) = self.write_processes(from, buffer());
            let words = [len as u64, u64::from(next != 0)];
            ask(own::TO_FILES, files::PROCESSES, words)?;
            if next == 0 {
                return Ok(());
            }
            from = next;
        }
    }

    /// Writes entries of processes from an index on, as many as fit: how many, their length, and the next index or 0.
    pub(crate) fn write_processes(&self, from: u64, bytes: &mut [u8]) -> (u64, usize, u64) {
        let all = self.table.processes();
        let (mut count, mut len) = (0, 0);
        for info in all.iter().skip(from as usize) {
            let life = self.lives.get(&info.pid);
            let entry = Entry {
                process: u64::from(info.pid),
                parent: u64::from(info.parent),
                group: u64::from(info.group),
                state: match info.state {
                    State::Running | State::Dying(_) => state::RUNNING,
                    State::Stopped => state::STOPPED,
                    State::Ended(_) => state::ENDED,
                },
                memory: life.map_or(0, |life| life.child.memory()),
                time: life.map_or(0, |life| processor_time(life.child.thread)),
                name: &info.name,
                arguments: life.map_or("", |life| &life.arguments),
            };
            let Some(more) = entry.write(&mut bytes[len..]) else {
                break;
            };
            len += more;
            count += 1;
        }
        let next = from + count;
        let is_more = count > 0 && next < all.len() as u64;
        (count, len, if is_more { next } else { 0 })
    }
}

/// Gives a server the I/O buffer of a client, whose frame is in a slot. What the server gets is derived from that slot
/// alone: the client's own capability is its sibling, and revoking it takes nothing away.
pub(crate) fn connect(server: u64, client: u64, frame: u64) -> Result<(), Error> {
    let tag = Tag::new(files::CONNECT).with_capability();
    let reply = syscall::call(server, tag.0, client, 0, 0, frame).map_err(error_of_call)?;
    match reply.tag.label() {
        protocol::OK => Ok(()),
        label => Err(Error::from_label(label)),
    }
}

fn read_all(handle: u64) -> Result<Vec<u8>, Error> {
    let [kind, len, ..] = ask(own::FILES_AS_CLIENT, files::STATUS, [handle, 0])?;
    if kind != files::kind::FILE {
        return Err(Error::PermissionDenied);
    }
    if len > LONGEST {
        return Err(Error::NoMemory);
    }
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(len as usize)
        .map_err(|_| Error::NoMemory)?;
    while (bytes.len() as u64) < len {
        let rest = (len - bytes.len() as u64).min(IO_SIZE);
        let [got, ..] = ask(own::FILES_AS_CLIENT, files::READ, [handle, rest])?;
        if got == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer()[..got.min(rest) as usize]);
    }
    Ok(bytes)
}

/// Arguments as a list of processes shows them, cut off at [`MAX_ARGUMENTS`](protocol::list::MAX_ARGUMENTS).
pub(crate) fn arguments_text<'a>(arguments: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for argument in arguments {
        text.push_str(argument);
        text.push('\0');
        if text.len() > protocol::list::MAX_ARGUMENTS {
            let end = (0..=protocol::list::MAX_ARGUMENTS).rfind(|&end| text.is_char_boundary(end));
            text.truncate(end.unwrap_or(0));
            break;
        }
    }
    text
}
