//! The fixed virtual hard disk: the raw disk and behind it a footer of one sector (Microsoft's "Virtual Hard Disk Image
//! Format Specification", version 1.0). It is what Azure imports.

use crate::image_file::ImageFile;
use crate::raw::{RawImage, SECTOR};
use crate::{Ids, PackError};
use serde::{Deserialize, Serialize};
use std::path::Path;
use vrel_model::UtcTime;
use vrel_world::World;

/// Azure takes whole MiB only.
const UNIT: u64 = 1 << 20;

/// The format's limit, 2040 GiB.
const MAX_SIZE: u64 = 2040 << 30;

/// The footer's times count from 2000-01-01T00:00:00Z.
const EPOCH: i64 = 946_684_800;

/// What a policy may choose: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {}

/// Writes the raw disk image `raw` as `out`, dated `time`.
///
/// # Errors
/// When the disk's size is not a whole number of MiB, and when a file cannot be read or written.
pub fn write(
    world: &dyn World,
    raw: &Path,
    out: &Path,
    Options {}: &Options,
    ids: &Ids,
    time: UtcTime,
) -> Result<(), PackError> {
    let mut disk = RawImage::open(world, raw, "vhd", UNIT, MAX_SIZE)?;
    let mut image = ImageFile::create_sized(world, out, disk.len() + SECTOR)?;
    disk.pieces(UNIT as usize, &mut |number, piece| {
        image.put_at(number * UNIT, piece)
    })?;
    image.put_at(disk.len(), &footer(disk.len(), ids, time))?;
    image.commit()
}

fn footer(size: u64, ids: &Ids, time: UtcTime) -> Vec<u8> {
    const RESERVED_FEATURE: u32 = 2;
    const VERSION: u32 = 0x0001_0000;
    const FIXED: u32 = 2;
    // Readers know by the creator whether the size is exact ("qem2", "win ") or what the geometry comes to, which is
    // usually less (all whom they do not know).
    const CREATOR: &[u8; 4] = b"qem2";
    const CREATOR_VERSION: u32 = 0x0001_0000;
    const CREATOR_SYSTEM: &[u8; 4] = b"Wi2k";
    let seconds = u32::try_from((time.unix() - EPOCH).max(0)).unwrap_or(u32::MAX);
    let (cylinders, heads, sectors) = geometry(size / SECTOR);
    let mut footer = b"conectix".to_vec();
    footer.extend(RESERVED_FEATURE.to_be_bytes());
    footer.extend(VERSION.to_be_bytes());
    // Where a growing disk has its other header.
    footer.extend(u64::MAX.to_be_bytes());
    footer.extend(seconds.to_be_bytes());
    footer.extend(CREATOR);
    footer.extend(CREATOR_VERSION.to_be_bytes());
    footer.extend(CREATOR_SYSTEM);
    // The original size and the current one.
    footer.extend(size.to_be_bytes());
    footer.extend(size.to_be_bytes());
    footer.extend(cylinders.to_be_bytes());
    footer.extend([heads, sectors]);
    footer.extend(FIXED.to_be_bytes());
    let checksum_at = footer.len();
    footer.extend([0; 4]);
    footer.extend(ids.uuid("vhd").as_bytes());
    footer.resize(SECTOR as usize, 0);
    let sum: u32 = footer.iter().map(|&byte| u32::from(byte)).sum();
    footer[checksum_at..checksum_at + 4].copy_from_slice(&(!sum).to_be_bytes());
    footer
}

/// Cylinders, heads and sectors per track for a number of sectors, as the specification's appendix calculates them.
fn geometry(sectors: u64) -> (u16, u8, u8) {
    let total = sectors.min(65_535 * 16 * 255);
    let (per_track, heads, tracks) = if total >= 65_535 * 16 * 63 {
        (255, 16, total / 255)
    } else {
        let tracks = total / 17;
        let heads = tracks.div_ceil(1024).max(4);
        if tracks < heads * 1024 && heads <= 16 {
            (17, heads, tracks)
        } else {
            let tracks = total / 31;
            if tracks < 16 * 1024 {
                (31, 16, tracks)
            } else {
                (63, 16, total / 63)
            }
        }
    };
    // All three are below 65,536, 17 and 256.
    ((tracks / heads) as u16, heads as u8, per_track as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_geometry_covers_the_disk_but_for_less_than_a_cylinder() {
        for (mebibytes, expected) in [
            (10, (301, 4, 17)),
            (64, (963, 8, 17)),
            (200, (825, 16, 31)),
            (512, (1040, 16, 63)),
            (1024, (2080, 16, 63)),
            (127 << 10, (65_278, 16, 255)),
            (2040 << 10, (65_535, 16, 255)),
        ] {
            let sectors = mebibytes << 11;
            let (cylinders, heads, per_track) = geometry(sectors);
            assert_eq!((cylinders, heads, per_track), expected, "{mebibytes} MiB");
        }
    }

    #[test]
    fn times_that_the_footer_cannot_hold_become_the_nearest() {
        let ids = crate::esp::tests::ids();
        let stamp = |unix| {
            let footer = footer(UNIT, &ids, UtcTime::from_unix(unix).unwrap());
            u32::from_be_bytes(footer[24..28].try_into().unwrap())
        };
        assert_eq!(stamp(0), 0);
        assert_eq!(stamp(EPOCH + 7), 7);
        assert_eq!(stamp(EPOCH + (1 << 33)), u32::MAX);
    }
}
