//! VMware's stream-optimised disk ("Virtual Disk Format 5.0"): compressed grains one after the other, the tables behind
//! them, so that it is written and read without going back. It is what AWS, VMware and OVA packages take.

use crate::deflate::Deflater;
use crate::image_file::ImageFile;
use crate::raw::{RawImage, SECTOR};
use crate::{Ids, PackError};
use serde::{Deserialize, Serialize};
use std::path::Path;
use vrel_world::World;

/// What is compressed at once: 64 KiB, the only size that VMware reads.
const GRAIN: u64 = 128 * SECTOR;

/// Grains that one table maps.
const TABLE: u64 = 512;

/// Room for the header and the descriptor; the first grain stands behind it.
const OVERHEAD: u64 = 128;

/// Sectors for the descriptor.
const DESCRIPTOR: u64 = 20;

/// Positions in the file are 32-bit numbers of sectors. Noise does not become smaller, and tables take a little.
const MAX_SIZE: u64 = 2000 << 30;

/// In the header: the tables are found through the footer.
const AT_END: u64 = u64::MAX;

/// The kinds of sectors that are no data.
#[derive(Clone, Copy)]
enum Marker {
    End = 0,
    Table = 1,
    Directory = 2,
    Footer = 3,
}

/// What a policy may choose: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {}

/// Writes the raw disk image `raw` as `out`. `name` is what the file calls itself inside, its published name.
///
/// # Errors
/// When the disk's size is not a whole number of sectors, the name does not fit into a line of the descriptor, or a file
/// cannot be read or written.
pub fn write(
    world: &dyn World,
    raw: &Path,
    out: &Path,
    Options {}: &Options,
    name: &str,
    ids: &Ids,
) -> Result<(), PackError> {
    let mut disk = open(world, raw)?;
    let mut image = ImageFile::create(world, out)?;
    stream(&mut disk, &mut image, name, ids)?;
    image.commit()
}

/// Opens a raw disk that fits into the format.
pub(crate) fn open<'w>(world: &'w dyn World, raw: &Path) -> Result<RawImage<'w>, PackError> {
    RawImage::open(world, raw, "vmdk", SECTOR, MAX_SIZE)
}

/// Writes the disk from the image's current position on; there its sectors are counted from. Returns the length in bytes.
pub(crate) fn stream(
    disk: &mut RawImage<'_>,
    image: &mut ImageFile,
    name: &str,
    ids: &Ids,
) -> Result<u64, PackError> {
    let start = image.written();
    let sectors = disk.len() / SECTOR;
    image.put(&header(sectors, AT_END))?;
    let descriptor = descriptor(sectors, name, ids)?;
    image.put(descriptor.as_bytes())?;
    image.skip_to(start + OVERHEAD * SECTOR);
    let mut writer = Writer {
        image,
        start,
        deflater: Deflater::zlib(GRAIN as usize),
        directory: vec![0; sectors.div_ceil(TABLE * GRAIN / SECTOR) as usize],
        table: vec![0; TABLE as usize],
        current: 0,
    };
    disk.pieces(GRAIN as usize, &mut |number, grain| writer.add(number, grain))?;
    writer.finish(sectors)?;
    Ok(image.written() - start)
}

struct Writer<'i> {
    image: &'i mut ImageFile,
    start: u64,
    deflater: Deflater,
    /// Where each table is, in sectors; 0 for none.
    directory: Vec<u32>,
    /// Where each grain of the current table is.
    table: Vec<u32>,
    current: u64,
}

