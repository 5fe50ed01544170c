//! The raw disk image: a GUID partition table with the EFI system partition.

use crate::image_file::ImageFile;
use crate::raw::{RawImage, SECTOR};
use crate::{Ids, PackError, esp};
use gpt::disk::LogicalBlockSize;
use gpt::mbr::ProtectiveMBR;
use gpt::{GptConfig, partition_types};
use serde::{Deserialize, Serialize};
use std::path::Path;
use vrel_model::ByteSize;
use vrel_world::World;

/// The partition starts here, and the table's copy has as much room behind it: aligned for every kind of
/// disk.
pub(crate) const MARGIN: u64 = 1 << 20;

/// Disks are of whole MiB: what partitions are aligned to, and what Azure asks for.
const UNIT: u64 = 1 << 20;

/// The largest disk, more than any cloud has.
const MAX_SIZE: u64 = 64 << 40;

/// What a policy may choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The disk's size.
    pub size: Size,
}

/// A disk's size, written as `fit` or as a number of bytes such as `1 GiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// No larger than the partition and its tables take.
    #[default]
    Fit,
    /// So many bytes, whole MiB. What the partition leaves is free.
    Exact(ByteSize),
}

impl Serialize for Size {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fit => serializer.serialize_str("fit"),
            Self::Exact(size) => size.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "fit" {
            return Ok(Self::Fit);
        }
        let size = text.parse().map(Self::Exact);
        size.map_err(|error: String| serde::de::Error::custom(format!("{error}, or `fit`")))
    }
}

/// Writes the image with this partition to `path`, no larger than it has to be.
///
/// # Errors
/// When the file cannot be written.
pub fn write(world: &dyn World, path: &Path, esp: &[u8], ids: &Ids) -> Result<(), PackError> {
    let len = esp.len() as u64;
    let mut image = create(world, path, len, Size::Fit)?;
    image.put_at(MARGIN, esp)?;
    finish(image, len, ids)
}

/// Writes the image with the partition in the file `esp` to `path`.
///
/// # Errors
/// When the partition is not of whole MiB, does not fit into a disk of the wanted size, or the size is not of whole MiB; and
/// when a file cannot be read or written.
pub fn write_file(
    world: &dyn World,
    path: &Path,
    esp: &Path,
    options: &Options,
    ids: &Ids,
) -> Result<(), PackError> {
    let mut partition = RawImage::open(world, esp, "an EFI system partition", UNIT, esp::MAX_SIZE)?;
    let len = partition.len();
    let mut image = create(world, path, len, options.size)?;
    partition.pieces(UNIT as usize, &mut |number, piece| {
        image.put_at(MARGIN + number * UNIT, piece)
    })?;
    finish(image, len, ids)
}

/// Starts an image for a partition of so many bytes.
fn create(world: &dyn World, path: &Path, partition: u64, size: Size) -> Result<ImageFile, PackError> {
    let needed = partition + 2 * MARGIN;
    let size = match size {
        Size::Fit => needed,
        Size::Exact(ByteSize(size)) => size,
    };
    if size < needed {
        return Err(PackError::DiskFull {
            path: path.to_owned(),
            needed,
            size,
        });
    }
    if !size.is_multiple_of(UNIT) || size > MAX_SIZE {
        return Err(PackError::DiskSize {
            path: path.to_owned(),
            format: "a disk",
            unit: UNIT,
            max: MAX_SIZE,
            size,
        });
    }
    ImageFile::create_sized(world, path, size)
}

/// Writes the partition tables around the partition.
fn finish(mut image: ImageFile, partition: u64, ids: &Ids) -> Result<(), PackError> {
    let sectors = image.len() / SECTOR;
    let table = write_table(&mut image, sectors, partition / SECTOR, ids);
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

    fn partition(dir: &Path) -> std::path::PathBuf {
        let path = dir.join("esp");
        let time = UtcTime::from_unix(1_700_000_000).unwrap();
        esp::write_file(
            &vrel_world::RealWorld::default(),
            &path,
            &content(),
            4 << 20,
            &ids(),
            time,
        )
        .unwrap();
        path
    }

    #[test]
    fn a_partition_in_a_file_gives_the_same_disk() {
        let dir = tempfile::tempdir().unwrap();
        let world = vrel_world::RealWorld::default();
        let esp = partition(dir.path());
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        write(&world, &one, &std::fs::read(&esp).unwrap(), &ids()).unwrap();
        write_file(&world, &two, &esp, &Options::default(), &ids()).unwrap();
        assert!(std::fs::read(&one).unwrap() == std::fs::read(&two).unwrap());
    }

    #[test]
    fn a_larger_disk_has_free_space_that_is_not_stored() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let world = vrel_world::RealWorld::default();
        let esp = partition(dir.path());
        let out = dir.path().join("disk");
        let options: Options = serde_json::from_str(r#"{ "size": "5 GiB" }"#).unwrap();
        write_file(&world, &out, &esp, &options, &ids()).unwrap();
        let metadata = std::fs::metadata(&out).unwrap();
        assert_eq!(metadata.len(), 5 << 30);
        assert!(metadata.blocks() * 512 < 1 << 20);
        let config = GptConfig::new().writable(false);
        let disk = config
            .open_from_device(std::fs::File::open(&out).unwrap())
            .unwrap();
        assert_eq!(disk.partitions().len(), 1);
        assert_eq!(disk.primary_header().unwrap().backup_lba, (5 << 21) - 1);
        let free: u64 = disk.find_free_sectors().iter().map(|(_, sectors)| sectors).sum();
        assert!(free > (4 << 30) / SECTOR, "{free}");
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let world = vrel_world::RealWorld::default();
        let esp = partition(dir.path());
        let out = dir.path().join("disk");
        for (size, why) in [
            (5 << 20, "expected a disk of at least 6 MiB, got the size 5 MiB"),
            (
                (6 << 20) + 512,
                "expected a size of whole 1 MiB up to 65536 GiB for a disk",
            ),
            (65 << 40, "up to 65536 GiB"),
        ] {
            let options = Options {
                size: Size::Exact(ByteSize(size)),
            };
            let error = write_file(&world, &out, &esp, &options, &ids()).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
            assert!(!out.exists());
        }
        let error = serde_json::from_str::<Options>(r#"{ "size": "big" }"#).unwrap_err();
        assert!(error.to_string().contains("or `fit`"), "{error}");
        let fit: Options = serde_json::from_str(r#"{ "size": "fit" }"#).unwrap();
        assert_eq!(fit, Options::default());
    }
}
