//! Giving files their final names.

use crate::{Cache, CachedFile, GraphError};
use std::io::{self, Read, SeekFrom, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use vrel_trust::{sha256_files, sha256_reader};
use vrel_world::{FileKind, OutFile, SparseReader, World, WorldError};

/// What was done about a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It was written.
    Written,
    /// It had that content already.
    Unchanged,
}

/// Zeros are left out of a copy in pieces of this size: what file systems keep account of.
const BLOCK: usize = 4096;

const ZEROS: [u8; BLOCK] = [0; BLOCK];

impl Cache<'_> {
    /// Copies a file to its final name, atomically: whoever looks there sees the old file or the whole new one. Its
    /// digest is checked by the same reading that makes the copy, and runs of zeros become holes. Directories are made.
    ///
    /// # Errors
    /// [`GraphError::Damaged`] when the cache's file is not what it should be: it is dropped, and the next run builds it
    /// again; [`GraphError::Unstable`] when this cache itself wrote it; [`GraphError::NotAFile`] when the name belongs to
    /// something else. What was there before is then still there.
    pub fn place(&self, file: &CachedFile, to: &Path) -> Result<Placed, GraphError> {
        let unchanged = unchanged(self, &[(*file, to)], NonZeroUsize::MIN)?;
        if unchanged == [true] {
            return Ok(Placed::Unchanged);
        }
        match self.copy(file, to)? {
            None => Ok(Placed::Written),
            Some(damage) => Err(damage),
        }
    }

    /// Copies a file; what to say of it if it is damaged.
    fn copy(&self, file: &CachedFile, to: &Path) -> Result<Option<GraphError>, GraphError> {
        if let Some(damage) = self.objects.look(file)? {
            return self.refuse(file, damage).map(Some);
        }
        let fs = self.world.fs();
        if let Some(parent) = to.parent().filter(|parent| *parent != Path::new("")) {
            fs.create_dir_all(parent)?;
        }
        let mut copying = Copying {
            world: self.world,
            from: SparseReader::open(fs, &self.objects.path(file.sha256))?,
            to: fs.create(to)?,
            left: file.length,
            offset: 0,
        };
        let measured = sha256_reader(&mut copying).map_err(|error| unwrap("copy", to, error))?;
        if let Err(damage) = self.objects.compare(file, measured) {
            return self.refuse(file, damage).map(Some);
        }
        copying.to.commit()?;
        Ok(None)
    }

    fn refuse(&self, file: &CachedFile, damage: crate::Damage) -> Result<GraphError, GraphError> {
        let is_ours = self.objects.is_written(file.sha256);
        let error = self.damaged(file, damage)?;
        if is_ours {
            return Err(self.objects.unstable(file, damage));
        }
        Ok(error)
    }
}

/// The error of an effect, out of the error of a stream.
fn unwrap(action: &'static str, path: &Path, error: io::Error) -> GraphError {
    let text = WorldError::io(action, path, &error);
    let inner = error
        .into_inner()
        .and_then(|inner| inner.downcast::<WorldError>().ok());
    inner.map_or(text, |inner| *inner).into()
}

/// Which of the targets have their content already. Only those of the right length are read.
fn unchanged(
    cache: &Cache<'_>,
    files: &[(CachedFile, &Path)],
    threads: NonZeroUsize,
) -> Result<Vec<bool>, GraphError> {
    let mut candidates = Vec::new();
    for (index, (file, to)) in files.iter().enumerate() {
        let found = cache.world.fs().metadata(to)?;
        if found.is_some_and(|found| found.kind != FileKind::File) {
            let path = (*to).to_owned();
            return Err(GraphError::NotAFile { path });
        }
        if found.is_some_and(|found| found.len == file.length) {
            candidates.push((index, (*to).to_owned()));
        }
    }
    let paths: Vec<PathBuf> = candidates.iter().map(|(_, path)| path.clone()).collect();
    let measured = sha256_files(cache.world, &paths, threads)?;
    let mut unchanged = vec![false; files.len()];
    for ((index, _), (_, found)) in candidates.into_iter().zip(measured) {
        unchanged[index] = found == files[index].0.sha256;
    }
    Ok(unchanged)
}

