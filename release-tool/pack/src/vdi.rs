//! VirtualBox's disk image, header version 1.1, growing on demand.

use crate::image_file::ImageFile;
use crate::raw::{RawImage, SECTOR};
use crate::{Ids, PackError};
use serde::{Deserialize, Serialize};
use std::path::Path;
use uuid::Uuid;
use vrel_world::World;

/// The unit of allocation.
const BLOCK: u64 = 1 << 20;

/// Where the map of the blocks begins.
const MAP_AT: u64 = 512;

/// In the map: nothing was ever written to the block.
const UNUSED: u32 = u32::MAX;

/// The map of a disk of this size takes 64 MiB of memory while it is written. The format would allow more.
const MAX_SIZE: u64 = 8 << 40;

/// What a policy may choose: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {}

/// Writes the raw disk image `raw` as `out`.
///
/// # Errors
/// When the disk's size is not a whole number of sectors, and when a file cannot be read or written.
pub fn write(
    world: &dyn World,
    raw: &Path,
    out: &Path,
    Options {}: &Options,
    ids: &Ids,
) -> Result<(), PackError> {
    let mut disk = RawImage::open(world, raw, "vdi", SECTOR, MAX_SIZE)?;
    let blocks = disk.len().div_ceil(BLOCK);
    let data_at = (MAP_AT + blocks * 4).next_multiple_of(BLOCK);
    let mut image = ImageFile::create_sized(world, out, data_at)?;
    let mut map = vec![UNUSED; blocks as usize];
    let mut used = 0;
    disk.pieces(BLOCK as usize, &mut |number, block| {
        map[number as usize] = used;
        image.put_at(data_at + u64::from(used) * BLOCK, block)?;
        used += 1;
        Ok(())
    })?;
    let map: Vec<u8> = map.iter().flat_map(|entry| entry.to_le_bytes()).collect();
    image.put_at(MAP_AT, &map)?;
    image.put_at(0, &header(disk.len(), data_at, blocks as u32, used, ids))?;
    image.commit()
}

fn header(size: u64, data_at: u64, blocks: u32, used: u32, ids: &Ids) -> Vec<u8> {
    const SIGNATURE: u32 = 0xbeda_107f;
    const VERSION_1_1: u32 = 0x0001_0001;
    const LEN: u32 = 400;
    const GROWING: u32 = 1;
    let mut header = b"<<< Oracle VM VirtualBox Disk Image >>>\n".to_vec();
    header.resize(64, 0);
    for field in [SIGNATURE, VERSION_1_1, LEN, GROWING, 0] {
        header.extend(field.to_le_bytes());
    }
    // No comment.
    header.resize(64 + 20 + 256, 0);
    let [cylinders, heads, sectors] = geometry(size);
    // The geometry that programs for BIOSes may ask for stands at the end; this older one is not used.
    for field in [MAP_AT as u32, data_at as u32, 0, 0, 0, SECTOR as u32, 0] {
        header.extend(field.to_le_bytes());
    }
    header.extend(size.to_le_bytes());
    for field in [BLOCK as u32, 0, blocks, used] {
        header.extend(field.to_le_bytes());
    }
    // The image, its last change, and the image and change that it would be based on.
    for uuid in [ids.uuid("vdi"), ids.uuid("vdi change"), Uuid::nil(), Uuid::nil()] {
        header.extend(uuid.to_bytes_le());
    }
    for field in [cylinders, heads, sectors, SECTOR as u32] {
        header.extend(field.to_le_bytes());
    }
    header.resize(MAP_AT as usize, 0);
    header
}

/// Cylinders, heads and sectors as BIOSes translate them: at most 1024 times 255 times 63.
fn geometry(size: u64) -> [u32; 3] {
    const HEADS: u64 = 255;
    const SECTORS: u64 = 63;
    let cylinders = (size / SECTOR / (HEADS * SECTORS)).clamp(1, 1024);
    [cylinders as u32, HEADS as u32, SECTORS as u32]
}
