//! What an installer writes: the EFI system partition of the installed system, as a file on the installer's medium.
//!
//! The file holds the partition without its zeros. All numbers are little endian:
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

use crate::PackError;
use crc::{CRC_32_ISO_HDLC, Crc};
use std::io::{self, Read};
use std::path::Path;
use vrel_world::{World, WorldError};

/// Where the file lies on the medium's EFI system partition.
pub const PAYLOAD_FILE: &str = "veridian/install.esp";

const MAGIC: &[u8; 8] = b"VRDINST1";

/// Zeros are left out in pieces of this size.
const PIECE: usize = 4096;

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Makes the file's content from a partition in memory.
#[must_use]
pub fn payload(esp: &[u8]) -> Vec<u8> {
    from_reader(&mut &*esp).expect("memory can be read")
}

/// Makes the file's content from the partition in the file at `esp`. In memory are only the parts that are not zero:
/// as much as is in the partition's files.
///
/// # Errors
/// When the file cannot be read.
pub fn read_payload(world: &dyn World, esp: &Path) -> Result<Vec<u8>, PackError> {
    let made = from_reader(&mut *world.fs().open(esp)?);
    Ok(made.map_err(|error| WorldError::io("read", esp, &error))?)
}

fn from_reader(esp: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut piece = vec![0; PIECE];
    let (mut table, mut data): (Vec<(u64, u64)>, _) = (Vec::new(), Vec::new());
    let mut offset = 0;
    loop {
        let len = fill(esp, &mut piece)?;
        if piece[..len].iter().any(|&byte| byte != 0) {
            match table.last_mut() {
                Some((start, extent)) if *start + *extent == offset => *extent += len as u64,
                _ => table.push((offset, len as u64)),
            }
            data.extend_from_slice(&piece[..len]);
        }
        offset += len as u64;
        if len < PIECE {
            break;
        }
    }
    let mut body: Vec<u8> = Vec::with_capacity(table.len() * 16 + data.len());
    for (start, len) in &table {
        body.extend(start.to_le_bytes());
        body.extend(len.to_le_bytes());
    }
    body.append(&mut data);
    let mut file = MAGIC.to_vec();
    file.extend(offset.to_le_bytes());
    file.extend((table.len() as u32).to_le_bytes());
    let mut digest = CRC.digest();
    digest.update(&file);
    digest.update(&body);
    file.extend(digest.finalize().to_le_bytes());
    file.append(&mut body);
    Ok(file)
}

/// Reads until the buffer is full or the end comes.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match reader.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_world::RealWorld;

    #[test]
    fn zeros_take_no_space_and_neighbours_are_one_extent() {
        let mut esp = vec![0; 1 << 20];
        esp[..4].copy_from_slice(b"boot");
        esp[2 * PIECE + 7] = 1;
        esp[3 * PIECE] = 2;
        esp[(1 << 20) - 1] = 3;
        let file = payload(&esp);
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
    fn a_file_gives_the_same_as_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("esp");
        let esp: Vec<u8> = (0..100_000_u32).map(|n| (n / 30_000 % 2) as u8).collect();
        std::fs::write(&path, &esp).unwrap();
        let world = RealWorld::default();
        assert!(read_payload(&world, &path).unwrap() == payload(&esp));
        let missing = dir.path().join("missing");
        let error = read_payload(&world, &missing).unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
    }
}
