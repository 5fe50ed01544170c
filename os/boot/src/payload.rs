//! The file with the installed system's partition: the partition without its zeros.
//!
//! Numbers are little endian: `VRDINST1`, the partition's length (8 bytes), the number of extents (4), the CRC-32 of all
//! other bytes of the file (4); then for each extent its offset and length (8 each); then their bytes. Extents are sorted
//! and do not overlap.

use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc};

const MAGIC: &[u8] = b"VRDINST1";
const HEADER_LEN: usize = 24;
const EXTENT_LEN: usize = 16;

/// Where the checksum is, the last field of the header.
const CRC_AT: usize = HEADER_LEN - 4;

fn checksum(start: &[u8], body: &[u8]) -> u32 {
    let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    digest.update(start);
    digest.update(body);
    digest.finalize()
}

/// What is wrong with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadError {
    /// It is something else, or was made for another installer.
    NotAPayload,
    /// Its checksum is wrong.
    Damaged {
        /// The checksum that it names.
        expected: u32,
        /// The checksum that it has.
        found: u32,
    },
    /// Its extents contradict each other or what is there.
    Extents,
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAPayload => f.write_str("expected an installer's partition image, got something else"),
            Self::Damaged { expected, found } => write!(
                f,
                "expected the checksum {expected:#010x}, got {found:#010x}: the medium is damaged"
            ),
            Self::Extents => f.write_str("expected extents in order and within the partition, got others"),
        }
    }
}

/// A file whose checksum is right and whose extents fit.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    len: u64,
    table: &'a [u8],
    data: &'a [u8],
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl<'a> Payload<'a> {
    /// Checks the whole file.
    ///
    /// # Errors
    /// When it is something else, damaged, or contradicts itself.
    pub fn parse(file: &'a [u8]) -> Result<Self, PayloadError> {
        let header = file.get(..HEADER_LEN).filter(|header| header.starts_with(MAGIC));
        let header = header.ok_or(PayloadError::NotAPayload)?;
        let (Some(len), Some(count), Some(expected)) = (long(header, 8), word(header, 16), word(header, 20))
        else {
            return Err(PayloadError::NotAPayload);
        };
        let body = &file[HEADER_LEN..];
        let found = checksum(&header[..CRC_AT], body);
        if found != expected {
            return Err(PayloadError::Damaged { expected, found });
        }
        let table_len = (count as usize).saturating_mul(EXTENT_LEN);
        let (table, data) = body.split_at_checked(table_len).ok_or(PayloadError::Extents)?;
        let payload = Self { len, table, data };
        let (mut behind, mut total) = (0, 0_u64);
        for (offset, extent) in payload.extents() {
            let end = offset.checked_add(extent).filter(|&end| end <= len);
            if offset < behind || extent == 0 {
                return Err(PayloadError::Extents);
            }
            behind = end.ok_or(PayloadError::Extents)?;
            total += extent;
        }
        if total == data.len() as u64 {
            Ok(payload)
        } else {
            Err(PayloadError::Extents)
        }
    }

    /// Length of the partition in bytes.
    pub fn partition_len(&self) -> u64 {
        self.len
    }

    /// Offset in the partition and length of each extent.
    fn extents(&self) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        self.table
            .chunks_exact(EXTENT_LEN)
            .filter_map(|entry| Some((long(entry, 0)?, long(entry, 8)?)))
    }

    /// Fills `buffer` with the partition's bytes from `offset` on; zeros behind its end.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) {
        buffer.fill(0);
        let end = offset.saturating_add(buffer.len() as u64);
        let mut stored = 0;
        for (start, len) in self.extents() {
            let (from, to) = (start.max(offset), (start + len).min(end));
            if from < to {
                let source = (stored + (from - start)) as usize;
                let count = (to - from) as usize;
                let at = (from - offset) as usize;
                buffer[at..at + count].copy_from_slice(&self.data[source..source + count]);
            }
            stored += len;
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::{vec, vec::Vec};

    fn file(len: u64, extents: &[(u64, u64)], data: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        for (offset, len) in extents {
            body.extend(offset.to_le_bytes());
            body.extend(len.to_le_bytes());
        }
        body.extend(data);
        let mut file = MAGIC.to_vec();
        file.extend(len.to_le_bytes());
        file.extend((extents.len() as u32).to_le_bytes());
        file.extend(checksum(&file, &body).to_le_bytes());
        file.extend(body);
        file
    }

    #[test]
    fn every_piece_of_the_partition_is_read_with_its_zeros() {
        let file = file(30, &[(3, 4), (7, 2), (20, 10)], b"abcdefghijklmnop");
        let payload = Payload::parse(&file).unwrap();
        assert_eq!(payload.partition_len(), 30);
        let mut whole = vec![0xff; 30];
        payload.read(0, &mut whole);
        assert_eq!(whole, b"\0\0\0abcdef\0\0\0\0\0\0\0\0\0\0\0ghijklmnop");
        for start in 0..30 {
            for len in 0..=30 - start {
                let mut part = vec![0xff; len];
                payload.read(start as u64, &mut part);
                assert_eq!(part, whole[start..start + len]);
            }
        }
        let mut behind = [0xff; 4];
        payload.read(28, &mut behind);
        assert_eq!(&behind, b"op\0\0");
    }

    #[test]
    fn files_that_contradict_themselves_are_refused() {
        for (len, extents, data) in [
            (10, &[(5, 6)][..], &[1; 6][..]),
            (10, &[(5, 2), (6, 2)], &[1; 4]),
            (10, &[(5, 2), (0, 2)], &[1; 4]),
            (10, &[(5, 0)], &[]),
            (10, &[(5, 2)], &[1; 3]),
            (10, &[(u64::MAX, 2)], &[1; 2]),
        ] {
            let file = file(len, extents, data);
            assert_eq!(
                Payload::parse(&file).unwrap_err(),
                PayloadError::Extents,
                "{extents:?}"
            );
        }
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let good = file(64, &[(3, 4)], b"abcd");
        assert!(Payload::parse(&good).is_ok());
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            assert!(Payload::parse(&bad).is_err(), "byte {at}");
            assert!(Payload::parse(&good[..at]).is_err());
        }
    }
}
