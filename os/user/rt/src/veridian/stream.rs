//! The standard streams and the terminal.

use core::fmt;

use protocol::files;

use super::client::{self, Server};
use super::file::{self, File};
use super::lock::Lock;
use super::start::streams;
use crate::gather::Gather;
use crate::io::{ErrorKind, Result};
use crate::terminal::Mode;

/// Size of what is collected before it is written, in bytes.
const COLLECTED: usize = 1024;

/// A standard stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Input,
    Output,
    Error,
}

impl Stream {
    fn is(self) -> protocol::start::Stream {
        streams()[self as usize]
    }

    /// Writes all of the bytes; to the kernel's console when the program was started without the stream.
    fn write_all(self, mut bytes: &[u8]) -> Result<()> {
        let stream = self.is();
        if file::server(stream).is_none() {
            return write_kernel(bytes);
        }
        while !bytes.is_empty() {
            match file::write(stream, bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(len) => bytes = &bytes[len..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Writes to the kernel's console, which few programs may do. It takes text only.
fn write_kernel(bytes: &[u8]) -> Result<()> {
    let mut console = crate::Console::default();
    let mut write = |text| fmt::Write::write_str(&mut console, text);
    for chunk in bytes.utf8_chunks() {
        let replacement = if chunk.invalid().is_empty() {
            ""
        } else {
            "\u{fffd}"
        };
        write(chunk.valid())
            .and_then(|()| write(replacement))
            .map_err(|_| ErrorKind::Other)?;
    }
    fmt::Write::write_str(&mut console, "").map_err(|_| ErrorKind::Other.into())
}

/// What has been printed and has not been passed on.
static OUTPUT: Lock<Gather<COLLECTED>> = Lock::new(Gather::new());

pub(crate) fn is_terminal(stream: Stream) -> bool {
    file::server(stream.is()) == Some(Server::Console)
}

pub(crate) fn stream_file(stream: Stream) -> Result<File> {
    File::of_stream(stream.is())
}

pub(crate) fn read_input(buffer: &mut [u8]) -> Result<usize> {
    file::read(Stream::Input.is(), buffer)
}

/// Uses what has been printed.
fn with_output(f: impl FnOnce(&mut Gather<COLLECTED>) -> Result<()>) -> Result<()> {
    OUTPUT.with(f).unwrap_or(Err(ErrorKind::ResourceBusy.into()))
}

pub(crate) fn write_output(bytes: &[u8]) -> Result<usize> {
    with_output(|output| output.add_lines(bytes, |bytes| Stream::Output.write_all(bytes)))?;
    Ok(bytes.len())
}

pub(crate) fn flush_output() -> Result<()> {
    with_output(|output| output.flush(|bytes| Stream::Output.write_all(bytes)))
}

pub(crate) fn write_error(bytes: &[u8]) -> Result<usize> {
    Stream::Error.write_all(bytes)?;
    Ok(bytes.len())
}

/// Writes formatted text piece by piece, so that what is formatted may print too.
fn format(text: fmt::Arguments<'_>, write: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    struct Adapter<F> {
        write: F,
        result: Result<()>,
    }
    impl<F: FnMut(&[u8]) -> Result<()>> fmt::Write for Adapter<F> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.result = (self.write)(text.as_bytes());
            self.result.map_err(|_| fmt::Error)
        }
    }
    let mut adapter = Adapter {
        write,
        result: Ok(()),
    };
    match fmt::write(&mut adapter, text) {
        Ok(()) => Ok(()),
        Err(fmt::Error) => adapter.result.and(Err(ErrorKind::InvalidData.into())),
    }
}

pub(crate) fn print(text: fmt::Arguments<'_>) -> Result<()> {
    format(text, |bytes| write_output(bytes).map(drop))
}

/// Passed on at once, but not in more pieces than needed. After a panic that may be impossible; then the kernel's console
/// is the last resort.
pub(crate) fn print_error(text: fmt::Arguments<'_>) -> Result<()> {
    let sink = |bytes: &[u8]| Stream::Error.write_all(bytes).or_else(|_| write_kernel(bytes));
    let mut collected = Gather::<256>::new();
    format(text, |bytes| collected.add(bytes, sink))?;
    collected.flush(sink)
}

/// Makes a request about the terminal behind standard input.
fn ask(label: u32, word: u64) -> Result<[u64; abi::WORDS]> {
    if !is_terminal(Stream::Input) {
        return Err(ErrorKind::Unsupported.into());
    }
    client::ask(Server::Console, label, [word, 0, 0])
}

pub(crate) fn set_mode(mode: Mode) -> Result<()> {
    let number = match mode {
        Mode::Cooked => 0,
        Mode::Raw => 1,
    };
    ask(files::SET_MODE, number).map(drop)
}

pub(crate) fn size() -> Result<(u16, u16)> {
    let [rows, columns, ..] = ask(files::SIZE, 0)?;
    let number = |value: u64| u16::try_from(value).ok().filter(|&value| value > 0);
    number(rows)
        .zip(number(columns))
        .ok_or_else(|| ErrorKind::Unsupported.into())
}
