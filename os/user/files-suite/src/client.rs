//! Requests to the file server, as a client makes them.

use abi::Tag;
use protocol::{Error, IO_SIZE, OK, files, process, slot};

use crate::load::PLACE;

/// What a client gets for an answer.
pub(crate) type Answer<T> = Result<T, Error>;

/// The buffer that is shared with the server.
fn buffer() -> &'static mut [u8] {
    let start = core::ptr::with_exposed_provenance_mut::<u8>(PLACE.io as usize);
    // SAFETY: whoever starts this program maps the buffer there; nobody keeps what this returns, and the server uses it
    // only while this program's only thread waits for an answer.
    unsafe { core::slice::from_raw_parts_mut(start, IO_SIZE as usize) }
}

/// Puts bytes at the beginning of the buffer; how many that are.
pub(crate) fn put(bytes: &[u8]) -> u64 {
    buffer()[..bytes.len()].copy_from_slice(bytes);
    bytes.len() as u64
}

/// The beginning of the buffer.
pub(crate) fn got(len: u64) -> &'static [u8] {
    &buffer()[..len as usize]
}

/// Makes a request to the file server.
pub(crate) fn ask(label: u32, words: [u64; 3]) -> Answer<[u64; 4]> {
    ask_at(slot::FILES, label, words)
}

/// Makes a request to a server.
pub(crate) fn ask_at(server: u64, label: u32, [a, b, c]: [u64; 3]) -> Answer<[u64; 4]> {
    let reply = syscall::call(server, Tag::new(label).0, a, b, c, 0).map_err(|_| Error::Other)?;
    match reply.tag.label() {
        OK => Ok(reply.words),
        label => Err(Error::from_label(label)),
    }
}

/// Makes a request with a path.
pub(crate) fn ask_of(label: u32, path: &str, word: u64) -> Answer<[u64; 4]> {
    ask(label, [put(path.as_bytes()), word, 0])
}

/// Sends the file server the capability in a slot, as only the process server may.
pub(crate) fn connect_with(frame: u64) -> Answer<()> {
    let tag = Tag::new(files::CONNECT).with_capability();
    let reply = syscall::call(slot::FILES, tag.0, 1, 0, 0, frame).map_err(|_| Error::Other)?;
    match reply.tag.label() {
        OK => Ok(()),
        label => Err(Error::from_label(label)),
    }
}

/// Has a server given the buffer: 1 the file server, 2 the console server.
pub(crate) fn connect_to(server: u64) -> Answer<()> {
    ask_at(slot::PROCESS, process::CONNECT, [server, 0, 0]).map(|_| ())
}

/// Has the file server given the buffer.
pub(crate) fn connect() -> Answer<()> {
    connect_to(1)
}

/// Opens a file; handle and kind.
pub(crate) fn open(path: &str, how: u64) -> Answer<(u64, u64)> {
    let [handle, kind, ..] = ask_of(files::OPEN, path, how)?;
    Ok((handle, kind))
}

/// Reads what fits into the buffer.
pub(crate) fn read(handle: u64) -> Answer<&'static [u8]> {
    let [len, ..] = ask(files::READ, [handle, IO_SIZE, 0])?;
    Ok(got(len))
}

/// Writes all.
pub(crate) fn write(handle: u64, mut bytes: &[u8]) -> Answer<()> {
    while !bytes.is_empty() {
        let len = put(&bytes[..bytes.len().min(IO_SIZE as usize)]);
        let [done, ..] = ask(files::WRITE, [handle, len, 0])?;
        if done == 0 || done > len {
            return Err(Error::Other);
        }
        bytes = &bytes[done as usize..];
    }
    Ok(())
}

/// Gives a handle up.
pub(crate) fn close(handle: u64) -> Answer<()> {
    ask(files::CLOSE, [handle, 0, 0]).map(|_| ())
}
