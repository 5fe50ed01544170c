//! The partition table of an installed disk: one EFI system partition.
//!
//! Source: UEFI Specification 2.10, chapter 5 "GUID Partition Table (GPT) Disk Layout".

use core::fmt;

use bytemuck::bytes_of;
use crc::Crc;
use gpt_disk_types::{
    BlockSize, Crc32, GptHeader, GptPartitionEntry, GptPartitionEntryArrayLayout, GptPartitionEntrySize,
    GptPartitionType, Guid, Lba, LbaLe, MasterBootRecord, U32Le,
};

use crate::disks::Size;

/// The partition starts here, and as much stays free at the disk's end: aligned for every kind of disk.
pub const MARGIN: u64 = 1 << 20;

/// How many partitions the table has room for; the smallest number that is allowed.
const ENTRIES: u32 = 128;

/// Length of the table without its headers, in bytes.
const ARRAY_LEN: usize = ENTRIES as usize * 128;

/// Largest block size that is used.
pub const MAX_BLOCK: u32 = 4096;

/// What the tables at either end of the disk take at most, in bytes.
pub const MAX_TABLE: usize = 2 * MAX_BLOCK as usize + ARRAY_LEN;

/// A disk that the system cannot be installed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutError {
    /// Its blocks have neither 512 nor 4096 bytes.
    BlockSize(u32),
    /// It is too small.
    TooSmall {
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// The partition's length is not a number of whole blocks.
    Partition {
        /// Length in bytes.
        len: u64,
        /// Bytes in a block.
        block_size: u32,
    },
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BlockSize(size) => write!(f, "expected blocks of 512 or 4096 bytes, got blocks of {size}"),
            Self::TooSmall { needed, found } => write!(
                f,
                "expected a disk of at least {}, got one of {}",
                Size(*needed),
                Size(*found)
            ),
            Self::Partition { len, block_size } => write!(
                f,
                "expected a partition of whole blocks of {block_size} bytes, got one of {len} bytes"
            ),
        }
    }
}

/// Where everything goes on a disk, in blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    block_size: BlockSize,
    blocks: u64,
    first: u64,
    count: u64,
}

/// The names of disk and partition, unique in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// The disk.
    pub disk: Guid,
    /// The partition.
    pub partition: Guid,
}

impl Layout {
    /// For a disk of `blocks` blocks of `block_size` bytes and a partition of `len` bytes.
    ///
    /// # Errors
    /// When they do not fit together.
    pub fn new(block_size: u32, blocks: u64, len: u64) -> Result<Self, LayoutError> {
        let size = BlockSize::new(block_size)
            .filter(|_| [512, MAX_BLOCK].contains(&block_size))
            .ok_or(LayoutError::BlockSize(block_size))?;
        let unit = u64::from(block_size);
        if len == 0 || !len.is_multiple_of(unit) {
            return Err(LayoutError::Partition { len, block_size });
        }
        let found = blocks.saturating_mul(unit);
        let needed = len.saturating_add(2 * MARGIN);
        if found < needed {
            return Err(LayoutError::TooSmall { needed, found });
        }
        Ok(Self {
            block_size: size,
            blocks,
            first: MARGIN / unit,
            count: len / unit,
        })
    }

    /// The partition's first block.
    pub fn partition_start(&self) -> u64 {
        self.first
    }

    /// Bytes in a block.
    pub fn block_size(&self) -> usize {
        self.block_size.to_u32() as usize
    }

    /// Blocks that the array of entries takes.
    fn array_blocks(&self) -> u64 {
        (ARRAY_LEN / self.block_size()) as u64
    }

    /// Length in bytes of the table at the start, with the protective MBR.
    pub fn primary_len(&self) -> usize {
        2 * self.block_size() + ARRAY_LEN
    }

    /// Length in bytes of the table at the end.
    pub fn backup_len(&self) -> usize {
        self.block_size() + ARRAY_LEN
    }

    /// The first block of the table at the end.
    pub fn backup_start(&self) -> u64 {
        self.blocks - 1 - self.array_blocks()
    }

