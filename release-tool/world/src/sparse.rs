//! Reading files that are mostly holes.

use crate::{Fs, ReadSeek, Result};
use std::fmt;
use std::io::{self, Read, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::vec::IntoIter;

/// A file from its start to its end. What the file system stores as a hole is not read, which would have the system make
/// pages of zeros and copy them: disk images are little else.
pub struct SparseReader {
    file: Box<dyn ReadSeek>,
    /// The parts that hold data, from the current one on.
    parts: IntoIter<Range<u64>>,
    part: Option<Range<u64>>,
    /// Where this reader is, and where the file's own position is.
    position: u64,
    at: u64,
    len: u64,
}

impl SparseReader {
    /// Opens a file.
    ///
    /// # Errors
    /// When there is no such file or it cannot be read.
    pub fn open(fs: &dyn Fs, path: &Path) -> Result<Self> {
        let file = fs.open(path)?;
        let len = fs.metadata(path)?.map_or(0, |metadata| metadata.len);
        let mut parts = fs.extents(path)?.into_iter();
        Ok(Self {
            file,
            part: parts.next(),
            parts,
            position: 0,
            at: 0,
            len,
        })
    }

    /// What comes next, up to which position: data, or a hole.
    fn next(&mut self) -> (u64, bool) {
        while let Some(part) = &self.part {
            if self.position < part.start {
                return (part.start.min(self.len), false);
            }
            if self.position < part.end {
                return (part.end.min(self.len), true);
            }
            self.part = self.parts.next();
        }
        (self.len, false)
    }
}

impl Read for SparseReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let (end, data) = self.next();
        // Behind the end there is something only when the file has grown.
        let left = usize::try_from(end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let limit = if left == 0 { out.len() } else { left.min(out.len()) };
        let out = &mut out[..limit];
        if left > 0 && !data {
            out.fill(0);
            self.position += limit as u64;
            return Ok(limit);
        }
        if self.at != self.position {
            self.at = self.file.seek(SeekFrom::Start(self.position))?;
        }
        let count = self.file.read(out)?;
        self.at += count as u64;
        self.position = self.at;
        Ok(count)
    }
}

impl fmt::Debug for SparseReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SparseReader")
            .field("position", &self.position)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RealWorld, World};
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    /// A file of this length with data at these places.
    fn written(path: &Path, len: u64, data: &[(u64, usize)]) -> Vec<u8> {
        let file = File::create(path).unwrap();
        file.set_len(len).unwrap();
        for &(at, count) in data {
            file.write_all_at(&vec![7; count], at).unwrap();
        }
        std::fs::read(path).unwrap()
    }

    #[test]
    fn holes_read_as_zeros_wherever_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let world = RealWorld::default();
        for (len, data) in [
            (0, &[][..]),
            (1 << 20, &[]),
            (1 << 20, &[(0, 1)]),
            (1 << 20, &[(4096, 5000), (700_000, 9)]),
            (300_000, &[(299_999, 1)]),
            (5000, &[(0, 5000)]),
        ] {
            let expected = written(&path, len, data);
            for size in [1000, 65_536] {
                let mut reader = SparseReader::open(world.fs(), &path).unwrap();
                let (mut found, mut buffer) = (Vec::new(), vec![1; size]);
                loop {
                    let count = reader.read(&mut buffer).unwrap();
                    if count == 0 {
                        break;
                    }
                    found.extend_from_slice(&buffer[..count]);
                }
                assert!(found == expected, "{len} {data:?} {size}");
            }
        }
    }

    #[test]
    fn a_file_that_changes_its_length_meanwhile_shows_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let world = RealWorld::default();
        written(&path, 100_000, &[(0, 10)]);
        let mut reader = SparseReader::open(world.fs(), &path).unwrap();
        let expected = written(&path, 100_005, &[(0, 10), (100_000, 5)]);
        let mut found = Vec::new();
        reader.read_to_end(&mut found).unwrap();
        assert!(found == expected, "{}", found.len());

        written(&path, 100_000, &[(0, 100_000)]);
        let mut reader = SparseReader::open(world.fs(), &path).unwrap();
        written(&path, 10, &[(0, 10)]);
        let mut found = Vec::new();
        reader.read_to_end(&mut found).unwrap();
        assert_eq!(found.len(), 10);
    }
}
