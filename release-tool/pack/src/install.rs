//! What an installer writes: the EFI system partition of the installed system, as files on the installer's medium, one
//! for each size of a disk's blocks.
//!
//! A file holds the partition without its zeros. All numbers are little endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 0..8 | `VRDINST1` |
//! | 8..16 | length of the partition in bytes |
//! | 16..20 | how many extents there are |
//! | 20..24 | CRC-32 (ISO-HDLC, as of GPT) of all other bytes of the file |
//! | 24.. | for each extent its offset in the partition and its length in bytes, 8 bytes each |
//! | then | the extents' bytes, one behind the other |
//!
//! Extents are sorted and do not overlap; what none of them covers is zero.

use crate::esp::{self, Sector};
use crate::raw::is_zero;
use crate::{Ids, PackError};
use crc::{CRC_32_ISO_HDLC, Crc};
use vrel_model::UtcTime;

/// Where the file for disks with blocks of 512 bytes lies on the medium's EFI system partition. A medium with it is an
/// installer's.
const FILE: &str = "veridian/install.esp";

/// Where the file for disks with blocks of 4096 bytes lies.
const FILE_4K: &str = "veridian/install4k.esp";

const MAGIC: &[u8; 8] = b"VRDINST1";

/// Zeros are left out in pieces of this size.
const PIECE: usize = 4096;

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The files that make a medium an installer's.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    small: Vec<u8>,
    large: Vec<u8>,
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} and {} bytes)", self.small.len(), self.large.len())
    }
}

impl Payload {
    /// From the files of the installed system, whose partition gets `size` bytes. In memory stays only what is not zero:
    /// as much as the files have.
    ///
    /// # Errors
    /// As [`esp::build`].
    pub fn build(
        installed: &esp::Content<'_>,
        size: u64,
        ids: &Ids,
        time: UtcTime,
    ) -> Result<Self, PackError> {
        let make = |sector| {
            let partition = esp::build_with(sector, installed, size, ids, time)?;
            Ok::<_, PackError>(from_bytes(&partition))
        };
        Ok(Self {
            small: make(Sector::B512)?,
            large: make(Sector::B4096)?,
        })
    }

    /// The files by their paths, as [`esp::Content::extra`] of the installer's medium.
    #[must_use]
    pub fn files(&self) -> [(&'static str, &[u8]); 2] {
        [(FILE, &self.small), (FILE_4K, &self.large)]
    }
}

fn from_bytes(partition: &[u8]) -> Vec<u8> {
    let (mut table, mut data): (Vec<(u64, u64)>, Vec<u8>) = (Vec::new(), Vec::new());
    for (offset, piece) in (0..).step_by(PIECE).zip(partition.chunks(PIECE)) {
        if is_zero(piece) {
            continue;
        }
        match table.last_mut() {
            Some((start, extent)) if *start + *extent == offset => *extent += piece.len() as u64,
            _ => table.push((offset, piece.len() as u64)),
        }
        data.extend_from_slice(piece);
    }
    let mut body: Vec<u8> = Vec::with_capacity(table.len() * 16 + data.len());
    for (start, len) in &table {
        body.extend(start.to_le_bytes());
        body.extend(len.to_le_bytes());
    }
    body.append(&mut data);
    let mut file = MAGIC.to_vec();
    file.extend((partition.len() as u64).to_le_bytes());
    file.extend((table.len() as u32).to_le_bytes());
    let mut digest = CRC.digest();
    digest.update(&file);
    digest.update(&body);
    file.extend(digest.finalize().to_le_bytes());
    file.append(&mut body);
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::esp::tests::{content, ids};

    #[test]
    fn zeros_take_no_space_and_neighbours_are_one_extent() {
        let mut esp = vec![0; 1 << 20];
        esp[..4].copy_from_slice(b"boot");
        esp[2 * PIECE + 7] = 1;
        esp[3 * PIECE] = 2;
        esp[(1 << 20) - 1] = 3;
        let file = from_bytes(&esp);
        assert_eq!(file.len(), 24 + 3 * 16 + 4 * PIECE);
        let number = |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().unwrap());
        assert_eq!((&file[..8], number(8)), (&MAGIC[..], 1 << 20));
        let piece = PIECE as u64;
        let table: Vec<u64> = (0..6).map(|index| number(24 + index * 8)).collect();
        assert_eq!(table, [0, piece, 2 * piece, 2 * piece, (1 << 20) - piece, piece]);
        assert!(file[24 + 48..].starts_with(b"boot"));
        assert_eq!(file.last(), Some(&3));
    }

    #[test]
    fn there_is_a_file_for_each_size_of_blocks_and_equal_input_gives_equal_bytes() {
        let time = UtcTime::from_unix(1_700_000_000).unwrap();
        let build = || Payload::build(&content(), 16 << 20, &ids(), time).unwrap();
        let payload = build();
        assert!(payload == build());
        for ((_, file), sector) in payload.files().iter().zip([Sector::B512, Sector::B4096]) {
            let partition = esp::build_with(sector, &content(), 16 << 20, &ids(), time).unwrap();
            assert!(**file == from_bytes(&partition));
            assert!(file.len() < 200_000, "{payload:?}");
        }
    }
}
