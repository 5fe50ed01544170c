//! The hybrid ISO image: boots by UEFI from a CD and, written to a USB stick as it is, from that; and by BIOS both ways
//! where it is given a [`Grub`].
//!
//! The EFI system partition stands behind the ISO 9660 file system; the CD's boot catalogue and the stick's
//! partition table both point to it. The same files are in the ISO file system too, for people who open the
//! image, and for GRUB.

use crate::grub::Grub;
use crate::image_file::ImageFile;
use crate::{Ids, PackError, esp, file_content};
use hadris_fs::{DateTime, Node, Tree};
use hadris_io::StdIo;
use hadris_iso::{AppendedPartition, BootEntry, BootInfo, ElTorito, Hybrid, IsoId, IsoLevel, IsoOptions};
use hadris_storage::BlockSize;
use hadris_storage::sync::StreamDevice;
use std::error::Error;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use vrel_model::UtcTime;
use vrel_world::World;

/// The unit in which the image is written; any divisor of the CD's 2048 bytes would do.
const BLOCK: BlockSize = BlockSize::new(512).expect("512 is not zero");

/// Longest volume name of ISO 9660 (ECMA-119, section 8.4.8).
const MAX_VOLUME_NAME: usize = 32;

/// Bytes in a block of a CD, in which the boot catalogue counts.
const CD_BLOCK: u64 = 2048;

/// Where GRUB's boot image is in the ISO file system.
const BIOS_IMAGE: &str = "boot/bios.img";

/// The sectors of the boot image that a BIOS loads; they load the rest.
const BIOS_LOAD_SECTORS: u16 = 4;

/// What an ISO is made of.
#[derive(Clone, Copy, Debug)]
pub struct Iso<'a> {
    /// What the CD is called, shown by desktops: it is made to fit ISO 9660.
    pub volume: &'a str,
    /// The files for the ISO file system; its `extra` are left out, being of use on the EFI system partition only.
    pub content: esp::Content<'a>,
    /// The file with the EFI system partition that is booted by UEFI; it is read piece by piece.
    pub esp: &'a Path,
    /// For machines with a BIOS.
    pub bios: Option<&'a Grub>,
}

