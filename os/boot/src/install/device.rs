//! Disks, as the firmware gives access to them.

use boot_core::disks::Disk;
use boot_core::gpt;
use core::fmt;
use uefi::boot::{self, OpenProtocolAttributes, OpenProtocolParams, ScopedProtocol, SearchType};
use uefi::proto::ProtocolPointer;
use uefi::proto::device_path::DevicePath;
use uefi::proto::media::block::BlockIO;
use uefi::{Handle, Identify, Status};

use crate::memory::{Block, pages_for};

/// Most disks that are listed.
pub(super) const MAX_DISKS: usize = 16;

/// How much of a disk is looked at, at its start and at its end, to see whether it is empty. File systems and partition
/// tables of any kind leave traces there.
const LOOKED_AT: u64 = 1 << 20;

/// Why a disk cannot be read or written.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceError {
    doing: &'static str,
    block: Option<u64>,
    status: Status,
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.doing)?;
        if let Some(block) = self.block {
            write!(f, " block {block}")?;
        }
        write!(f, ": the firmware says {:?}", self.status)
    }
}

/// A disk that can be written to, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) handle: Handle,
    pub(super) disk: Disk,
    /// How many partitions its GUID partition table has; `None` without one.
    pub(super) partitions: Option<usize>,
}

/// Opens a protocol for a look, without taking it away from others.
fn peek<P: ProtocolPointer + ?Sized>(handle: Handle) -> Option<ScopedProtocol<P>> {
    let params = OpenProtocolParams {
        handle,
        agent: boot::image_handle(),
        controller: None,
    };
    // SAFETY: the protocol is used by the caller only while nothing is connected or disconnected, so it stays where it
    // is; drivers that use it at the same time do so within the firmware's calls, of which only one runs.
    unsafe { boot::open_protocol::<P>(params, OpenProtocolAttributes::GetProtocol) }.ok()
}

/// Whether `disk` is the device of `volume`, or the disk that it lies on: its path is where that one's begins.
fn holds(disk: Handle, volume: Handle) -> bool {
    if disk == volume {
        return true;
    }
    let (Some(disk), Some(volume)) = (peek::<DevicePath>(disk), peek::<DevicePath>(volume)) else {
        return false;
    };
    let mut inner = volume.node_iter();
    disk.node_iter().all(|node| inner.next() == Some(node))
}

/// Calls `take` with every whole disk that can be written to and that holds none of `used`.
pub(super) fn find(used: &[Handle], mut take: impl FnMut(Found)) {
    let Ok(handles) = boot::locate_handle_buffer(SearchType::ByProtocol(&BlockIO::GUID)) else {
        return;
    };
    for &handle in handles.iter() {
        let Some(io) = peek::<BlockIO>(handle) else {
            continue;
        };
        let media = io.media();
        let usable = media.is_media_present() && !media.is_read_only() && !media.is_logical_partition();
        if !usable || used.iter().any(|&volume| holds(handle, volume)) {
            continue;
        }
        let disk = Disk {
            block_size: media.block_size(),
            blocks: media.last_block().saturating_add(1),
            empty: false,
        };
        drop(io);
        take(look_at(handle, disk));
    }
}

/// Looks whether a disk is empty. A disk that cannot be read counts as one that is not.
fn look_at(handle: Handle, disk: Disk) -> Found {
    let mut found = Found {
        handle,
        disk,
        partitions: None,
    };
    let unit = u64::from(disk.block_size);
    if !disk.block_size.is_power_of_two() || unit > LOOKED_AT {
        return found;
    }
    let count = (LOOKED_AT / unit).min(disk.blocks);
    let (Some(io), Ok(mut buffer)) = (peek::<BlockIO>(handle), Block::zeroed(pages_for(LOOKED_AT))) else {
        return found;
    };
    buffer.truncate((count * unit) as usize);
    let mut device = Device { io, disk };
    let zeros = |buffer: &Block| buffer.bytes().iter().all(|&byte| byte == 0);
    if device.read(0, buffer.bytes_mut()).is_ok() {
        let start = zeros(&buffer);
        found.partitions = gpt::partitions(buffer.bytes(), disk.block_size);
        let end = device.read(disk.blocks - count, buffer.bytes_mut());
        found.disk.empty = start && end.is_ok() && zeros(&buffer);
    }
    found
}

/// A disk that is open.
pub(super) struct Device {
    io: ScopedProtocol<BlockIO>,
    disk: Disk,
}

impl Device {
    /// Opens a disk for writing. Whoever else uses it lets go of it first, file systems included.
    pub(super) fn open(found: &Found) -> Result<Self, DeviceError> {
        let failed = |status| DeviceError {
            doing: "opening the disk",
            block: None,
            status,
        };
        let io =
            boot::open_protocol_exclusive::<BlockIO>(found.handle).map_err(|error| failed(error.status()))?;
        let disk = found.disk;
        let media = io.media();
        if media.block_size() != disk.block_size || media.last_block().saturating_add(1) != disk.blocks {
            return Err(failed(Status::MEDIA_CHANGED));
        }
        Ok(Self { io, disk })
    }

    /// Reads whole blocks.
    pub(super) fn read(&mut self, block: u64, buffer: &mut [u8]) -> Result<(), DeviceError> {
        let media = self.io.media().media_id();
        let read = self.io.read_blocks(media, block, buffer);
        read.map_err(|error| DeviceError {
            doing: "reading",
            block: Some(block),
            status: error.status(),
        })
    }

    /// Writes whole blocks.
    pub(super) fn write(&mut self, block: u64, buffer: &[u8]) -> Result<(), DeviceError> {
        let media = self.io.media().media_id();
        let written = self.io.write_blocks(media, block, buffer);
        written.map_err(|error| DeviceError {
            doing: "writing",
            block: Some(block),
            status: error.status(),
        })
    }

    /// Brings everything that was written onto the disk.
    pub(super) fn flush(&mut self) -> Result<(), DeviceError> {
        self.io.flush_blocks().map_err(|error| DeviceError {
            doing: "flushing",
            block: None,
            status: error.status(),
        })
    }

    /// Bytes that describe this disk and where it is attached.
    pub(super) fn describe(&self, found: &Found, take: impl FnOnce(&[u8])) {
        match peek::<DevicePath>(found.handle) {
            Some(path) => take(path.as_bytes()),
            None => take(&self.disk.blocks.to_le_bytes()),
        }
    }
}
