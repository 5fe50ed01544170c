//! What a program prints, line by line.

use crate::{ErrorKind, Result, Stream, WorldError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::process::Child;
use std::time::Duration;

/// Longer lines come in pieces of this many bytes.
const MAX_LINE: usize = 64 << 10;

/// How much is read at once.
const CHUNK: usize = 16 << 10;

/// The most that a pipe holds for a program without privileges, where nobody changed the machine's `pipe-max-size`.
const PIPE: usize = 1 << 20;

/// One stream, while it is open.
struct Source {
    stream: Stream,
    file: File,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
}

/// The streams of a program. Whoever waits for it reads them, in the same thread: what was printed is then read before
/// anything is concluded from there being nothing to read, however slow the machine is.
pub(super) struct Streams(Vec<Source>);

type OnLine<'a> = &'a mut dyn FnMut(Stream, &[u8]);

impl Streams {
    /// Takes what the program prints into.
    pub(super) fn of(child: &mut Child) -> Self {
        let stdout = child.stdout.take().map(OwnedFd::from);
        let stderr = child.stderr.take().map(OwnedFd::from);
        let sources = [(Stream::Stdout, stdout), (Stream::Stderr, stderr)];
        let open = sources.into_iter().filter_map(|(stream, fd)| {
            Some(Source {
                stream,
                file: File::from(fd?),
                line: Vec::new(),
            })
        });
        Self(open.collect())
    }

    /// Whether all were closed by whoever printed into them.
    pub(super) fn are_closed(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits until there is something to read, and passes on what one look finds. The answer is how many bytes that were;
    /// `None` when there was nothing and no stream was closed.
    ///
    /// # Errors
    /// When the system refuses to wait.
    pub(super) fn read(&mut self, at_most: Duration, on_line: OnLine<'_>) -> Result<Option<usize>> {
        let ready = self.ready(at_most)?;
        let mut found = None;
        let mut ready = ready.into_iter();
        self.0.retain_mut(|source| {
            if ready.next() != Some(true) {
                return true;
            }
            let (bytes, is_open) = source.read(on_line);
            found = Some(found.unwrap_or(0) + bytes);
            is_open
        });
        Ok(found)
    }

    /// Passes on what is there already, and what has no end of line yet. A program that nobody killed may go on printing:
    /// no more is read than what was there at the beginning.
    ///
    /// # Errors
    /// When the system refuses to look.
    pub(super) fn finish(mut self, on_line: OnLine<'_>) -> Result<()> {
        let mut left = self.0.len() * PIPE;
        while let Some(bytes) = self.read(Duration::ZERO, on_line)? {
            left = left.saturating_sub(bytes);
            if left == 0 {
                break;
            }
        }
        for source in &mut self.0 {
            source.end(on_line);
        }
        Ok(())
    }

    /// Which streams can be read without waiting.
    fn ready(&self, at_most: Duration) -> Result<Vec<bool>> {
        let refused = |errno: Errno| {
            let what = "what a program prints";
            WorldError::new("wait for", what, ErrorKind::Other, errno.to_string())
        };
        let limit = Timespec::try_from(at_most).map_err(|_| refused(Errno::INVAL))?;
        let files = self.0.iter().map(|source| &source.file);
        let mut fds: Vec<_> = files.map(|file| PollFd::new(file, PollFlags::IN)).collect();
        loop {
            match poll(&mut fds, Some(&limit)) {
                Ok(_) => return Ok(fds.iter().map(|fd| !fd.revents().is_empty()).collect()),
                // The whole time again: a signal is rare, and nobody depends on the moment.
                Err(Errno::INTR) => {}
                Err(errno) => return Err(refused(errno)),
            }
        }
    }
}

impl Source {
    /// Reads once: how many bytes there were, and whether more may come.
    fn read(&mut self, on_line: OnLine<'_>) -> (usize, bool) {
        let mut chunk = [0; CHUNK];
        match self.file.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (0, true),
            Ok(0) | Err(_) => {
                self.end(on_line);
                (0, false)
            }
            Ok(length) => {
                self.take(&chunk[..length], on_line);
                (length, true)
            }
        }
    }

    fn take(&mut self, bytes: &[u8], on_line: OnLine<'_>) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut piece = piece;
            while !piece.is_empty() {
                let (head, rest) = piece.split_at(piece.len().min(MAX_LINE - self.line.len()));
                self.line.extend_from_slice(head);
                piece = rest;
                if self.line.last() == Some(&b'\n') || self.line.len() == MAX_LINE {
                    self.end(on_line);
                }
            }
        }
    }

    /// Passes on what there is of a line.
    fn end(&mut self, on_line: OnLine<'_>) {
        if self.line.is_empty() {
            return;
        }
        for end in [b'\n', b'\r'] {
            if self.line.last() == Some(&end) {
                self.line.pop();
            }
        }
        on_line(self.stream, &self.line);
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that come of some chunks.
    fn lines(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut source = Source {
            stream: Stream::Stdout,
            file: File::open("/dev/null").unwrap(),
            line: Vec::new(),
        };
        let mut found = Vec::new();
        let mut on_line = |_, line: &[u8]| found.push(line.to_vec());
        for chunk in chunks {
            source.take(chunk, &mut on_line);
        }
        source.end(&mut on_line);
        found
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        assert_eq!(
            lines(&[b"a\nb\r\n\nc"]),
            [&b"a"[..], &b"b"[..], &b""[..], &b"c"[..]]
        );
        assert_eq!(lines(&[b"a", b"", b"b\r", b"\n", b"\n"]), [&b"ab"[..], &b""[..]]);
        assert!(lines(&[b""]).is_empty());
    }

    #[test]
    fn a_line_without_end_comes_in_pieces() {
        let long = vec![b'x'; 2 * MAX_LINE + 1];
        for chunk in [1, 1000, MAX_LINE, long.len()] {
            let chunks: Vec<&[u8]> = long.chunks(chunk).collect();
            let lengths: Vec<usize> = lines(&chunks).iter().map(Vec::len).collect();
            assert_eq!(lengths, [MAX_LINE, MAX_LINE, 1], "{chunk}");
        }
    }
}
