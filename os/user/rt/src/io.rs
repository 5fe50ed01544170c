//! Reading and writing, standard streams, errors.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::fs::File;
use crate::sys;

mod buffered;
mod error;

pub use buffered::{BufReader, BufWriter, Lines, copy};
pub use error::{Error, ErrorKind, Result};

/// Size of the pieces in which streams are read and copied.
const PIECE: usize = 8192;

/// A source of bytes.
pub trait Read {
    /// Reads up to the buffer's length; 0 is the end, or an empty buffer.
    ///
    /// # Errors
    /// Those of the source; nothing was read then.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize>;

    /// Appends everything up to the end and returns how much that was.
    ///
    /// # Errors
    /// The first error of the source; what was read before it has been appended.
    fn read_to_end(&mut self, bytes: &mut Vec<u8>) -> Result<usize> {
        let before = bytes.len();
        loop {
            let len = bytes.len();
            bytes.resize(len + PIECE, 0);
            let result = self.read(&mut bytes[len..]);
            bytes.truncate(len + result.unwrap_or(0));
            match result {
                Ok(0) => return Ok(len - before),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Appends everything up to the end and returns how many bytes that was.
    ///
    /// # Errors
    /// As [`read_to_end`](Self::read_to_end), and `InvalidData` when it is no UTF-8; nothing is appended then.
    fn read_to_string(&mut self, text: &mut String) -> Result<usize> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        text.push_str(core::str::from_utf8(&bytes).map_err(|_| ErrorKind::InvalidData)?);
        Ok(bytes.len())
    }

    /// Fills the buffer.
    ///
    /// # Errors
    /// Those of the source, and `UnexpectedEof` when it ends before.
    fn read_exact(&mut self, mut buffer: &mut [u8]) -> Result<()> {
        while !buffer.is_empty() {
            match self.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => buffer = &mut buffer[len..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A sink of bytes.
pub trait Write {
    /// Writes some of the bytes and returns how many.
    ///
    /// # Errors
    /// Those of the sink; nothing was written then.
    fn write(&mut self, bytes: &[u8]) -> Result<usize>;

    /// Passes on what is buffered.
    ///
    /// # Errors
    /// Those of the sink.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// Writes all of the bytes.
    ///
    /// # Errors
    /// Those of the sink, and `WriteZero` when it takes nothing more.
    fn write_all(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(len) => bytes = &bytes[len..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes formatted text: what `write!` calls.
    ///
    /// # Errors
    /// As [`write_all`](Self::write_all).
    fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> Result<()> {
        struct Adapter<'a, W: ?Sized> {
            inner: &'a mut W,
            result: Result<()>,
        }
        impl<W: Write + ?Sized> fmt::Write for Adapter<'_, W> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.result = self.inner.write_all(text.as_bytes());
                self.result.map_err(|_| fmt::Error)
            }
        }
        let mut adapter = Adapter {
            inner: self,
            result: Ok(()),
        };
        match fmt::write(&mut adapter, text) {
            Ok(()) => Ok(()),
            Err(fmt::Error) => adapter.result.and(Err(ErrorKind::InvalidData.into())),
        }
    }
}

impl<R: Read + ?Sized> Read for &mut R {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        (**self).read(buffer)
    }
}

impl<R: Read + ?Sized> Read for alloc::boxed::Box<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        (**self).read(buffer)
    }
}

impl Read for &[u8] {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let len = self.len().min(buffer.len());
        let (now, later) = self.split_at(len);
        buffer[..len].copy_from_slice(now);
        *self = later;
        Ok(len)
    }
}

impl<W: Write + ?Sized> Write for &mut W {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        (**self).write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        (**self).flush()
    }
}

impl<W: Write + ?Sized> Write for alloc::boxed::Box<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        (**self).write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        (**self).flush()
    }
}

impl Write for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.extend_from_slice(bytes);
        Ok(bytes.len())
    }
}

/// From where in a file a position is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeekFrom {
    /// From its start.
    Start(u64),
    /// From its end.
    End(i64),
    /// From the current position.
    Current(i64),
}

/// Something with a position.
pub trait Seek {
    /// Moves the position and returns it, in bytes from the start.
    ///
    /// # Errors
    /// `InvalidInput` before the start, `Unsupported` or `InvalidInput` for what has no position.
    fn seek(&mut self, to: SeekFrom) -> Result<u64>;
}

macro_rules! stream {
    ($(#[doc = $doc:literal])+ $name:ident $function:ident $stream:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        pub struct $name(());

        $(#[doc = $doc])+
        pub fn $function() -> $name {
            $name(())
        }

        impl $name {
            /// Whether a terminal is behind it.
            pub fn is_terminal(&self) -> bool {
                sys::is_terminal(sys::Stream::$stream)
            }

            /// The same stream as a file, unbuffered.
            ///
            /// # Errors
            /// `NotFound` when the program was started without it.
            pub fn as_file(&self) -> Result<File> {
                sys::stream_file(sys::Stream::$stream).map(File::from_sys)
            }
        }
    };
}

stream! {
    /// Standard input, unbuffered: what the program does not read is left to others.
    Stdin stdin Input
}
stream! {
    /// Standard output, buffered by line.
    Stdout stdout Output
}
stream! {
    /// Standard error, unbuffered.
    Stderr stderr Error
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        sys::read_input(buffer)
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        sys::write_output(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        sys::flush_output()
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        sys::write_error(bytes)
    }
}
