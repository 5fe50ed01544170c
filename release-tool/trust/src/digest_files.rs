//! Many files on all cores.

use crate::Digests;
use crate::digest::{Buffers, digest_with};
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use vrel_world::{World, WorldError};

/// From this length on, a file is hashed by two threads.
const LARGE: u64 = 1 << 20;

/// Runs a job for every file, as many at a time as the threads can digest, and returns the results in the order of
/// `lengths`. Large files come first, so that no long one is begun when all others are done; each keeps two threads busy
/// by itself ([`digest_with`]).
pub fn by_size<T: Send>(
    lengths: &[u64],
    threads: NonZeroUsize,
    job: &(dyn Fn(usize, &mut Buffers) -> T + Sync),
) -> Vec<T> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
    let (large, small) = order.split_at(order.partition_point(|&index| lengths[index] >= LARGE));

    let results: Mutex<Vec<Option<T>>> = Mutex::new(lengths.iter().map(|_| None).collect());
    for (files, workers) in [(large, threads.get().div_ceil(2)), (small, threads.get())] {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut buffers = Buffers::default();
            while let Some(&index) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let result = job(index, &mut buffers);
                results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(result);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..workers.min(files.len()) {
                scope.spawn(work);
            }
            work();
        });
    }
    results
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .into_iter()
        .flatten()
        .collect()
}

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
    let length = |path: &PathBuf| Ok(world.fs().metadata(path)?.map_or(0, |metadata| metadata.len));
    let lengths = paths
        .iter()
        .map(length)
        .collect::<Result<Vec<u64>, WorldError>>()?;
    let job = |index: usize, buffers: &mut Buffers| {
        digest_file(world, &paths[index], buffers, &|bytes| progress(index, bytes))
    };
    by_size(&lengths, threads, &job).into_iter().collect()
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