/// Places many files, several at a time. Returns what to say of those that are damaged in the cache; they have been dropped.
///
/// # Errors
/// As [`Cache::place`], but for damage.
pub(crate) fn place_all(
    cache: &Cache<'_>,
    files: &[(CachedFile, &Path)],
    threads: NonZeroUsize,
) -> Result<Vec<GraphError>, GraphError> {
    let unchanged = unchanged(cache, files, threads)?;
    let open: Vec<usize> = (0..files.len()).filter(|&index| !unchanged[index]).collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new((Vec::new(), None));
    let work = || {
        while let Some(&index) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (file, to) = &files[index];
            let copied = cache.copy(file, to);
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            match copied {
                Ok(None) => {}
                Ok(Some(damaged)) => results.0.push(damaged),
                Err(error) => {
                    results.1.get_or_insert(error);
                    // Nobody takes another one.
                    next.store(open.len(), Ordering::Relaxed);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.get().min(open.len()) {
            scope.spawn(work);
        }
        work();
    });
    let (damaged, error) = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    error.map_or(Ok(damaged), Err)
}

/// Reads one file and writes what it read to another one, but for blocks of zeros.
struct Copying<'w> {
    world: &'w dyn World,
    from: SparseReader,
    to: Box<dyn OutFile + 'w>,
    /// How many bytes are expected.
    left: u64,
    /// How much was read.
    offset: u64,
}

impl Read for Copying<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.world.check_interrupt().map_err(io::Error::other)?;
        let count = self.from.read(out)?;
        self.write(&out[..count])?;
        Ok(count)
    }
}

impl Copying<'_> {
    fn write(&mut self, mut piece: &[u8]) -> io::Result<()> {
        while !piece.is_empty() {
            let run = run_of_zeros(self.offset, piece);
            let (part, skip) = match run {
                // The last block gives the file its length.
                (length, true) => (length, (length as u64) < self.left),
                (length, false) => (length, false),
            };
            if !skip {
                self.to.seek(SeekFrom::Start(self.offset))?;
                self.to.write_all(&piece[..part])?;
            }
            self.offset += part as u64;
            self.left = self.left.saturating_sub(part as u64);
            piece = &piece[part..];
        }
        Ok(())
    }
}

/// How long the piece goes on being all zeros, or having something else in each block; blocks are those of the file.
/// Zeros in a block that is only partly in the piece do not count.
fn run_of_zeros(offset: u64, piece: &[u8]) -> (usize, bool) {
    let mut end = 0;
    let mut kind = None;
    while end < piece.len() {
        let into = usize::try_from((offset + end as u64) % BLOCK as u64).unwrap_or(0);
        let block = &piece[end..piece.len().min(end + BLOCK - into)];
        let zero = *block == ZEROS[..block.len()] && block.len() == BLOCK;
        if *kind.get_or_insert(zero) != zero {
            break;
        }
        end += block.len();
    }
    (end, kind.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_where_blocks_of_the_file_change_from_zeros_to_something_else() {
        let mut piece = vec![0; 3 * BLOCK];
        assert_eq!(run_of_zeros(0, &piece), (3 * BLOCK, true));
        // Off the blocks' borders: what is left of the first one is no whole block.
        assert_eq!(run_of_zeros(1, &piece), (BLOCK - 1, false));
        piece[BLOCK] = 1;
        assert_eq!(run_of_zeros(0, &piece), (BLOCK, true));
        assert_eq!(run_of_zeros(BLOCK as u64, &piece[BLOCK..]), (BLOCK, false));
        assert_eq!(run_of_zeros(0, &piece[..BLOCK - 1]), (BLOCK - 1, false));
        assert_eq!(run_of_zeros(0, &[]), (0, false));
    }
}
