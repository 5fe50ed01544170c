//! The raw disk image: a GUID partition table with the EFI system partition.

use crate::image_file::ImageFile;
use crate::{Ids, PackError};
use gpt::disk::LogicalBlockSize;
use gpt::mbr::ProtectiveMBR;
use gpt::{GptConfig, partition_types};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use vrel_world::World;

const SECTOR: u64 = 512;

/// The partition starts here, and the table's copy has as much room behind it: aligned for every kind of
/// disk.
pub(crate) const MARGIN: u64 = 1 << 20;

/// Writes the image with this partition to `path`.
///
/// # Errors
/// When the file cannot be written.
pub fn write(world: &dyn World, path: &Path, esp: &[u8], ids: &Ids) -> Result<(), PackError> {
    let total = esp.len() as u64 + 2 * MARGIN;
    let mut image = ImageFile::create(world, path)?;
    let copied = image
        .seek(SeekFrom::Start(MARGIN))
        .and_then(|_| image.write_all(esp));
    copied.map_err(|error| image.explain(&error))?;
    image.extend(total)?;
    let table = write_table(&mut image, total / SECTOR, esp.len() as u64 / SECTOR, ids);
    table.map_err(|problem| image.explain(&problem))?;
    image.commit()
}

fn write_table(image: &mut ImageFile, sectors: u64, esp_sectors: u64, ids: &Ids) -> Result<(), String> {
    fn text(error: impl std::fmt::Display) -> String {
        error.to_string()
    }
    // The field has 32 bits; larger disks put the largest number there.
    let covered = u32::try_from(sectors - 1).unwrap_or(u32::MAX);
    ProtectiveMBR::with_lb_size(covered)
        .overwrite_lba0(image)
        .map_err(text)?;
    let config = GptConfig::new()
        .writable(true)
        .logical_block_size(LogicalBlockSize::Lb512);
    let mut table = config
        .create_from_device(image, Some(ids.uuid("disk")))
        .map_err(text)?;
    table
        .add_partition_at(
            "EFI system",
            1,
            MARGIN / SECTOR,
            esp_sectors,
            partition_types::EFI,
            0,
        )
        .map_err(text)?;
    // The library gave it a random one.
    let mut partitions = table.take_partitions();
    for partition in partitions.values_mut() {
        partition.part_guid = ids.uuid("esp");
    }
    table.update_partitions(partitions).map_err(text)?;
    table.write_inplace().map_err(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::esp;
    use crate::esp::tests::{content, ids};
    use vrel_model::UtcTime;

    #[test]
    fn the_partition_is_found_through_either_table_and_equal_input_gives_equal_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let world = vrel_world::RealWorld::default();
        let esp = esp::build(
            &content(),
            4 << 20,
            &ids(),
            UtcTime::from_unix(1_700_000_000).unwrap(),
        )
        .unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        write(&world, &one, &esp, &ids()).unwrap();
        write(&world, &two, &esp, &ids()).unwrap();
        let mut bytes = std::fs::read(&one).unwrap();
        assert!(bytes == std::fs::read(&two).unwrap());
        assert_eq!(bytes.len(), 6 << 20);
        for destroyed in [None, Some(512..1024), Some((6 << 20) - 512..6 << 20)] {
            let mut damaged = bytes.clone();
            if let Some(range) = destroyed {
                damaged[range].fill(0);
            }
            let config = GptConfig::new().only_valid_headers(false).writable(false);
            let disk = config.open_from_device(std::io::Cursor::new(damaged)).unwrap();
            assert_eq!(*disk.guid(), ids().uuid("disk"));
            let partition = &disk.partitions()[&1];
            assert_eq!(partition.part_guid, ids().uuid("esp"));
            assert_eq!(
                (partition.first_lba, partition.last_lba),
                (2048, 2048 + (4 << 11) - 1)
            );
        }
        let stored = bytes.split_off(1 << 20);
        assert!(stored[..4 << 20] == esp[..]);
    }
}
