//! The digests of many streams on all cores.
//!
//! One stream alone is split: SHA-256 on one thread, BLAKE2b on another ([`digest_reader`]). With several, every thread
//! takes up to four of them and feeds their BLAKE2b states side by side: the vector units of a processor compute four in
//! less than half the time that they would take one after the other.

use crate::digest::{digests, fill};
use crate::{Digests, digest_reader};
use sha2::{Digest as _, Sha256};
use std::cmp::Reverse;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use vrel_world::{SparseReader, World, WorldError};

/// How many BLAKE2b states the vector units take at once.
const LANES: usize = 4;

/// How much of each stream is read at a time: the pieces of all lanes stay in the processor's cache between the two
/// hashes.
const PIECE: usize = 64 << 10;

/// A stream that is shorter is not worth a second thread.
const LARGE: u64 = 1 << 20;

/// Where the bytes of one stream come from.
pub type Source<'a> = Box<dyn Read + Send + 'a>;

/// The digests of as many streams as there are `lengths`, in their order, each read once. The lengths, in bytes, only
/// decide what is done at the same time; a wrong one does no harm. `open` opens a stream by its index. `threads` is how
/// many threads compute at the same time.
///
/// # Errors
/// Each stream has its own result: what `open` or the reader returned.
pub fn digest_streams<'a>(
    lengths: &[u64],
    threads: NonZeroUsize,
    open: &(dyn Fn(usize) -> io::Result<Source<'a>> + Sync),
) -> Vec<io::Result<Digests>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    // The largest first, so that no long one is begun when all others are done.
    order.sort_by_key(|&index| Reverse(lengths[index]));
    let mut results: Vec<(usize, io::Result<Digests>)> = Vec::with_capacity(order.len());

    // A stream that is longer than what the others could keep one thread busy with would run alone at the end.
    let mut left: u64 = lengths.iter().fold(0, |sum, length| sum.saturating_add(*length));
    let mut rest = &order[..];
    while let [first, others @ ..] = rest {
        let length = lengths[*first];
        let dominates = threads.get() > 1 && length >= LARGE && length > left / threads.get() as u64;
        if !dominates {
            break;
        }
        results.push((*first, open(*first).and_then(digest_reader)));
        left -= length;
        rest = others;
    }

    let queue = Queue {
        order: rest,
        next: AtomicUsize::new(0),
        open,
    };
    let workers = threads.get().min(rest.len());
    let lanes = rest.len().div_ceil(workers.max(1)).min(LANES);
    let shared = Mutex::new(results);
    std::thread::scope(|scope| {
        let work = || {
            let done = queue.work(lanes);
            shared.lock().unwrap_or_else(PoisonError::into_inner).extend(done);
        };
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    let mut results = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The streams that no thread has taken yet.
struct Queue<'q, 'a> {
    order: &'q [usize],
    next: AtomicUsize,
    open: &'q (dyn Fn(usize) -> io::Result<Source<'a>> + Sync),
}

/// One stream on its way through.
struct Lane<'a> {
    index: usize,
    source: Source<'a>,
    length: u64,
    sha256: Sha256,
    blake2b: blake2b_simd::State,
    piece: Vec<u8>,
    filled: usize,
}

impl<'a> Queue<'_, 'a> {
    /// Takes streams until there are none left, up to `lanes` at a time.
    fn work(&self, lanes: usize) -> Vec<(usize, io::Result<Digests>)> {
        let mut done = Vec::new();
        let mut active: Vec<Lane<'a>> = Vec::with_capacity(lanes);
        // A fresh, zeroed buffer for every stream would cost more than hashing a small one.
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        loop {
            while active.len() < lanes {
                let Some(&index) = self.order.get(self.next.fetch_add(1, Ordering::Relaxed)) else {
                    break;
                };
                match (self.open)(index) {
                    Ok(source) => {
                        let piece = pieces.pop().unwrap_or_else(|| vec![0; PIECE]);
                        active.push(Lane::new(index, source, piece));
                    }
                    Err(error) => done.push((index, Err(error))),
                }
            }
            if active.is_empty() {
                return done;
            }
            let mut at = 0;
            while let Some(lane) = active.get_mut(at) {
                match lane.read() {
                    Ok(()) => at += 1,
                    Err(error) => {
                        let lane = active.swap_remove(at);
                        pieces.push(lane.piece);
                        done.push((lane.index, Err(error)));
                    }
                }
            }
            let jobs = active
                .iter_mut()
                .map(|lane| (&mut lane.blake2b, &lane.piece[..lane.filled]));
            blake2b_simd::many::update_many(jobs);
            let mut at = 0;
            while let Some(lane) = active.get(at) {
                if lane.filled == PIECE {
                    at += 1;
                    continue;
                }
                let lane = active.swap_remove(at);
                done.push((lane.index, Ok(digests(lane.length, lane.sha256, &lane.blake2b))));
                pieces.push(lane.piece);
            }
        }
    }
}

impl<'a> Lane<'a> {
    fn new(index: usize, source: Source<'a>, piece: Vec<u8>) -> Self {
        let (sha256, blake2b) = (Sha256::new(), blake2b_simd::State::new());
        Self {
            index,
            source,
            length: 0,
            sha256,
            blake2b,
            piece,
            filled: 0,
        }
    }

    /// Reads the next piece and takes it into SHA-256. A piece that is not full is the last.
    fn read(&mut self) -> io::Result<()> {
        self.filled = fill(&mut self.source, &mut self.piece)?;
        self.length += self.filled as u64;
        self.sha256.update(&self.piece[..self.filled]);
        Ok(())
    }
}

/// The digests of files, in the order of the paths, each read once. `threads` is how many threads compute at the same
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
    let open = |index: usize| -> io::Result<Source<'_>> {
        let reader = SparseReader::open(world.fs(), &paths[index]).map_err(io::Error::other)?;
        Ok(Box::new(Watched {
            reader,
            world,
            index,
            progress,
        }))
    };
    let results = digest_streams(&lengths, threads, &open).into_iter().zip(paths);
    results
        .map(|(result, path)| result.map_err(|error| read_error(path, error)))
        .collect()
}

/// What went wrong with a file that was read through [`Watched`].
pub(crate) fn read_error(path: &Path, error: io::Error) -> WorldError {
    let text = WorldError::io("read", path, &error);
    let inner = error
        .into_inner()
        .and_then(|inner| inner.downcast::<WorldError>().ok());
    inner.map_or(text, |inner| *inner)
}

/// A reader that stops when the program was asked to, and tells how far it is.
pub(crate) struct Watched<'a, R> {
    reader: R,
    world: &'a dyn World,
    index: usize,
    progress: &'a (dyn Fn(usize, u64) + Sync),
}

impl<'a, R> Watched<'a, R> {
    /// One that nobody is told of.
    pub(crate) fn new(reader: R, world: &'a dyn World) -> Self {
        Self {
            reader,
            world,
            index: 0,
            progress: &|_, _| {},
        }
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.world.check_interrupt().map_err(io::Error::other)?;
        let count = self.reader.read(out)?;
        (self.progress)(self.index, count as u64);
        Ok(count)
    }
}
