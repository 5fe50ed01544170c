//! Buffers in front of streams.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::{ErrorKind, PIECE, Read, Result, Write};

/// Reads ahead, and by line.
#[derive(Debug)]
pub struct BufReader<R> {
    inner: R,
    buffer: Vec<u8>,
    position: usize,
    filled: usize,
}

impl<R: Read> BufReader<R> {
    /// A buffer of 8 KiB in front of a source.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; PIECE],
            position: 0,
            filled: 0,
        }
    }

    /// What has been read ahead, read now when there is nothing; empty at the end.
    fn fill(&mut self) -> Result<&[u8]> {
        while self.position == self.filled {
            match self.inner.read(&mut self.buffer) {
                Ok(0) => return Ok(&[]),
                Ok(len) => (self.position, self.filled) = (0, len),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(&self.buffer[self.position..self.filled])
    }

    /// Appends everything up to and including `end`, or up to the end of the source; returns how much that was.
    ///
    /// # Errors
    /// Those of the source.
    pub fn read_until(&mut self, end: u8, bytes: &mut Vec<u8>) -> Result<usize> {
        let before = bytes.len();
        loop {
            let ahead = self.fill()?;
            let found = ahead.iter().position(|&byte| byte == end);
            let len = found.map_or(ahead.len(), |at| at + 1);
            bytes.extend_from_slice(&ahead[..len]);
            self.position += len;
            if found.is_some() || len == 0 {
                return Ok(bytes.len() - before);
            }
        }
    }

    /// Appends a line with its end, if it has one; returns how many bytes that was, 0 at the end.
    ///
    /// # Errors
    /// Those of the source, and `InvalidData` when the line is no UTF-8; nothing is appended then.
    pub fn read_line(&mut self, line: &mut String) -> Result<usize> {
        let mut bytes = Vec::new();
        self.read_until(b'\n', &mut bytes)?;
        line.push_str(core::str::from_utf8(&bytes).map_err(|_| ErrorKind::InvalidData)?);
        Ok(bytes.len())
    }

    /// The lines without their ends.
    pub fn lines(self) -> Lines<R> {
        Lines(self)
    }
}

impl<R: Read> Read for BufReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut ahead = self.fill()?;
        let len = ahead.read(buffer)?;
        self.position += len;
        Ok(len)
    }
}

/// The lines of a source, without their ends.
#[derive(Debug)]
pub struct Lines<R>(BufReader<R>);

impl<R: Read> Iterator for Lines<R> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => {
                if line.ends_with('\n') {
                    line.pop();
                }
                Some(Ok(line))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// Collects what is written. What is left when it is dropped is passed on; errors of that are lost, so flush before.
#[derive(Debug)]
pub struct BufWriter<W: Write> {
    inner: W,
    buffer: Vec<u8>,
}

impl<W: Write> BufWriter<W> {
    /// A buffer of 8 KiB in front of a sink.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            buffer: Vec::with_capacity(PIECE),
        }
    }
}

impl<W: Write> Write for BufWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.buffer.len() + bytes.len() > PIECE {
            self.flush()?;
        }
        if bytes.len() >= PIECE {
            return self.inner.write(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        // Taken first: what the sink refuses once must not be written again.
        let bytes = core::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE));
        self.inner.write_all(&bytes)?;
        self.inner.flush()
    }
}

impl<W: Write> Drop for BufWriter<W> {
    fn drop(&mut self) {
        let _nowhere_to_report = self.flush();
    }
}

/// Copies everything up to the end and returns how many bytes that was.
///
/// # Errors
/// The first error of either side.
pub fn copy(from: &mut (impl Read + ?Sized), to: &mut (impl Write + ?Sized)) -> Result<u64> {
    let mut buffer = vec![0; PIECE];
    let mut copied = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(len) => {
                to.write_all(&buffer[..len])?;
                copied += len as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_their_ends() {
        let lines: Vec<_> = BufReader::new(&b"a\n\nlast"[..])
            .lines()
            .map(Result::unwrap)
            .collect();
        assert_eq!(lines, ["a", "", "last"]);
    }

    #[test]
    fn a_line_may_be_longer_than_the_buffer() {
        let long = vec![b'x'; 3 * PIECE];
        let mut bytes = Vec::new();
        let mut reader = BufReader::new(&long[..]);
        assert_eq!(reader.read_until(b'\n', &mut bytes), Ok(3 * PIECE));
        assert_eq!(bytes, long);
    }

    #[test]
    fn a_writer_passes_on_everything_in_order() {
        let mut all = Vec::new();
        let mut writer = BufWriter::new(&mut all);
        for len in [1, PIECE - 1, 1, 2 * PIECE, 5] {
            writer.write_all(&vec![len as u8; len]).unwrap();
        }
        drop(writer);
        assert_eq!(all.len(), 3 * PIECE + 6);
        assert_eq!(all[PIECE], 1);
        assert_eq!(all[3 * PIECE + 5], 5);
    }
}