impl Iso<'_> {
    /// Writes the image to `path`.
    ///
    /// # Errors
    /// When the partition's file cannot be read, or the image cannot be written.
    pub fn write(&self, world: &dyn World, path: &Path, ids: &Ids, time: UtcTime) -> Result<(), PackError> {
        let partition = file_content::of_file(world, self.esp)?;
        let mut image = ImageFile::create(world, path)?;
        let written = self.layout(&mut image, partition, ids, time);
        let len = written.map_err(|error| image.explain(&error))?;
        image.extend(len)?;
        image.commit()
    }

    /// Writes everything and returns the image's length, zeros at its end included.
    fn layout(
        &self,
        image: &mut ImageFile,
        partition: hadris_fs::Content,
        ids: &Ids,
        time: UtcTime,
    ) -> Result<u64, Box<dyn Error>> {
        let mut tree = Tree::new();
        let content = esp::Content {
            extra: &[],
            ..self.content
        };
        for (file, bytes) in content.files() {
            tree.insert(&file, Node::file(hadris_fs::Content::bytes(bytes)))?;
        }
        let mut catalogue = ElTorito::new();
        if let Some(grub) = self.bios {
            // First: a BIOS boots the default entry, UEFI looks for its own.
            catalogue = catalogue.with_entry(
                BootEntry::bios(BIOS_IMAGE)
                    .with_load_size(BIOS_LOAD_SECTORS)
                    .with_boot_info(BootInfo::Grub2),
            );
            tree.insert(BIOS_IMAGE, Node::file(hadris_fs::Content::bytes(&*grub.core)))?;
        }
        let partition = AppendedPartition::esp(partition);
        let options = IsoOptions::new()
            .with_id(IsoId::Volume, &volume_name(self.volume))
            .with_id(IsoId::Application, "")
            .with_level(IsoLevel::L3)
            .with_rock_ridge()
            .with_time(DateTime::new(time.unix(), 0).unwrap_or(DateTime::UNIX_EPOCH))
            .with_seed(ids.uuid("iso").as_u64_pair().0)
            .with_el_torito(catalogue.with_entry(BootEntry::uefi_appended(0)))
            .with_hybrid(Hybrid::gpt().with_appended(partition));
        let device = StreamDevice::new_growable(StdIo::new(&mut *image), BLOCK)?;
        let report = hadris_iso::sync::write(device, &tree, &options)?;
        // Nothing may be left out or renamed unseen.
        if let Some(warning) = report.warnings().first() {
            return Err(warning.message().into());
        }
        if let Some(grub) = self.bios {
            let placed = report.extents(BIOS_IMAGE).and_then(<[_]>::first);
            let offset = placed
                .ok_or("expected an address of GRUB's boot image, got none")?
                .offset();
            // The library writes no boot code in front of a GPT.
            image.seek(SeekFrom::Start(0))?;
            image.write_all(&grub.boot_code(offset / CD_BLOCK))?;
        }
        Ok(report.size())
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

    /// Writes an image and returns the partition in it.
    fn make(path: &Path, bios: Option<&Grub>) -> Result<Vec<u8>, PackError> {
        let bytes = esp::build(&content(), 2 << 20, &ids(), time()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("esp");
        std::fs::write(&file, &bytes).unwrap();
        let iso = Iso {
            volume: "veridianos 0.6.0-rc1",
            content: content(),
            esp: &file,
            bios,
        };
        iso.write(&RealWorld::default(), path, &ids(), time())?;
        Ok(bytes)
    }

    #[test]
    fn equal_input_gives_equal_bytes_with_the_same_partition_inside() {
        let dir = tempfile::tempdir().unwrap();
        let esp = make(&dir.path().join("one"), None).unwrap();
        make(&dir.path().join("two"), None).unwrap();
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
    fn a_partition_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let iso = Iso {
            volume: "veridianos 0.6.0-rc1",
            content: content(),
            esp: &dir.path().join("missing"),
            bios: None,
        };
        let error = iso
            .write(&RealWorld::default(), &dir.path().join("iso"), &ids(), time())
            .unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
    }

    #[test]
    fn boot_code_for_a_bios_leaves_the_partition_table_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (without, with) = (dir.path().join("without"), dir.path().join("with"));
        make(&without, None).unwrap();
        let world = RealWorld::default();
        let grub = crate::grub::Installed::find(&world)
            .unwrap()
            .build(&world, dir.path())
            .unwrap();
        make(&with, Some(&grub)).unwrap();
        let (without, with) = (std::fs::read(without).unwrap(), std::fs::read(with).unwrap());
        // Disk signature and partitions: one protective entry, of another length only, as cylinders and as sectors.
        assert_eq!(without[440..451], with[440..451]);
        assert_eq!(without[454..458], with[454..458]);
        assert_eq!(without[462..512], with[462..512]);
        assert!(without[..440].iter().all(|&byte| byte == 0));
        // The code finds the image: GRUB's first sector, and behind the part for El Torito what it loads.
        let sector = u64::from_le_bytes(with[0x1b0..0x1b8].try_into().unwrap());
        let image = (sector as usize - 4) * 512;
        assert!(with[image + 2048..].starts_with(&grub.core[2048..2548]));
        let config = gpt::GptConfig::new().writable(false);
        config.open_from_device(std::io::Cursor::new(with)).unwrap();
    }

    #[test]
    fn volume_names_fit_the_standard() {
        assert_eq!(volume_name("VeridianOS 0.6.0-rc1"), "VERIDIANOS_0_6_0_RC1");
        assert_eq!(volume_name(&"ä".repeat(40)), "_".repeat(32));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let error = make(Path::new("/nonexistent/x.iso"), None).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/x.iso"), "{error}");
    }
}
