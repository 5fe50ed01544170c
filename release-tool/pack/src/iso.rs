//! The hybrid ISO image: boots by UEFI from a CD and, written to a USB stick as it is, from that.
//!
//! The EFI system partition stands behind the ISO 9660 file system; the CD's boot catalogue and the stick's
//! partition table both point to it. The same files are in the ISO file system too, for people who open the
//! image.

use crate::image_file::ImageFile;
use crate::{Ids, PackError, esp};
use hadris_fs::{DateTime, Node, Tree};
use hadris_io::StdIo;
use hadris_iso::{AppendedPartition, BootEntry, ElTorito, Hybrid, IsoId, IsoLevel, IsoOptions};
use hadris_storage::BlockSize;
use hadris_storage::sync::StreamDevice;
use std::error::Error;
use std::path::Path;
use vrel_model::UtcTime;
use vrel_world::World;

/// The unit in which the image is written; any divisor of the CD's 2048 bytes would do.
const BLOCK: BlockSize = BlockSize::new(512).expect("512 is not zero");

/// Longest volume name of ISO 9660 (ECMA-119, section 8.4.8).
const MAX_VOLUME_NAME: usize = 32;

/// Writes the image to `path`. `volume` is what the CD is called, shown by desktops: it is made to fit ISO
/// 9660.
///
/// # Errors
/// When the file cannot be written.
pub fn write(
    world: &dyn World,
    path: &Path,
    volume: &str,
    content: &esp::Content<'_>,
    esp: &[u8],
    ids: &Ids,
    time: UtcTime,
) -> Result<(), PackError> {
    let mut image = ImageFile::create(world, path)?;
    let written = layout(&mut image, volume, content, esp, ids, time);
    let len = written.map_err(|error| image.explain(&error))?;
    image.extend(len)?;
    image.commit()
}

/// Writes everything and returns the image's length, zeros at its end included.
fn layout(
    image: &mut ImageFile,
    volume: &str,
    content: &esp::Content<'_>,
    esp: &[u8],
    ids: &Ids,
    time: UtcTime,
) -> Result<u64, Box<dyn Error>> {
    let mut tree = Tree::new();
    for (file, bytes) in content.files() {
        tree.insert(&file, Node::file(hadris_fs::Content::bytes(bytes)))?;
    }
    let partition = AppendedPartition::esp(hadris_fs::Content::bytes(esp));
    let options = IsoOptions::new()
        .with_id(IsoId::Volume, &volume_name(volume))
        .with_id(IsoId::Application, "")
        .with_level(IsoLevel::L3)
        .with_rock_ridge()
        .with_time(DateTime::new(time.unix(), 0).unwrap_or(DateTime::UNIX_EPOCH))
        .with_seed(ids.uuid("iso").as_u64_pair().0)
        .with_el_torito(ElTorito::new().with_entry(BootEntry::uefi_appended(0)))
        .with_hybrid(Hybrid::gpt().with_appended(partition));
    let device = StreamDevice::new_growable(StdIo::new(image), BLOCK)?;
    let report = hadris_iso::sync::write(device, &tree, &options)?;
    match report.warnings().first() {
        // Nothing may be left out or renamed unseen.
        Some(warning) => Err(warning.message().into()),
        None => Ok(report.size()),
    }
}

/// Upper-case letters, digits and underscores are all that ISO 9660 allows.
fn volume_name(text: &str) -> String {
    let allowed = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    text.chars().map(allowed).take(MAX_VOLUME_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::esp::tests::{content, ids};
    use vrel_world::RealWorld;

    fn time() -> UtcTime {
        UtcTime::from_unix(1_700_000_000).unwrap()
    }

    fn make(path: &Path) -> Vec<u8> {
        let esp = esp::build(&content(), 2 << 20, &ids(), time()).unwrap();
        write(
            &RealWorld::default(),
            path,
            "veridianos 0.6.0-rc1",
            &content(),
            &esp,
            &ids(),
            time(),
        )
        .unwrap();
        esp
    }

    #[test]
    fn equal_input_gives_equal_bytes_with_the_same_partition_inside() {
        let dir = tempfile::tempdir().unwrap();
        let esp = make(&dir.path().join("one"));
        make(&dir.path().join("two"));
        let one = std::fs::read(dir.path().join("one")).unwrap();
        assert!(one == std::fs::read(dir.path().join("two")).unwrap());
        // The partition table is that of a USB stick.
        let config = gpt::GptConfig::new().writable(false);
        let disk = config
            .open_from_device(std::io::Cursor::new(one.clone()))
            .unwrap();
        let partition = disk
            .partitions()
            .values()
            .find(|partition| partition.part_type_guid == gpt::partition_types::EFI)
            .unwrap();
        let start = partition.first_lba as usize * 512;
        assert!(one[start..start + esp.len()] == esp[..]);
    }

    #[test]
    fn volume_names_fit_the_standard() {
        assert_eq!(volume_name("VeridianOS 0.6.0-rc1"), "VERIDIANOS_0_6_0_RC1");
        assert_eq!(volume_name(&"ä".repeat(40)), "_".repeat(32));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let esp = esp::build(&content(), 2 << 20, &ids(), time()).unwrap();
        let path = Path::new("/nonexistent/x.iso");
        let error = write(&RealWorld::default(), path, "x", &content(), &esp, &ids(), time()).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/x.iso"), "{error}");
    }
}
