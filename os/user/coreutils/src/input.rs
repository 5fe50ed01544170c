//! Files and standard input, in pieces and by lines.

use alloc::vec;
use alloc::vec::Vec;

use rt::fs::File;
use rt::io::{Read, Result, Stdin};

/// Size of a piece.
pub(crate) const PIECE: usize = 16 * 1024;

/// A file, or standard input.
pub(crate) enum Input {
    File(File),
    Stdin(Stdin),
}

impl Input {
    /// Opens a file; `-` is standard input.
    pub(crate) fn open(name: &str) -> Result<Self> {
        match name {
            "-" => Ok(Self::Stdin(rt::io::stdin())),
            name => File::open(name).map(Self::File),
        }
    }

    /// Reads some bytes; none at the end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            let result = match self {
                Self::File(file) => file.read(buffer),
                Self::Stdin(stdin) => stdin.read(buffer),
            };
            match result {
                Err(error) if error.kind() == rt::io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

/// The lines of an input.
pub(crate) struct Lines {
    input: Input,
    /// NUL bytes become newlines.
    split_at_nul: bool,
    has_nul: bool,
    buffer: Vec<u8>,
    /// What of the buffer has not been given out.
    start: usize,
    filled: usize,
}

/// A line without its end.
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    /// Whether its end was there; it may be missing behind the last line.
    pub(crate) ended: bool,
}

impl Lines {
    pub(crate) fn new(input: Input) -> Self {
        Self {
            input,
            split_at_nul: false,
            has_nul: false,
            buffer: vec![0; PIECE],
            start: 0,
            filled: 0,
        }
    }

    /// Makes NUL bytes ends of lines too.
    pub(crate) fn split_at_nul(mut self) -> Self {
        self.split_at_nul = true;
        self
    }

    /// Whether one of the NUL bytes at which lines are split has been read.
    pub(crate) fn has_nul(&self) -> bool {
        self.has_nul
    }

    /// The next line, if there is one.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>> {
        let mut searched = self.start;
        loop {
            if let Some(at) = find(b'\n', &self.buffer[searched..self.filled]) {
                let (from, to) = (self.start, searched + at);
                self.start = to + 1;
                return Ok(Some(Line {
                    bytes: &self.buffer[from..to],
                    ended: true,
                }));
            }
            searched = self.filled;
            if self.filled == self.buffer.len() {
                searched -= self.start;
                self.make_room();
            }
            let read = self.input.read(&mut self.buffer[self.filled..])?;
            if read == 0 {
                let (from, to) = (self.start, self.filled);
                self.start = to;
                let line = Line {
                    bytes: &self.buffer[from..to],
                    ended: false,
                };
                return Ok((from < to).then_some(line));
            }
            if self.split_at_nul {
                for byte in self.buffer[self.filled..self.filled + read]
                    .iter_mut()
                    .filter(|byte| **byte == 0)
                {
                    *byte = b'\n';
                    self.has_nul = true;
                }
            }
            self.filled += read;
        }
    }

    fn make_room(&mut self) {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        if self.filled * 2 > self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }
}

/// Where a byte comes first.
pub(crate) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&b| b == byte)
}
