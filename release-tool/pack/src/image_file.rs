//! A disk or CD image in the making.

use crate::PackError;
use crate::raw::is_zero;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use vrel_world::{OutFile, World, WorldError};

/// Zeros are left out in pieces of this size, which is what file systems store as a hole.
const HOLE: usize = 4096;

/// A file that is written sparsely, and that remembers why a write failed: libraries that write images fold
/// the system's errors into theirs.
pub(crate) struct ImageFile {
    file: Box<dyn OutFile>,
    path: PathBuf,
    position: u64,
    /// How long the file will at least be.
    len: u64,
    /// Where the file behind ends and where its own position is.
    stored: u64,
    at: u64,
    failure: Option<WorldError>,
}

/// Why a stream was not written into a file.
pub(crate) enum Failure {
    /// The file could not take it, whatever a library made of that.
    Write(io::Error),
    /// Something else.
    Other(PackError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl From<PackError> for Failure {
    fn from(error: PackError) -> Self {
        Self::Other(error)
    }
}

/// Makes a file at `path` of what is written into it from its start to its end, and returns what the writer did.
pub(crate) fn write_stream<T>(
    world: &dyn World,
    path: &Path,
    write: impl FnOnce(&mut ImageFile) -> Result<T, Failure>,
) -> Result<T, PackError> {
    let mut file = ImageFile::create(world, path)?;
    match write(&mut file) {
        Ok(written) => {
            let len = file.written();
            file.extend(len)?;
            file.commit()?;
            Ok(written)
        }
        Err(Failure::Write(error)) => Err(file.explain(&error)),
        Err(Failure::Other(error)) => Err(error),
    }
}

impl ImageFile {
    pub(crate) fn create(world: &dyn World, path: &Path) -> Result<Self, PackError> {
        let file = world.fs().create(path)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            position: 0,
            len: 0,
            stored: 0,
            at: 0,
            failure: None,
        })
    }

    /// As [`ImageFile::create`], for a file of `len` bytes. It reads as zeros where nothing was written.
    pub(crate) fn create_sized(world: &dyn World, path: &Path, len: u64) -> Result<Self, PackError> {
        let mut image = Self::create(world, path)?;
        image.len = len;
        Ok(image)
    }

    /// The file's length.
    pub(crate) fn len(&self) -> u64 {
        self.len.max(self.stored)
    }

    /// Writes bytes at the current position.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        let written = self.write_all(bytes);
        written.map_err(|error| self.explain(&error))
    }

    /// Writes bytes at a position.
    pub(crate) fn put_at(&mut self, position: u64, bytes: &[u8]) -> Result<(), PackError> {
        self.position = position;
        self.put(bytes)
    }

    /// Moves to a position; where nothing is written the file reads as zeros, up to here at least.
    pub(crate) fn skip_to(&mut self, position: u64) {
        self.position = position;
        self.len = self.len.max(position);
    }

    /// Makes the file at least `len` bytes long.
    pub(crate) fn extend(&mut self, len: u64) -> Result<(), PackError> {
        if len > self.stored {
            let write = self.store(len - 1, &[0]);
            write.map_err(|error| self.explain(&error))?;
        }
        Ok(())
    }

    /// Bytes from the start to the current position.
    pub(crate) fn written(&self) -> u64 {
        self.position
    }

    /// Gives the file its name.
    pub(crate) fn commit(mut self) -> Result<(), PackError> {
        self.extend(self.len)?;
        Ok(self.file.commit()?)
    }

    /// The reason of a library's error: the system's if there was one.
    pub(crate) fn explain(&mut self, error: &dyn fmt::Display) -> PackError {
        self.failed().unwrap_or_else(|| PackError::ImageLayout {
            path: self.path.clone(),
            problem: error.to_string(),
        })
    }

    /// The system's error, if there was one.
    pub(crate) fn failed(&mut self) -> Option<PackError> {
        self.failure.take().map(PackError::World)
    }

    fn seek_to(&mut self, position: u64) -> io::Result<()> {
        if self.at != position {
            let moved = self.file.seek(SeekFrom::Start(position));
            self.at = self.remember(moved)?;
        }
        Ok(())
    }

    fn store(&mut self, position: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek_to(position)?;
        let written = self.file.write_all(bytes);
        self.remember(written)?;
        self.at += bytes.len() as u64;
        self.stored = self.stored.max(self.at);
        Ok(())
    }

    fn remember<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            self.failure = Some(WorldError::io("write", &self.path, error));
        }
        result
    }
}

impl fmt::Debug for ImageFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Write for ImageFile {
    /// Writes one run of pieces that are all zero or all not. Zeros behind the end are not stored;
    /// [`ImageFile::commit`] accounts for them.
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let mut pieces = buffer.chunks(HOLE);
        let Some(first) = pieces.next() else { return Ok(0) };
        let hole = is_zero(first) && self.position >= self.stored;
        let rest: usize = pieces
            .take_while(|piece| is_zero(piece) == hole)
            .map(<[u8]>::len)
            .sum();
        let run = first.len() + rest;
        if !hole {
            self.store(self.position, &buffer[..run])?;
        }
        self.position += run as u64;
        self.len = self.len.max(self.position);
        Ok(run)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.file.flush();
        self.remember(flushed)
    }
}

impl Read for ImageFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.stored {
            let left = self.len.saturating_sub(self.position);
            let count = left.min(buffer.len() as u64) as usize;
            buffer[..count].fill(0);
            self.position += count as u64;
            return Ok(count);
        }
        self.seek_to(self.position)?;
        let read = self.file.read(buffer);
        let count = self.remember(read)?;
        self.at += count as u64;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for ImageFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let target = match position {
            SeekFrom::Start(target) => Some(target),
            SeekFrom::End(offset) => self.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn zeros_are_not_stored_but_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        let mut image = ImageFile::create(&vrel_world::RealWorld::default(), &path).unwrap();
        let mut expected = vec![0u8; 4 << 20];
        expected[5..9].copy_from_slice(b"head");
        expected[2 << 20] = 1;
        image.write_all(&expected).unwrap();
        image.extend(expected.len() as u64).unwrap();
        // Zeros over something are stored.
        image.seek(SeekFrom::Start(6)).unwrap();
        image.write_all(&[0, 0]).unwrap();
        expected[6..8].fill(0);
        image.seek(SeekFrom::Start(4)).unwrap();
        let mut head = [0; 5];
        image.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"\0h\0\0d");
        image.commit().unwrap();
        assert!(std::fs::read(&path).unwrap() == expected);
        assert!(std::fs::metadata(&path).unwrap().blocks() * 512 < 1 << 20);
    }

    #[test]
    fn a_file_of_a_given_size_reads_as_zeros_where_nothing_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        let mut image = ImageFile::create_sized(&vrel_world::RealWorld::default(), &path, 8192).unwrap();
        assert_eq!(image.seek(SeekFrom::End(0)).unwrap(), 8192);
        image.put_at(4000, b"data").unwrap();
        image.skip_to(10_000);
        let mut whole = Vec::new();
        image.rewind().unwrap();
        image.read_to_end(&mut whole).unwrap();
        let mut expected = vec![0; 10_000];
        expected[4000..4004].copy_from_slice(b"data");
        assert!(whole == expected);
        image.commit().unwrap();
        assert!(std::fs::read(&path).unwrap() == expected);
    }
}
