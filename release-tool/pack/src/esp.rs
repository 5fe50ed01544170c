//! The EFI system partition: a FAT file system with what the firmware and the loader read.

use crate::image_file::ImageFile;
use crate::{Ids, PackError};
use hadris_fat::{FatOptions, VolumeLabel};
use hadris_fs::{DateTime, ErrorKind, Node, PathError, Tree};
use hadris_io::StdIo;
use hadris_storage::sync::{BlockDevice, StreamDevice};
use hadris_storage::{BlockSize, MemDevice};
use std::path::Path;
use vrel_model::UtcTime;
use vrel_world::World;

/// Enough for a system of a few MiB; smaller ones boot no faster, larger ones take longer to hash and to
/// copy.
pub const DEFAULT_SIZE: u64 = 16 << 20;

/// Smaller ones are of no use for a system.
pub const MIN_SIZE: u64 = 1 << 20;

/// FAT32 counts sectors of 512 bytes with 32 bits.
pub const MAX_SIZE: u64 = 1 << 40;

/// Bytes in a sector of the file system, which has to be that of the disk's blocks for systems that mount it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sector {
    /// 512 bytes, as of nearly every disk.
    #[default]
    B512,
    /// 4096 bytes, of disks with large blocks only ("4Kn").
    B4096,
}

impl Sector {
    const fn size(self) -> BlockSize {
        let bytes = match self {
            Self::B512 => 512,
            Self::B4096 => 4096,
        };
        BlockSize::new(bytes).expect("it is not zero")
    }
}

/// What goes into the partition.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The loader.
    pub loader: &'a [u8],
    /// Its name in `\EFI\BOOT`.
    pub loader_file: &'a str,
    /// The stamped kernel.
    pub kernel: &'a [u8],
    /// The initrd.
    pub initrd: &'a [u8],
    /// Further files by their paths, whose directories need not be named: what installer media carry.
    pub extra: &'a [(&'a str, &'a [u8])],
}

impl<'a> Content<'a> {
    /// The files by their paths.
    pub(crate) fn files(&self) -> Vec<(String, &'a [u8])> {
        let mut files = vec![
            (format!("EFI/BOOT/{}", self.loader_file), self.loader),
            ("veridian/kernel.elf".to_owned(), self.kernel),
            ("veridian/initrd.tar".to_owned(), self.initrd),
        ];
        files.extend(self.extra.iter().map(|&(path, bytes)| (path.to_owned(), bytes)));
        files
    }
}

/// The range of times that FAT can hold, 1980-01-01T00:00:00Z to 2107-12-31T23:59:58Z.
const TIMES: std::ops::RangeInclusive<i64> = 315_532_800..=4_354_819_198;

/// The volume's name. It is never shown where the system runs.
const LABEL: &str = "VERIDIANESP";

/// The bytes of a partition of `size` bytes, a multiple of 1 MiB. Its FAT type follows from its size.
///
/// # Errors
/// When the size is out of range or the content does not fit.
pub fn build(content: &Content<'_>, size: u64, ids: &Ids, time: UtcTime) -> Result<Vec<u8>, PackError> {
    build_with(Sector::B512, content, size, ids, time)
}

/// As [`build`], with sectors of a size.
///
/// # Errors
/// As [`build`].
pub fn build_with(
    sector: Sector,
    content: &Content<'_>,
    size: u64,
    ids: &Ids,
    time: UtcTime,
) -> Result<Vec<u8>, PackError> {
    check_size(size)?;
    // Zeroed memory that is never touched takes no space.
    let mut image = vec![0; size as usize];
    let device = MemDevice::new(image.as_mut_slice(), sector.size());
    layout(device, sector, content, size, ids, time).map_err(|error| explain(&error, content, size))?;
    Ok(image)
}

