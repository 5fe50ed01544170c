//! Files and directories.

use alloc::string::String;
use alloc::vec::Vec;

use protocol::IO_SIZE;
use protocol::files::{self, kind, open};
use protocol::start::Stream;

use super::client::{self, Server};
use super::env::absolute;
use crate::fs::{DirEntry, FileKind, Metadata, OpenOptions};
use crate::io::{Error, ErrorKind, Result, SeekFrom};
use crate::translate::{add_entries, file_kind, is_program, open_bits};

/// Numbers of the servers of streams.
const FILES: u64 = 1;
const CONSOLE: u64 = 2;

/// The server of a stream; `None` for a stream that is not there.
pub(super) const fn server(stream: Stream) -> Option<Server> {
    match stream.server {
        FILES => Some(Server::Files),
        CONSOLE => Some(Server::Console),
        _ => None,
    }
}

/// Reads at most as much as the I/O buffer holds.
pub(super) fn read(stream: Stream, buffer: &mut [u8]) -> Result<usize> {
    let server = server(stream).ok_or(ErrorKind::NotFound)?;
    let wanted = (buffer.len() as u64).min(IO_SIZE);
    client::with(|client| {
        let [len, ..] = client.ask(server, files::READ, [stream.handle, wanted, 0])?;
        let bytes = client.bytes(len.min(wanted));
        buffer[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    })
}

/// Writes at most as much as the I/O buffer holds.
pub(super) fn write(stream: Stream, bytes: &[u8]) -> Result<usize> {
    let server = server(stream).ok_or(ErrorKind::NotFound)?;
    client::with(|client| {
        let buffer = client.bytes_mut();
        let len = bytes.len().min(buffer.len());
        buffer[..len].copy_from_slice(&bytes[..len]);
        let [written, ..] = client.ask(server, files::WRITE, [stream.handle, len as u64, 0])?;
        Ok(len.min(written as usize))
    })
}

/// An open file, closed when it is dropped: a handle of the file server, or the console.
#[derive(Debug)]
pub(crate) struct File(Stream);

impl Drop for File {
    fn drop(&mut self) {
        if self.0.server == FILES {
            // A handle that the server does not know is closed.
            let _closed = client::ask(Server::Files, files::CLOSE, [self.0.handle, 0, 0]);
        }
    }
}

impl File {
    pub(crate) fn open(path: &str, options: OpenOptions) -> Result<Self> {
        Self::open_with(&absolute(path)?, open_bits(options)?)
    }

    /// Opens an absolute path.
    fn open_with(path: &str, bits: u64) -> Result<Self> {
        let [handle, kind, ..] = client::with(|client| {
            let [len] = client.put([path])?;
            client.ask(Server::Files, files::OPEN, [len, bits, 0])
        })?;
        let server = if kind == kind::CONSOLE { CONSOLE } else { FILES };
        Ok(Self(Stream { server, handle }))
    }

    /// Another handle of a standard stream.
    pub(super) fn of_stream(stream: Stream) -> Result<Self> {
        match server(stream).ok_or(ErrorKind::NotFound)? {
            Server::Console => Ok(Self(stream)),
            Server::Files => {
                let [handle, ..] = client::ask(Server::Files, files::DUPLICATE, [stream.handle, 0, 0])?;
                Ok(Self(Stream { handle, ..stream }))
            }
        }
    }

    /// Its server and handle.
    pub(super) const fn stream(&self) -> Stream {
        self.0
    }

    /// Makes a request about it that only the file server understands.
    fn ask(&self, label: u32, words: [u64; 2]) -> Result<[u64; abi::WORDS]> {
        if self.0.server != FILES {
            return Err(ErrorKind::Unsupported.into());
        }
        client::ask(Server::Files, label, [self.0.handle, words[0], words[1]])
    }

    pub(crate) fn try_clone(&self) -> Result<Self> {
        Self::of_stream(self.0)
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        read(self.0, buffer)
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> Result<usize> {
        write(self.0, bytes)
    }

    pub(crate) fn seek(&self, to: SeekFrom) -> Result<u64> {
        let (offset, from) = match to {
            SeekFrom::Start(offset) => (i64::try_from(offset).map_err(|_| ErrorKind::InvalidInput)?, 0),
            SeekFrom::Current(offset) => (offset, 1),
            SeekFrom::End(offset) => (offset, 2),
        };
        let [position, ..] = self.ask(files::SEEK, [offset.cast_unsigned(), from])?;
        Ok(position)
    }

    pub(crate) fn metadata(&self) -> Result<Metadata> {
        if self.is_terminal() {
            return Ok(about([kind::CONSOLE, 0, 0, 0]));
        }
        Ok(about(self.ask(files::STATUS, [0; 2])?))
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.0.server == CONSOLE
    }
}

/// What a reply to a request for the status says. It is not known from it whether the file is a program.
fn about([kind, len, ino, _]: [u64; abi::WORDS]) -> Metadata {
    Metadata {
        kind: file_kind(kind),
        len,
        ino,
        executable: false,
    }
}

/// Makes a request about a path.
fn ask_path(label: u32, path: &str) -> Result<[u64; abi::WORDS]> {
    let path = absolute(path)?;
    client::with(|client| {
        let [len] = client.put([&path])?;
        client.ask(Server::Files, label, [len, 0, 0])
    })
}

pub(crate) fn metadata(path: &str) -> Result<Metadata> {
    let mut metadata = about(ask_path(files::STATUS_OF_PATH, path)?);
    metadata.executable = metadata.kind == FileKind::File && begins_as_program(path).unwrap_or(false);
    Ok(metadata)
}

/// Whether a file can be started, by how it begins: files have no mode.
fn begins_as_program(path: &str) -> Result<bool> {
    let file = File::open_with(&absolute(path)?, open::READ)?;
    let mut bytes = [0; 4];
    let len = file.read(&mut bytes)?;
    Ok(is_program(&bytes[..len]))
}

pub(crate) fn read_dir(path: &str) -> Result<Vec<DirEntry>> {
    let directory = File::open_with(&absolute(path)?, open::READ | open::DIRECTORY)?;
    let mut entries = Vec::new();
    let mut cursor = 0;
    loop {
        let more = client::with(|client| {
            let words = [directory.0.handle, cursor, 0];
            let [len, next, ..] = client.ask(Server::Files, files::READ_DIRECTORY, words)?;
            cursor = next;
            add_entries(client.bytes(len), &mut entries)?;
            Ok(len > 0)
        })?;
        if !more {
            return Ok(entries);
        }
    }
}

pub(crate) fn create_dir(path: &str) -> Result<()> {
    ask_path(files::CREATE_DIRECTORY, path).map(drop)
}

pub(crate) fn remove_file(path: &str) -> Result<()> {
    ask_path(files::REMOVE_FILE, path).map(drop)
}

pub(crate) fn remove_dir(path: &str) -> Result<()> {
    ask_path(files::REMOVE_DIRECTORY, path).map(drop)
}

pub(crate) fn rename(from: &str, to: &str) -> Result<()> {
    let (from, to) = (absolute(from)?, absolute(to)?);
    client::with(|client| {
        let [from, to] = client.put([&from, &to])?;
        client.ask(Server::Files, files::RENAME, [from, to, 0])
    })
    .map(drop)
}

pub(crate) fn canonicalize(path: &str) -> Result<String> {
    ask_path(files::STATUS_OF_PATH, path)?;
    absolute(path)
}

pub(crate) fn pipe() -> Result<(File, File)> {
    let [reader, writer, ..] = client::ask(Server::Files, files::PIPE, [0; 3])?;
    let file = |handle| {
        File(Stream {
            server: FILES,
            handle,
        })
    };
    Ok((file(reader), file(writer)))
}

impl From<abi::Error> for Error {
    fn from(error: abi::Error) -> Self {
        crate::translate::call_error_kind(error).into()
    }
}
