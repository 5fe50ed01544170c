//! What Google Cloud imports: `disk.raw`, of whole GiB, in a sparse tar archive of GNU's old form, compressed with gzip.
//!
//! The archive is the one that `tar --format=oldgnu -S --hole-detection=raw` makes of the same disk: which parts of it are
//! left out follows from the content, not from how a file system happens to store it.

use crate::PackError;
use crate::gnu_sparse;
use crate::image_file::ImageFile;
use crate::raw::{RawImage, SECTOR};
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::Path;
use vrel_model::{ByteSize, UtcTime};
use vrel_world::{World, WorldError};

/// What the disk must be called in the archive.
const NAME: &str = "disk.raw";

/// The cloud counts disks in GiB.
const UNIT: u64 = 1 << 30;

/// Its largest disk.
const MAX_SIZE: u64 = 64 << 40;

/// What tar fills its archives up to.
const RECORD: u64 = 20 * SECTOR;

/// So much is copied at once.
const PIECE: usize = 256 << 10;

/// What a policy may choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The size of the disk that is packed, whole GiB: the packer makes a disk of its own.
    pub size: ByteSize,
}

impl Default for Options {
    /// The smallest disk.
    fn default() -> Self {
        Self { size: ByteSize(UNIT) }
    }
}

/// Packs the raw disk image `raw` as `out`, dated `time`.
///
/// # Errors
/// When the disk's size is not a whole number of GiB, and when a file cannot be read or written.
pub fn write(world: &dyn World, raw: &Path, out: &Path, time: UtcTime) -> Result<(), PackError> {
    let mut disk = RawImage::open(world, raw, "gcp", UNIT, MAX_SIZE)?;
    let data = data_of(&mut disk, raw)?;
    let image = ImageFile::create(world, out)?;
    // As `gzip -n` does it, without name and time, and without a system: that field says 255, unknown.
    let mut gzip = GzBuilder::new()
        .operating_system(255)
        .write(image, Compression::default());
    let header = gnu_sparse::header(NAME, disk.len(), &data, time);
    put(&mut gzip, &header)?;
    let mut len = header.len() as u64;
    let mut buffer = vec![0; PIECE];
    for run in data {
        len += run.end - run.start;
        disk.range(run, &mut buffer, &mut |bytes| put(&mut gzip, bytes))?;
    }
    // Two blocks of zeros end it, and more fill the record.
    let full = (len + 2 * SECTOR).next_multiple_of(RECORD);
    put(&mut gzip, &vec![0; (full - len) as usize])?;
    gzip.try_finish()
        .map_err(|error| gzip.get_mut().explain(&error))?;
    let image = gzip
        .finish()
        .map_err(|error| WorldError::io("write", out, &error))?;
    image.commit()
}

fn put(gzip: &mut GzEncoder<ImageFile>, bytes: &[u8]) -> Result<(), PackError> {
    let written = gzip.write_all(bytes);
    written.map_err(|error| gzip.get_mut().explain(&error))
}

/// The runs of sectors that are not all zero.
fn data_of(disk: &mut RawImage<'_>, path: &Path) -> Result<Vec<Range<u64>>, PackError> {
    let mut data: Vec<Range<u64>> = Vec::new();
    disk.pieces(SECTOR as usize, &mut |number, _| {
        let start = number * SECTOR;
        if let Some(run) = data.last_mut()
            && run.end == start
        {
            run.end += SECTOR;
            return Ok(());
        }
        if data.len() == gnu_sparse::MAX_ENTRIES {
            return Err(PackError::ImageLayout {
                path: path.to_owned(),
                problem: format!("expected at most {} parts between holes, got more", data.len()),
            });
        }
        data.push(start..start + SECTOR);
        Ok(())
    })?;
    Ok(data)
}

/// Unpacks an archive that [`write()`] made, or one like it: the raw disk image becomes `out`.
///
/// # Errors
/// [`PackError::Package`] when the archive holds anything but one sparse `disk.raw` of whole GiB, or is damaged; and when a
/// file cannot be read or written.
pub fn unpack(world: &dyn World, archive: &Path, out: &Path) -> Result<(), PackError> {
    let file = world.fs().open(archive)?;
    let mut stream = GzDecoder::new(io::BufReader::with_capacity(PIECE, file));
    let package = |expected: String, found: String| PackError::Package {
        path: archive.to_owned(),
        expected,
        found,
    };
    let damaged = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            package(format!("a whole archive with {NAME}"), error.to_string())
        }
        _ => WorldError::io("read", archive, &error).into(),
    };
    let header = gnu_sparse::read(&mut stream).map_err(damaged)?;
    if header.name != NAME {
        return Err(package(
            NAME.to_owned(),
            format!("`{}`", header.name.escape_debug()),
        ));
    }
    if !(UNIT..=MAX_SIZE).contains(&header.size) || !header.size.is_multiple_of(UNIT) {
        let expected = format!("a disk of whole GiB up to {}", ByteSize(MAX_SIZE));
        return Err(package(expected, format!("one of {} bytes", header.size)));
    }
    let mut image = ImageFile::create_sized(world, out, header.size)?;
    let mut buffer = vec![0; PIECE];
    for run in header.data {
        if !run.start.is_multiple_of(SECTOR) {
            return Err(package(
                "parts of whole sectors".to_owned(),
                format!("one at {}", run.start),
            ));
        }
        image.skip_to(run.start);
        let mut left = run.end - run.start;
        while left > 0 {
            world.check_interrupt()?;
            let count = left.min(PIECE as u64) as usize;
            stream.read_exact(&mut buffer[..count]).map_err(damaged)?;
            image.put(&buffer[..count])?;
            left -= count as u64;
        }
    }
    // Reading to the end also checks the sum of it all.
    let mut rest = Vec::new();
    let mut end = stream.take(2 * RECORD);
    end.read_to_end(&mut rest).map_err(damaged)?;
    if rest.len() as u64 >= 2 * RECORD || rest.len() < 1024 || rest.iter().any(|&byte| byte != 0) {
        return Err(package(
            format!("the archive to end after {NAME}"),
            "something more, or no end".to_owned(),
        ));
    }
    image.commit()
}