/// Writes the partition that [`build`] gives as a sparse file, without having it in memory.
///
/// # Errors
/// When the size is out of range, the content does not fit, and when the file cannot be written.
pub fn write_file(
    world: &dyn World,
    out: &Path,
    content: &Content<'_>,
    size: u64,
    ids: &Ids,
    time: UtcTime,
) -> Result<(), PackError> {
    check_size(size)?;
    let mut image = ImageFile::create_sized(world, out, size)?;
    let block = Sector::B512.size();
    let device = StreamDevice::with_block_count(StdIo::new(&mut image), block, size / u64::from(block.get()));
    let written = layout(device, Sector::B512, content, size, ids, time);
    written.map_err(|error| image.failed().unwrap_or_else(|| explain(&error, content, size)))?;
    image.commit()
}

fn check_size(size: u64) -> Result<(), PackError> {
    if !(MIN_SIZE..=MAX_SIZE).contains(&size) || !size.is_multiple_of(1 << 20) {
        return Err(PackError::EspSize { size });
    }
    Ok(())
}

fn explain(error: &PathError, content: &Content<'_>, size: u64) -> PackError {
    match error.kind() {
        ErrorKind::NoSpace => {
            let needed = content.files().iter().map(|(_, bytes)| bytes.len() as u64).sum();
            PackError::EspFull { needed, size }
        }
        _ => PackError::Esp {
            problem: error.to_string(),
        },
    }
}

