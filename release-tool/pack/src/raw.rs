//! A raw disk image as what other formats are made from: read in pieces, without its zeros.

use crate::PackError;
use std::fmt;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use vrel_world::{ErrorKind, ReadSeek, World, WorldError};

/// The unit in which disks count.
pub(crate) const SECTOR: u64 = 512;

/// So much is read at once.
const WINDOW: u64 = 1 << 20;

/// What is done with a piece, given its number and its bytes.
type TakePiece<'t> = dyn FnMut(u64, &[u8]) -> Result<(), PackError> + 't;

/// A raw disk image. What the file system stores as a hole is not read; other zeros are found by looking, so that what is
/// made depends on the content alone and not on how it is stored.
pub(crate) struct RawImage<'w> {
    world: &'w dyn World,
    file: Box<dyn ReadSeek>,
    path: PathBuf,
    len: u64,
    extents: Vec<Range<u64>>,
}

impl<'w> RawImage<'w> {
    /// Opens an image whose size must be a multiple of `unit` bytes, from `unit` to `max`; `format` is what needs that.
    pub(crate) fn open(
        world: &'w dyn World,
        path: &Path,
        format: &'static str,
        unit: u64,
        max: u64,
    ) -> Result<Self, PackError> {
        let file = world.fs().open(path)?;
        let extents = world.fs().extents(path)?;
        let metadata = world.fs().metadata(path)?;
        let len = metadata.map_or(0, |metadata| metadata.len);
        if !(unit..=max).contains(&len) || !len.is_multiple_of(unit) {
            return Err(PackError::DiskSize {
                path: path.to_owned(),
                format,
                unit,
                max,
                size: len,
            });
        }
        Ok(Self {
            world,
            file,
            path: path.to_owned(),
            len,
            extents,
        })
    }

    /// The disk's size in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Cuts the image into pieces of `size` bytes, a power of two up to 1 MiB, and gives those that are not all zero to
    /// `take`, in ascending order, each with its number. The last piece is filled up with zeros.
    pub(crate) fn pieces(&mut self, size: usize, take: &mut TakePiece<'_>) -> Result<(), PackError> {
        debug_assert!(size.is_power_of_two() && size as u64 <= WINDOW);
        let per_window = WINDOW / size as u64;
        let mut buffer = vec![0; WINDOW as usize];
        let mut next = 0;
        for index in 0..self.extents.len() {
            let extent = self.extents[index].clone();
            let windows = (extent.start / WINDOW).max(next)..extent.end.min(self.len).div_ceil(WINDOW);
            next = next.max(windows.end);
            for window in windows {
                self.world.check_interrupt()?;
                self.read_window(window, &mut buffer)?;
                for (number, piece) in (window * per_window..).zip(buffer.chunks_exact(size)) {
                    if !is_zero(piece) {
                        take(number, piece)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives a range of bytes to `take`, as much at once as fits into `buffer`.
    pub(crate) fn range(
        &mut self,
        range: Range<u64>,
        buffer: &mut [u8],
        take: &mut dyn FnMut(&[u8]) -> Result<(), PackError>,
    ) -> Result<(), PackError> {
        let mut position = range.start;
        while position < range.end {
            let step = (range.end - position).min(buffer.len() as u64);
            let piece = &mut buffer[..step as usize];
            self.read_at(position, piece)?;
            take(piece)?;
            position += step;
        }
        Ok(())
    }

    fn read_window(&mut self, window: u64, buffer: &mut [u8]) -> Result<(), PackError> {
        let start = window * WINDOW;
        let inside = (self.len - start).min(WINDOW) as usize;
        buffer[inside..].fill(0);
        self.read_at(start, &mut buffer[..inside])
    }

    fn read_at(&mut self, position: u64, buffer: &mut [u8]) -> Result<(), PackError> {
        let read = self
            .file
            .seek(SeekFrom::Start(position))
            .and_then(|_| self.file.read_exact(buffer));
        match read {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                let reason = format!("it became shorter than {} bytes while it was read", self.len);
                let object = self.path.display().to_string();
                Err(WorldError::new("read", object, ErrorKind::Other, reason).into())
            }
            Err(error) => Err(WorldError::io("read", &self.path, &error).into()),
        }
    }
}

impl fmt::Debug for RawImage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawImage")
            .field("path", &self.path)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// Whether there is nothing but zeros; compares whole words, which matters for disks of some GiB.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|&byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::io::Write;
    use vrel_world::RealWorld;

    fn found(path: &Path, size: usize) -> BTreeMap<u64, Vec<u8>> {
        let world = RealWorld::default();
        let mut image = RawImage::open(&world, path, "test", SECTOR, u64::MAX).unwrap();
        let mut found = BTreeMap::new();
        image
            .pieces(size, &mut |number, piece| {
                assert!(
                    found.insert(number, piece.to_vec()).is_none(),
                    "{number} came twice"
                );
                Ok(())
            })
            .unwrap();
        found
    }

    #[test]
    fn pieces_with_data_come_once_in_order_however_the_file_is_stored() {
        let dir = tempfile::tempdir().unwrap();
        let mut content = vec![0; (5 << 20) + 512];
        for position in [0, 511, 512, (1 << 20) - 1, (3 << 20) + 70_000, (5 << 20) + 511] {
            content[position] = 7;
        }
        let (dense, sparse) = (dir.path().join("dense"), dir.path().join("sparse"));
        std::fs::write(&dense, &content).unwrap();
        let mut file = std::fs::File::create(&sparse).unwrap();
        file.set_len(content.len() as u64).unwrap();
        for (number, page) in content.chunks(4096).enumerate() {
            if !is_zero(page) {
                file.seek(SeekFrom::Start(number as u64 * 4096)).unwrap();
                file.write_all(page).unwrap();
            }
        }
        for size in [512, 65_536, 1 << 20] {
            let pieces = found(&dense, size);
            assert_eq!(pieces, found(&sparse, size));
            let mut again = vec![0; content.len().next_multiple_of(size)];
            for (number, piece) in pieces {
                again[number as usize * size..][..size].copy_from_slice(&piece);
            }
            assert!(again[..content.len()] == content, "{size}");
        }
        assert_eq!(found(&dense, 512).len(), 5);
    }

    #[test]
    fn sizes_that_a_format_cannot_hold_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("raw");
        let file = std::fs::File::create(&path).unwrap();
        let world = RealWorld::default();
        for (size, fits) in [(0, false), (512, true), (513, false), (2048, true), (2560, false)] {
            file.set_len(size).unwrap();
            let opened = RawImage::open(&world, &path, "floppy", 512, 2048);
            assert_eq!(opened.is_ok(), fits, "{size}");
        }
        let error = RawImage::open(&world, &path, "floppy", 512, 2048).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("floppy") && text.contains("got 2560 bytes"),
            "{text}"
        );
    }

    #[test]
    fn an_image_that_shrinks_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("raw");
        std::fs::write(&path, [1; 4096]).unwrap();
        let world = RealWorld::default();
        let mut image = RawImage::open(&world, &path, "test", SECTOR, u64::MAX).unwrap();
        std::fs::write(&path, [1; 512]).unwrap();
        let error = image.pieces(512, &mut |_, _| Ok(())).unwrap_err();
        assert!(error.to_string().contains("shorter than 4096 bytes"), "{error}");
    }
}