    /// Fills `table`, of [`Self::primary_len`] bytes, with what belongs at the start of the disk.
    pub fn write_primary(&self, names: &Names, table: &mut [u8]) {
        let block = self.block_size();
        table.fill(0);
        let (head, array) = table.split_at_mut(2 * block);
        let array_crc = self.write_array(names, array);
        let mbr = MasterBootRecord::protective_mbr(self.blocks);
        head[..512].copy_from_slice(bytes_of(&mbr));
        // UEFI counts blocks behind the MBR itself; the library counts all.
        let covered = u32::try_from(self.blocks - 1).unwrap_or(u32::MAX);
        head[458..462].copy_from_slice(&covered.to_le_bytes());
        let header = self.header(names, array_crc, 1, self.blocks - 1, 2);
        let header = bytes_of(&header);
        head[block..block + header.len()].copy_from_slice(header);
    }

    /// Fills `table`, of [`Self::backup_len`] bytes, with what belongs at the end of the disk.
    pub fn write_backup(&self, names: &Names, table: &mut [u8]) {
        table.fill(0);
        let (array, last) = table.split_at_mut(ARRAY_LEN);
        let array_crc = self.write_array(names, array);
        let header = self.header(names, array_crc, self.blocks - 1, 1, self.backup_start());
        let header = bytes_of(&header);
        last[..header.len()].copy_from_slice(header);
    }

    /// Writes the entries and returns their checksum.
    fn write_array(&self, names: &Names, array: &mut [u8]) -> Crc32 {
        let mut entry = GptPartitionEntry {
            partition_type_guid: GptPartitionType::EFI_SYSTEM,
            unique_partition_guid: names.partition,
            starting_lba: LbaLe::from_u64(self.first),
            ending_lba: LbaLe::from_u64(self.first + self.count - 1),
            ..GptPartitionEntry::default()
        };
        // Shorter than the field, and ASCII.
        if let Ok(name) = "EFI system".parse() {
            entry.name = name;
        }
        let entry = bytes_of(&entry);
        array[..entry.len()].copy_from_slice(entry);
        let crc = Crc::<u32>::new(&Crc32::ALGORITHM).checksum(array);
        Crc32(U32Le(crc.to_le_bytes()))
    }

    fn header(&self, names: &Names, array_crc: Crc32, at: u64, other: u64, array: u64) -> GptHeader {
        let mut header = GptHeader {
            my_lba: LbaLe::from_u64(at),
            alternate_lba: LbaLe::from_u64(other),
            first_usable_lba: LbaLe::from_u64(2 + self.array_blocks()),
            last_usable_lba: LbaLe::from_u64(self.backup_start() - 1),
            disk_guid: names.disk,
            partition_entry_lba: LbaLe::from_u64(array),
            number_of_partition_entries: U32Le(ENTRIES.to_le_bytes()),
            size_of_partition_entry: U32Le(128_u32.to_le_bytes()),
            partition_entry_array_crc32: array_crc,
            ..GptHeader::default()
        };
        header.update_header_crc32();
        header
    }
}