fn layout(
    device: impl BlockDevice,
    sector: Sector,
    content: &Content<'_>,
    size: u64,
    ids: &Ids,
    time: UtcTime,
) -> Result<(), PathError> {
    let mut tree = Tree::new();
    for (path, bytes) in content.files() {
        tree.insert(&path, Node::file(hadris_fs::Content::bytes(bytes)))?;
    }
    let seconds = time.unix().clamp(*TIMES.start(), *TIMES.end());
    let options = FatOptions::new()
        .with_size(size)
        .with_sector_size(sector.size().get())
        .with_label(VolumeLabel::new(LABEL)?)
        .with_serial(ids.number("esp volume"))
        .with_oem_name(*b"VERIDIAN")
        .with_partition_offset(crate::disk::MARGIN)
        .with_time(DateTime::new(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH));
    let report = hadris_fat::sync::write(device, &tree, &options)?;
    match report.warnings().first() {
        // Nothing may be left out or renamed unseen.
        Some(warning) => Err(PathError::new(ErrorKind::Unsupported, warning.message())),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use hadris_fat::sync::FatFs;
    use hadris_fs::sync::Volume;
    use hadris_fs::{MountOptions, OpenOptions};
    use std::io::Read;
    use vrel_model::Arch;

    pub(crate) fn ids() -> Ids {
        Ids::new("veridianos", "0.6.0-rc1", Arch::X86_64)
    }

    pub(crate) fn content() -> Content<'static> {
        Content {
            loader: &[1; 3000],
            loader_file: "BOOTX64.EFI",
            kernel: &[2; 70_000],
            initrd: &[3; 512],
            extra: &[],
        }
    }

    fn time() -> UtcTime {
        UtcTime::from_unix(1_700_000_001).unwrap()
    }

    #[test]
    fn files_are_where_firmware_and_loader_look_whatever_the_size() {
        for size in [MIN_SIZE, 8 << 20, DEFAULT_SIZE, 600 << 20] {
            let volume = build(&content(), size, &ids(), time()).unwrap();
            assert_eq!(volume.len() as u64, size);
            let device = MemDevice::new(volume, Sector::B512.size());
            let volume = Volume::new(FatFs::mount(device, MountOptions::new()).unwrap());
            for (path, expected) in content().files() {
                let mut found = Vec::new();
                let mut file = volume.open(&path, OpenOptions::new().read()).unwrap();
                file.read_to_end(&mut found).unwrap();
                assert!(found == expected, "{path}");
            }
        }
    }

    #[test]
    fn sectors_may_be_as_large_as_the_blocks_of_large_disks() {
        for size in [MIN_SIZE, DEFAULT_SIZE, 300 << 20] {
            let image = build_with(Sector::B4096, &content(), size, &ids(), time()).unwrap();
            // The boot sector names the size of sectors and, in sectors, of what is in front.
            assert_eq!(u16::from_le_bytes([image[11], image[12]]), 4096);
            assert_eq!(u32::from_le_bytes(image[28..32].try_into().unwrap()), 256);
            let device = MemDevice::new(image, Sector::B4096.size());
            let volume = Volume::new(FatFs::mount(device, MountOptions::new()).unwrap());
            for (path, expected) in content().files() {
                let mut found = Vec::new();
                let mut file = volume.open(&path, OpenOptions::new().read()).unwrap();
                file.read_to_end(&mut found).unwrap();
                assert!(found == expected, "{path}");
            }
        }
    }

    #[test]
    fn the_file_is_what_would_be_in_memory_and_takes_no_more_space_than_its_content() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let (world, out) = (vrel_world::RealWorld::default(), dir.path().join("esp"));
        for size in [MIN_SIZE, DEFAULT_SIZE, 600 << 20] {
            write_file(&world, &out, &content(), size, &ids(), time()).unwrap();
            assert!(std::fs::read(&out).unwrap() == build(&content(), size, &ids(), time()).unwrap());
            assert!(
                std::fs::metadata(&out).unwrap().blocks() * 512 < 1 << 20,
                "{size}"
            );
        }
    }

    #[test]
    fn a_file_that_cannot_be_made_says_why_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (world, out) = (vrel_world::RealWorld::default(), dir.path().join("esp"));
        let write = |out: &Path, size| write_file(&world, out, &content(), size, &ids(), time()).unwrap_err();
        assert!(matches!(write(&out, 512), PackError::EspSize { size: 512 }));
        let kernel = vec![0; 3 << 20];
        let big = Content {
            kernel: &kernel,
            ..content()
        };
        let error = write_file(&world, &out, &big, 2 << 20, &ids(), time()).unwrap_err();
        assert!(matches!(error, PackError::EspFull { .. }), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let error = write(Path::new("/nonexistent/esp"), MIN_SIZE);
        assert!(error.to_string().contains("/nonexistent/esp"), "{error}");
    }

    #[test]
    fn equal_input_gives_equal_bytes() {
        let one = build(&content(), DEFAULT_SIZE, &ids(), time()).unwrap();
        assert!(one == build(&content(), DEFAULT_SIZE, &ids(), time()).unwrap());
        let later = UtcTime::from_unix(1_700_000_100).unwrap();
        assert!(one != build(&content(), DEFAULT_SIZE, &ids(), later).unwrap());
    }

    #[test]
    fn sizes_that_cannot_work_are_refused() {
        for size in [0, MIN_SIZE - 1, (1 << 20) + 512, MAX_SIZE + (1 << 20)] {
            assert!(matches!(
                build(&content(), size, &ids(), time()),
                Err(PackError::EspSize { .. })
            ));
        }
        let kernel = vec![0; 3 << 20];
        let big = Content {
            kernel: &kernel,
            ..content()
        };
        let error = build(&big, 2 << 20, &ids(), time()).unwrap_err();
        assert!(
            matches!(error, PackError::EspFull { size: 0x20_0000, .. }),
            "{error}"
        );
        assert!(build(&big, 4 << 20, &ids(), time()).is_ok());
    }

    #[test]
    fn times_that_fat_cannot_hold_do_not_matter() {
        let at = |seconds| build(&content(), MIN_SIZE, &ids(), UtcTime::from_unix(seconds).unwrap()).unwrap();
        assert!(at(0) == at(*TIMES.start()));
        assert!(at(*TIMES.end() + 100) == at(*TIMES.end()));
        assert!(at(*TIMES.start()) != at(*TIMES.end()));
    }
}
