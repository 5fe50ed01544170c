//! Both digests of a file in one read.
//!
//! SHA-256 is what `SHA256SUMS` and the manifest hold, BLAKE2b-512 is what minisign signs. Reading a file twice, or
//! hashing with one after the other, would take the sum of the times; here the longer of the two decides.

use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, mpsc};
use vrel_model::{Blake2bDigest, Sha256Digest};

/// Length and digests of some content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Length in bytes.
    pub length: u64,
    /// SHA-256.
    pub sha256: Sha256Digest,
    /// BLAKE2b-512.
    pub blake2b: Blake2bDigest,
}

/// Hashes content that comes piece by piece, on the caller's thread.
#[derive(Clone)]
pub struct Hasher {
    length: u64,
    sha256: Sha256,
    blake2b: blake2b_simd::State,
}

impl Default for Hasher {
    fn default() -> Self {
        Self {
            length: 0,
            sha256: Sha256::new(),
            blake2b: blake2b_simd::State::new(),
        }
    }
}

impl Hasher {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.length += piece.len() as u64;
        self.sha256.update(piece);
        self.blake2b.update(piece);
    }

    /// The digests of all pieces.
    #[must_use]
    pub fn finish(self) -> Digests {
        digests(self.length, self.sha256, &self.blake2b)
    }
}

pub(crate) fn digests(length: u64, sha256: Sha256, blake2b: &blake2b_simd::State) -> Digests {
    let sha256 = Sha256Digest::new(sha256.finalize().into());
    let blake2b = Blake2bDigest::new(*blake2b.finalize().as_array());
    Digests {
        length,
        sha256,
        blake2b,
    }
}

/// The digests of content in memory.
#[must_use]
pub fn digest_bytes(content: &[u8]) -> Digests {
    let mut hasher = Hasher::default();
    hasher.update(content);
    hasher.finish()
}

/// Size of a buffer: large enough that handing one over costs nothing, small enough that it is still in the processor's
/// cache when the other thread takes it.
const BUFFER: usize = 256 << 10;

/// How many buffers go round. The reading side hashes too, so that a few are enough to keep both sides busy.
const BUFFERS: usize = 4;

/// The digests of everything that a reader gives, read once; SHA-256 is computed on the calling thread and BLAKE2b on
/// another one. Content of less than one buffer (256 KiB) starts no thread.
///
/// # Errors
/// What the reader returns.
pub fn digest_reader(mut reader: impl Read) -> io::Result<Digests> {
    let mut buffer = vec![0; BUFFER];
    let mut filled = fill(&mut reader, &mut buffer)?;
    if filled < BUFFER {
        return Ok(digest_bytes(&buffer[..filled]));
    }
    std::thread::scope(|scope| {
        let (to_blake2b, pieces) = mpsc::channel::<(Arc<Vec<u8>>, usize)>();
        let (release, released) = mpsc::channel::<()>();
        let blake2b = scope.spawn(move || {
            let mut state = blake2b_simd::State::new();
            for (piece, filled) in pieces {
                state.update(&piece[..filled]);
                drop(piece);
                // The reading side may have gone already, after its last piece.
                let _ = release.send(());
            }
            state
        });

        let ended = || io::Error::other("the hashing thread ended early");
        let mut sha256 = Sha256::new();
        let mut length = 0;
        // Handed over and not yet given back, oldest first.
        let mut lent: VecDeque<Arc<Vec<u8>>> = VecDeque::new();
        loop {
            let piece = Arc::new(buffer);
            length += filled as u64;
            to_blake2b
                .send((Arc::clone(&piece), filled))
                .map_err(|_| ended())?;
            sha256.update(&piece[..filled]);
            lent.push_back(piece);
            if filled < BUFFER {
                break;
            }
            buffer = if lent.len() < BUFFERS {
                vec![0; BUFFER]
            } else {
                released.recv().map_err(|_| ended())?;
                // The other side gave back its share of the oldest one.
                let free = lent.pop_front().and_then(|piece| Arc::try_unwrap(piece).ok());
                free.unwrap_or_else(|| vec![0; BUFFER])
            };
            filled = fill(&mut reader, &mut buffer)?;
        }
        drop(to_blake2b);
        let state = blake2b
            .join()
            .map_err(|_| io::Error::other("the hashing thread failed"))?;
        Ok(digests(length, sha256, &state))
    })
}

/// Reads until the buffer is full or the reader has no more.
pub(crate) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives its content in pieces of odd sizes.
    struct Pieces<'a> {
        content: &'a [u8],
        size: usize,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let size = self.size.min(out.len());
            self.content.read(&mut out[..size])
        }
    }

    fn content(length: usize) -> Vec<u8> {
        (0..length)
            .map(|index| (index.wrapping_mul(31) >> 3) as u8)
            .collect()
    }

    #[test]
    fn digests_are_the_standard_ones() {
        let digests = digest_bytes(b"abc");
        assert_eq!(digests.length, 3);
        // FIPS 180-4 and RFC 7693 give these as examples.
        assert_eq!(
            digests.sha256.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(
            digests
                .blake2b
                .to_string()
                .starts_with("ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b7")
        );
    }

    #[test]
    fn every_length_around_the_buffers_gives_the_same_by_both_ways() {
        for buffers_full in 0..7 {
            for more in [0, 1, BUFFER - 1] {
                let content = content(buffers_full * BUFFER + more);
                assert_eq!(digest_reader(&content[..]).unwrap(), digest_bytes(&content));
            }
        }
    }

    #[test]
    fn an_error_in_the_middle_is_the_result() {
        struct Failing(usize);
        impl Read for Failing {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(1).ok_or_else(|| io::Error::other("gone"))?;
                Ok(out.len())
            }
        }
        for pieces in 0..6 {
            assert_eq!(digest_reader(Failing(pieces)).unwrap_err().to_string(), "gone");
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(length in 0usize..(3 * BUFFER), size in 1usize..(BUFFER + 7)) {
            let content = content(length);
            prop_assert_eq!(digest_reader(Pieces { content: &content, size }).unwrap(), digest_bytes(&content));
        }
    }
}