/// How many partitions the table at the start of a disk lists; `None` when there is no table whose checksums are right.
///
/// `start` are the first bytes of the disk, at least [`MAX_TABLE`] of them.
pub fn partitions(start: &[u8], block_size: u32) -> Option<usize> {
    let block = block_size as usize;
    let header = start.get(block..block + size_of::<GptHeader>())?;
    let header: GptHeader = bytemuck::pod_read_unaligned(header);
    if !header.is_signature_valid() || header.calculate_header_crc32() != { header.header_crc32 } {
        return None;
    }
    let layout = GptPartitionEntryArrayLayout {
        start_lba: Lba(header.partition_entry_lba.to_u64()),
        entry_size: GptPartitionEntrySize::new(header.size_of_partition_entry.to_u32()).ok()?,
        num_entries: header.number_of_partition_entries.to_u32(),
    };
    let at = usize::try_from(layout.start_lba.to_u64())
        .ok()?
        .checked_mul(block)?;
    let len = layout.num_bytes_exact_as_usize()?;
    let array = start.get(at..at.checked_add(len)?)?;
    let crc = Crc::<u32>::new(&Crc32::ALGORITHM).checksum(array);
    if crc != header.partition_entry_array_crc32.0.to_u32() {
        return None;
    }
    let used = |entry: &&[u8]| entry[..16].iter().any(|&byte| byte != 0);
    Some(
        array
            .chunks_exact(layout.entry_size.to_usize()?)
            .filter(used)
            .count(),
    )
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;
    use std::{vec, vec::Vec};

    const NAMES: Names = Names {
        disk: Guid::from_random_bytes([1; 16]),
        partition: Guid::from_random_bytes([2; 16]),
    };

    fn tables(layout: &Layout) -> (Vec<u8>, Vec<u8>) {
        let (mut primary, mut backup) = (vec![0xff; layout.primary_len()], vec![0xff; layout.backup_len()]);
        layout.write_primary(&NAMES, &mut primary);
        layout.write_backup(&NAMES, &mut backup);
        (primary, backup)
    }

    #[test]
    fn both_tables_describe_the_partition_for_every_block_size() {
        for block in [512_u32, 4096] {
            let unit = u64::from(block);
            let layout = Layout::new(block, (64 << 20) / unit, 16 << 20).unwrap();
            let (primary, backup) = tables(&layout);
            assert_eq!(layout.partition_start() * unit, MARGIN);
            assert_eq!(primary[510..512], [0x55, 0xaa]);
            assert_eq!(primary[450], 0xee);
            let block = block as usize;
            let long = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
            let (first, last) = (&primary[block..], &backup[ARRAY_LEN..]);
            let end = (64 << 20) / unit - 1;
            assert_eq!((long(first, 24), long(first, 32)), (1, end));
            assert_eq!((long(last, 24), long(last, 32)), (end, 1));
            assert_eq!((long(first, 72), long(last, 72)), (2, layout.backup_start()));
            // The same usable blocks, disk and array in both.
            assert_eq!(first[40..72], last[40..72]);
            assert_eq!(first[80..92], last[80..92]);
            assert!(primary[2 * block..] == backup[..ARRAY_LEN]);
            let entry = &backup[..128];
            assert_eq!(long(entry, 32) * unit, MARGIN);
            assert_eq!((long(entry, 40) + 1) * unit, MARGIN + (16 << 20));
            assert!(long(entry, 40) <= long(last, 48));
            assert_eq!(partitions(&primary, block as u32), Some(1));
        }
    }

    #[test]
    fn a_table_that_is_damaged_is_none() {
        let layout = Layout::new(512, 1 << 17, 16 << 20).unwrap();
        let (primary, _) = tables(&layout);
        // Byte 700 is behind the header, in a part that means nothing.
        for (at, expected) in [
            (512, None),
            (530, None),
            (560, None),
            (1024 + 40, None),
            (700, Some(1)),
        ] {
            let mut damaged = primary.clone();
            damaged[at] ^= 1;
            assert_eq!(partitions(&damaged, 512), expected, "byte {at}");
        }
        assert_eq!(partitions(&[0; MAX_TABLE], 512), None);
        assert_eq!(partitions(&primary[..700], 512), None);
        assert_eq!(partitions(&[], 512), None);
    }

    #[test]
    fn disks_that_do_not_fit_are_refused() {
        let error = Layout::new(512, (17 << 11) + 2047, 16 << 20).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected a disk of at least 18 MiB, got one of 17 MiB"
        );
        assert!(Layout::new(512, 18 << 11, 16 << 20).is_ok());
        assert_eq!(
            Layout::new(4096, 1 << 20, 512).unwrap_err(),
            LayoutError::Partition {
                len: 512,
                block_size: 4096
            }
        );
        for size in [0, 256, 513, 2048, 8192] {
            assert_eq!(
                Layout::new(size, 1 << 20, 16 << 20).unwrap_err(),
                LayoutError::BlockSize(size)
            );
        }
    }

    #[test]
    fn the_largest_disk_has_a_table() {
        let layout = Layout::new(512, u64::MAX / 512, 16 << 20).unwrap();
        let (primary, _) = tables(&layout);
        assert_eq!(primary[458..462], [0xff; 4]);
    }
}
