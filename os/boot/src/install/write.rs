//! Putting the system onto a disk.

use boot_core::gpt::{Layout, MAX_TABLE, Names};
use boot_core::names::derived;
use boot_core::payload::Payload;
use core::fmt;
use gpt_disk_types::Guid;
use uefi::{println, runtime};

use super::device::{Device, DeviceError, Found};
use crate::arch;
use crate::error::Error;
use crate::memory::{Block, pages_for};

/// How much is written at a time.
const CHUNK: u64 = 1 << 20;

/// Why the system was not installed.
#[derive(Debug)]
pub(super) enum WriteError {
    /// Nothing was written yet.
    Before(DeviceError),
    /// Not enough memory, and nothing was written yet.
    Memory(Error),
    /// The disk is no longer what it was, and not yet something that starts.
    Within(DeviceError),
    /// What was read back from this block on is not what was written.
    Differs(u64),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LOST: &str = "the disk's old content is lost, and nothing starts from it";
        match self {
            Self::Before(error) => write!(f, "{error}; nothing was changed"),
            Self::Memory(error) => write!(f, "{error}; nothing was changed"),
            Self::Within(error) => write!(f, "{error}; {LOST}"),
            Self::Differs(block) => write!(
                f,
                "reading back block {block}: expected what was written, got something else: the disk is damaged; {LOST}"
            ),
        }
    }
}

/// Writes the partition and its tables, reads everything back and compares.
pub(super) fn install(found: &Found, layout: &Layout, payload: &Payload<'_>) -> Result<(), WriteError> {
    let mut buffer = Block::zeroed(pages_for(CHUNK)).map_err(WriteError::Memory)?;
    let mut check = Block::zeroed(pages_for(CHUNK)).map_err(WriteError::Memory)?;
    let mut device = Device::open(found).map_err(WriteError::Before)?;
    let names = Names {
        disk: unique(&device, found, b"disk"),
        partition: unique(&device, found, b"partition"),
    };
    // While the partition is written no old table may describe what is there.
    for (block, len) in [
        (0, layout.primary_len()),
        (layout.backup_start(), layout.backup_len()),
    ] {
        let zeros = &buffer.bytes()[..len];
        device.write(block, zeros).map_err(WriteError::Within)?;
    }
    each_piece(layout, &names, payload, buffer.bytes_mut(), |block, piece| {
        device.write(block, piece).map_err(WriteError::Within)
    })?;
    device.flush().map_err(WriteError::Within)?;
    println!("reading it back");
    each_piece(layout, &names, payload, buffer.bytes_mut(), |block, piece| {
        let read = &mut check.bytes_mut()[..piece.len()];
        device.read(block, read).map_err(WriteError::Within)?;
        if read == piece {
            Ok(())
        } else {
            Err(WriteError::Differs(block))
        }
    })
}

/// Calls `take` with every piece of the installed disk and its first block; the tables last, the one at the start at the
/// very end, so that a disk that was left half written has none.
fn each_piece(
    layout: &Layout,
    names: &Names,
    payload: &Payload<'_>,
    buffer: &mut [u8],
    mut take: impl FnMut(u64, &[u8]) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    const { assert!(MAX_TABLE as u64 <= CHUNK) };
    let unit = layout.block_size() as u64;
    let mut offset = 0;
    while offset < payload.partition_len() {
        let len = CHUNK.min(payload.partition_len() - offset);
        let piece = &mut buffer[..len as usize];
        payload.read(offset, piece);
        take(layout.partition_start() + offset / unit, piece)?;
        offset += len;
    }
    let backup = &mut buffer[..layout.backup_len()];
    layout.write_backup(names, backup);
    take(layout.backup_start(), backup)?;
    let primary = &mut buffer[..layout.primary_len()];
    layout.write_primary(names, primary);
    take(0, primary)
}

/// A name that no other disk or partition has: random where the firmware has random numbers, else derived from disk,
/// time and the processor's counter.
fn unique(device: &Device, found: &Found, purpose: &[u8]) -> Guid {
    Guid::from_random_bytes(crate::random::bytes().unwrap_or_else(|| {
        let counter = arch::counter().to_le_bytes();
        let mut time = [0; 12];
        if let Ok(now) = runtime::get_time() {
            let fields = [now.month(), now.day(), now.hour(), now.minute(), now.second()];
            time[..2].copy_from_slice(&now.year().to_le_bytes());
            time[2..7].copy_from_slice(&fields);
            time[8..].copy_from_slice(&now.nanosecond().to_le_bytes());
        }
        let size = found.disk.bytes().to_le_bytes();
        let mut name = [0; 16];
        device.describe(found, |path| {
            name = derived(&[purpose, &counter, &time, &size, path]);
        });
        name
    }))
}
