//! SHA-256 alone, where content is compared with what is known of it and nothing is signed. With the instructions that
//! processors have for it, it takes a third of the time of both digests.

use crate::digest::fill;
use crate::digest_many::{Watched, read_error};
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use vrel_model::Sha256Digest;
use vrel_world::{SparseReader, World, WorldError};

/// Size of a buffer, in bytes: it stays in the processor's cache.
const BUFFER: usize = 128 << 10;

/// Length in bytes and SHA-256 of some content.
pub type Measured = (u64, Sha256Digest);

/// Length and SHA-256 of everything that a reader gives.
///
/// # Errors
/// What the reader returns.
pub fn sha256_reader(reader: impl Read) -> io::Result<Measured> {
    measure(reader, &mut vec![0; BUFFER])
}

fn measure(mut reader: impl Read, buffer: &mut [u8]) -> io::Result<Measured> {
    let (mut hash, mut length) = (Sha256::new(), 0);
    loop {
        let filled = fill(&mut reader, buffer)?;
        hash.update(&buffer[..filled]);
        length += filled as u64;
        if filled < buffer.len() {
            return Ok((length, Sha256Digest::new(hash.finalize().into())));
        }
    }
}

/// Length and SHA-256 of files, in the order of the paths; `threads` compute at the same time.
///
/// # Errors
/// The failure of the first path, in their order, that cannot be read; or that the program was asked to stop.
pub fn sha256_files(
    world: &dyn World,
    paths: &[PathBuf],
    threads: NonZeroUsize,
) -> Result<Vec<Measured>, WorldError> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(paths.len()));
    let work = || {
        let mut buffer = vec![0; BUFFER];
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = paths.get(index) else { return };
            let measured = SparseReader::open(world.fs(), path).and_then(|file| {
                let measured = measure(Watched::new(file, world), &mut buffer);
                measured.map_err(|error| read_error(path, error))
            });
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results.push((index, measured));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.get().min(paths.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, measured)| measured).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest_bytes;
    use vrel_world::RealWorld;

    #[test]
    fn files_have_the_digests_of_their_content_whatever_their_length() {
        let dir = tempfile::tempdir().unwrap();
        let lengths = [0, 1, BUFFER - 1, BUFFER, BUFFER + 1, 3 * BUFFER];
        let contents: Vec<Vec<u8>> = lengths.iter().map(|&length| vec![length as u8; length]).collect();
        let write = |(number, content): (usize, &Vec<u8>)| {
            let path = dir.path().join(number.to_string());
            std::fs::write(&path, content).unwrap();
            path
        };
        let mut paths: Vec<PathBuf> = contents.iter().enumerate().map(write).collect();
        let world = RealWorld::default();
        for threads in [1, 2, 9] {
            let threads = NonZeroUsize::new(threads).unwrap();
            let found = sha256_files(&world, &paths, threads).unwrap();
            let expected = contents.iter().map(|content| {
                let digests = digest_bytes(content);
                (digests.length, digests.sha256)
            });
            assert_eq!(found, expected.collect::<Vec<_>>());
        }
        paths.insert(2, dir.path().join("nowhere"));
        let error = sha256_files(&world, &paths, NonZeroUsize::MIN).unwrap_err();
        assert!(error.to_string().contains("nowhere"), "{error}");
    }
}
