//! The digests of many files on all cores.

use crate::Digests;
use crate::digest::{Buffers, digest_with};
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use vrel_world::{World, WorldError};

/// From this length on, a file is hashed by two threads.
const LARGE: u64 = 1 << 20;

/// The digests of files, in the order of the paths, each read once. `threads` is how many of them compute at the same
/// time; `progress` is told the index of a file and how many more of its bytes were read, from any thread.
///
/// # Errors
/// The failure of the first path, in their order, that cannot be read; or that the program was asked to stop.
pub fn digest_files(
    world: &dyn World,
    paths: &[PathBuf],
    threads: NonZeroUsize,
    progress: &(dyn Fn(usize, u64) + Sync),
) -> Result<Vec<Digests>, WorldError> {
    let mut sized = Vec::with_capacity(paths.len());
    for (index, path) in paths.iter().enumerate() {
        sized.push((
            world.fs().metadata(path)?.map_or(0, |metadata| metadata.len),
            index,
        ));
    }
    // The largest first, so that no long one is begun when all others are done.
    sized.sort_unstable_by(|a, b| b.cmp(a));
    let (large, small) = sized.split_at(sized.partition_point(|(length, _)| *length >= LARGE));

    let results: Mutex<Vec<Option<Result<Digests, WorldError>>>> =
        Mutex::new(paths.iter().map(|_| None).collect());
    // A large file keeps two threads busy by itself, a small one only the one that reads it.
    for (files, workers) in [(large, threads.get().div_ceil(2)), (small, threads.get())] {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut buffers = Buffers::new();
            while let Some((_, index)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let result = digest_file(world, &paths[*index], &mut buffers, &|bytes| {
                    progress(*index, bytes);
                });
                let mut results = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                results[*index] = Some(result);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..workers.min(files.len()) {
                scope.spawn(work);
            }
            work();
        });
    }
    let results = results
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    results.into_iter().flatten().collect()
}

fn digest_file(
    world: &dyn World,
    path: &Path,
    buffers: &mut Buffers,
    progress: &dyn Fn(u64),
) -> Result<Digests, WorldError> {
    let mut stopped = None;
    let reader = Watched {
        reader: world.fs().open(path)?,
        world,
        progress,
        stopped: &mut stopped,
    };
    let result = digest_with(reader, buffers);
    match stopped {
        Some(error) => Err(error),
        None => result.map_err(|error| WorldError::io("read", path, &error)),
    }
}

/// A reader that stops when the program was asked to, and tells how far it is.
struct Watched<'a, R> {
    reader: R,
    world: &'a dyn World,
    progress: &'a dyn Fn(u64),
    stopped: &'a mut Option<WorldError>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Err(error) = self.world.check_interrupt() {
            let text = error.to_string();
            *self.stopped = Some(error);
            return Err(io::Error::other(text));
        }
        let count = self.reader.read(out)?;
        (self.progress)(count as u64);
        Ok(count)
    }
}