impl Writer<'_> {
    /// The sector at which is written next.
    fn sector(&self) -> Result<u32, PackError> {
        let sector = (self.image.written() - self.start) / SECTOR;
        // Guaranteed by the disk's greatest size, as long as compression adds as little as it should.
        u32::try_from(sector).map_err(|_| PackError::Setting {
            setting: "vmdk",
            expected: "less than 2 TiB of compressed data".to_owned(),
            found: format!("{sector} sectors"),
        })
    }

    fn add(&mut self, number: u64, grain: &[u8]) -> Result<(), PackError> {
        if number / TABLE != self.current {
            self.close_table()?;
            self.current = number / TABLE;
        }
        self.table[(number % TABLE) as usize] = self.sector()?;
        let compressed = self.deflater.compress(grain);
        let compressed = compressed.map_err(|error| self.image.explain(&error))?;
        let mut bytes = Vec::with_capacity(compressed.len() + SECTOR as usize);
        bytes.extend((number * GRAIN / SECTOR).to_le_bytes());
        bytes.extend((compressed.len() as u32).to_le_bytes());
        bytes.extend(compressed);
        bytes.resize(bytes.len().next_multiple_of(SECTOR as usize), 0);
        self.image.put(&bytes)
    }

    /// Writes a marker and what it announces, and returns the sector of the latter.
    fn announce(&mut self, kind: Marker, content: &[u8]) -> Result<u32, PackError> {
        let mut bytes = vec![0; SECTOR as usize];
        let len = content.len().next_multiple_of(SECTOR as usize);
        bytes[..8].copy_from_slice(&(len as u64 / SECTOR).to_le_bytes());
        bytes[12..16].copy_from_slice(&(kind as u32).to_le_bytes());
        bytes.extend(content);
        bytes.resize(SECTOR as usize + len, 0);
        let at = self.sector()? + 1;
        self.image.put(&bytes)?;
        Ok(at)
    }

    fn close_table(&mut self) -> Result<(), PackError> {
        if self.table.iter().any(|&grain| grain != 0) {
            let table = little_endian(&self.table);
            self.directory[self.current as usize] = self.announce(Marker::Table, &table)?;
            self.table.fill(0);
        }
        Ok(())
    }

    fn finish(mut self, sectors: u64) -> Result<(), PackError> {
        self.close_table()?;
        let directory = little_endian(&self.directory);
        let directory_at = self.announce(Marker::Directory, &directory)?;
        self.announce(Marker::Footer, &header(sectors, u64::from(directory_at)))?;
        self.announce(Marker::End, &[])?;
        Ok(())
    }
}

fn header(sectors: u64, directory_at: u64) -> Vec<u8> {
    const VERSION: u32 = 3;
    const FLAGS: u32 = 1 | 1 << 16 | 1 << 17; // Line ends can be tested, grains are compressed, there are markers.
    const DEFLATE: u16 = 1;
    let mut header = b"KDMV".to_vec();
    header.extend(VERSION.to_le_bytes());
    header.extend(FLAGS.to_le_bytes());
    for field in [sectors, GRAIN / SECTOR, 1, DESCRIPTOR] {
        header.extend(field.to_le_bytes());
    }
    header.extend((TABLE as u32).to_le_bytes());
    // No second directory.
    for field in [0, directory_at, OVERHEAD] {
        header.extend(field.to_le_bytes());
    }
    // It was closed in order; the line ends show whether somebody copied the file as text.
    header.extend(b"\0\n \r\n");
    header.extend(DEFLATE.to_le_bytes());
    header.resize(SECTOR as usize, 0);
    header
}

fn descriptor(sectors: u64, name: &str, ids: &Ids) -> Result<String, PackError> {
    if name.is_empty() || name.len() > 255 || name.contains(|c: char| c.is_control() || "\"/\\".contains(c)) {
        return Err(PackError::Setting {
            setting: "the disk's name",
            expected: "a file name of at most 255 bytes without quotes".to_owned(),
            found: name.to_owned(),
        });
    }
    // What VMware takes for disks on a SCSI or SATA controller.
    let (heads, per_track) = (255, 63);
    let cylinders = sectors.div_ceil(heads * per_track);
    // The number FFFFFFFE of a disk that is not told apart and FFFFFFFF of none are taken.
    let id = ids.number("vmdk") & 0x7fff_ffff;
    let uuid = ids.uuid("vmdk");
    Ok(format!(
        "# Disk DescriptorFile\nversion=1\nCID={id:08x}\nparentCID=ffffffff\ncreateType=\"streamOptimized\"\n\n\
         # Extent description\nRW {sectors} SPARSE \"{name}\"\n\n\
         # The Disk Data Base\n#DDB\n\nddb.virtualHWVersion = \"4\"\nddb.adapterType = \"lsilogic\"\n\
         ddb.geometry.cylinders = \"{cylinders}\"\nddb.geometry.heads = \"{heads}\"\n\
         ddb.geometry.sectors = \"{per_track}\"\nddb.uuid.image=\"{uuid}\"\n"
    ))
}

fn little_endian(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
