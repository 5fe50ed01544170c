//! Compression of the pieces of disk images.
//!
//! The compressor is zlib-rs: the same bytes on every processor, since it uses vector instructions only to compare and
//! copy, and no C library of the system, whose version would show in the result.

use flate2::{Compress, Compression, FlushCompress, Status};
use std::io;

/// Compresses pieces of one size, each for itself.
#[derive(Debug)]
pub(crate) struct Deflater {
    state: Compress,
    buffer: Vec<u8>,
}

impl Deflater {
    /// Makes zlib streams (RFC 1950).
    pub(crate) fn zlib(piece: usize) -> Self {
        Self::with(Compress::new(Compression::default(), true), piece)
    }

    /// Makes bare deflate streams (RFC 1951) whose references reach back 4 KiB at most.
    pub(crate) fn raw_4k(piece: usize) -> Self {
        const WINDOW_BITS: u8 = 12;
        let state = Compress::new_with_window_bits(Compression::default(), false, WINDOW_BITS);
        Self::with(state, piece)
    }

    fn with(state: Compress, piece: usize) -> Self {
        // What deflate adds to incompressible data at most, and a little more: a full buffer only costs another turn.
        let buffer = Vec::with_capacity(piece + piece / 8 + piece / 64 + 64);
        Self { state, buffer }
    }

    /// The compressed form.
    ///
    /// # Errors
    /// When the compressor says so, for which no reason is known.
    pub(crate) fn compress(&mut self, piece: &[u8]) -> io::Result<&[u8]> {
        self.state.reset();
        self.buffer.clear();
        loop {
            let rest = &piece[self.state.total_in() as usize..];
            match self
                .state
                .compress_vec(rest, &mut self.buffer, FlushCompress::Finish)?
            {
                Status::StreamEnd => return Ok(&self.buffer),
                Status::Ok | Status::BufError => self.buffer.reserve(4096),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Decompress, FlushDecompress};

    /// Text-like at first, then noise that nothing compresses.
    fn sample(len: usize) -> Vec<u8> {
        let mut state = 1u32;
        (0..len)
            .map(|index| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if index < len / 2 {
                    b"disk"[index % 4]
                } else {
                    (state >> 24) as u8
                }
            })
            .collect()
    }

    #[test]
    fn what_is_compressed_comes_back_and_noise_fits() {
        for len in [1, 512, 65_536] {
            let sample = sample(len);
            let mut zlib = Deflater::zlib(len);
            let mut raw = Deflater::raw_4k(len);
            for _ in 0..2 {
                for (compressed, zlib_header) in [
                    (zlib.compress(&sample).unwrap(), true),
                    (raw.compress(&sample).unwrap(), false),
                ] {
                    let mut back = vec![0; len];
                    let mut state = if zlib_header {
                        Decompress::new(true)
                    } else {
                        Decompress::new_with_window_bits(false, 12)
                    };
                    let status = state.decompress(compressed, &mut back, FlushDecompress::Finish);
                    assert_eq!(status.unwrap(), Status::StreamEnd);
                    assert!(back == sample);
                }
            }
        }
    }

    #[test]
    fn a_piece_that_is_larger_than_expected_is_compressed_too() {
        let sample = sample(65_536);
        let small = Deflater::zlib(100).compress(&sample).unwrap().to_vec();
        assert!(small == Deflater::zlib(65_536).compress(&sample).unwrap());
    }
}
