//! Standard output, buffered.

use alloc::vec::Vec;
use core::fmt;

use rt::io::Write as _;

use crate::Stop;

const CAPACITY: usize = 16 * 1024;

/// Collects bytes for standard output: in large pieces, or by lines if it is a terminal.
pub(crate) struct Out {
    stdout: rt::io::Stdout,
    terminal: bool,
    buffer: Vec<u8>,
}

impl Out {
    pub(crate) fn new() -> Self {
        let stdout = rt::io::stdout();
        let terminal = stdout.is_terminal();
        Self {
            stdout,
            terminal,
            buffer: Vec::new(),
        }
    }

    /// Whether a person reads it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if self.buffer.len() + bytes.len() > CAPACITY {
            self.push()?;
        }
        if bytes.len() > CAPACITY {
            self.stdout.write_all(bytes)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        if self.terminal && bytes.last() == Some(&b'\n') {
            self.flush()?;
        }
        Ok(())
    }

    /// Puts a line and the end of it.
    pub(crate) fn line(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.put(bytes)?;
        self.put(b"\n")
    }

    /// What `write!` calls.
    pub(crate) fn write_fmt(&mut self, arguments: fmt::Arguments<'_>) -> Result<(), Stop> {
        match arguments.as_str() {
            Some(text) => self.put(text.as_bytes()),
            None => self.put(alloc::fmt::format(arguments).as_bytes()),
        }
    }

    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        self.push()?;
        self.stdout.flush()?;
        Ok(())
    }

    fn push(&mut self) -> Result<(), Stop> {
        // What was refused once is not offered again.
        let bytes = core::mem::take(&mut self.buffer);
        if !bytes.is_empty() {
            self.stdout.write_all(&bytes)?;
            self.buffer = bytes;
            self.buffer.clear();
        }
        Ok(())
    }
}
