//! QEMU's copy-on-write image, version 3 (QEMU's docs/interop/qcow2.txt).
//!
//! The file is written in one go: the header, then each stretch of 512 MiB as its data followed by the table that maps it,
//! then the table of those tables, and the reference counts last.

use crate::PackError;
use crate::deflate::Deflater;
use crate::image_file::ImageFile;
use crate::raw::{RawImage, SECTOR};
use serde::{Deserialize, Serialize};
use std::path::Path;
use vrel_world::World;

const CLUSTER_BITS: u32 = 16;
const CLUSTER: u64 = 1 << CLUSTER_BITS;

/// Entries of 8 bytes in a table of one cluster.
const ENTRIES: u64 = CLUSTER / 8;

/// Reference counts of 2 bytes in a cluster.
const COUNTS: u64 = CLUSTER / 2;

/// In an entry: the cluster has one reference, so that it may be written in place.
const COPIED: u64 = 1 << 63;

/// In an entry of the second level: the cluster is compressed.
const COMPRESSED: u64 = 1 << 62;

/// From this bit of a compressed cluster's entry on stands the number of further sectors that it reaches into.
const COMPRESSED_SECTORS: u32 = 62 - (CLUSTER_BITS - 8);

/// The counts of a full disk of this size take 128 MiB of memory. The format would allow more.
const MAX_SIZE: u64 = 4 << 40;

/// What a policy may choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Compresses the clusters with zlib, which every reader understands. The image is then smaller on the way, and
    /// somewhat slower to read.
    pub compress: bool,
}

/// Writes the raw disk image `raw` as `out`.
///
/// # Errors
/// When the disk's size is not a whole number of sectors, and when a file cannot be read or written.
pub fn write(world: &dyn World, raw: &Path, out: &Path, options: &Options) -> Result<(), PackError> {
    let mut disk = RawImage::open(world, raw, "qcow2", SECTOR, MAX_SIZE)?;
    let size = disk.len();
    let mut writer = Writer::new(ImageFile::create(world, out)?, size, options);
    disk.pieces(CLUSTER as usize, &mut |number, cluster| {
        writer.add(number, cluster)
    })?;
    writer.finish(size)
}

struct Writer {
    image: ImageFile,
    /// Where the next compressed cluster goes, in a cluster that has others already; 0 for none.
    packed: u64,
    /// The next cluster that is not in use.
    free: u64,
    /// References by cluster of the file.
    counts: Vec<u16>,
    first_level: Vec<u64>,
    second_level: Vec<u64>,
    /// Which entry of the first level `second_level` is for.
    stretch: u64,
    deflater: Option<Deflater>,
}

impl Writer {
    fn new(image: ImageFile, size: u64, options: &Options) -> Self {
        let stretches = size.div_ceil(CLUSTER * ENTRIES);
        Self {
            image,
            packed: 0,
            free: CLUSTER,
            counts: vec![1],
            first_level: vec![0; stretches as usize],
            second_level: vec![0; ENTRIES as usize],
            stretch: 0,
            deflater: options.compress.then(|| Deflater::raw_4k(CLUSTER as usize)),
        }
    }

    /// Takes whole clusters at the end of the file.
    fn allocate(&mut self, clusters: u64) -> u64 {
        let start = self.free;
        self.free += clusters * CLUSTER;
        self.counts.resize((self.free / CLUSTER) as usize, 1);
        start
    }

    fn add(&mut self, number: u64, cluster: &[u8]) -> Result<(), PackError> {
        if number / ENTRIES != self.stretch {
            self.close_stretch()?;
            self.stretch = number / ENTRIES;
        }
        let entry = match self.deflater.take() {
            None => self.add_plain(cluster)?,
            Some(mut deflater) => {
                let compressed = deflater
                    .compress(cluster)
                    .map_err(|error| self.image.explain(&error))?;
                let entry = if compressed.len() < cluster.len() {
                    self.add_compressed(compressed)?
                } else {
                    self.add_plain(cluster)?
                };
                self.deflater = Some(deflater);
                entry
            }
        };
        self.second_level[(number % ENTRIES) as usize] = entry;
        Ok(())
    }

    fn add_plain(&mut self, cluster: &[u8]) -> Result<u64, PackError> {
        let start = self.allocate(1);
        self.image.put_at(start, cluster)?;
        Ok(start | COPIED)
    }

    fn add_compressed(&mut self, compressed: &[u8]) -> Result<u64, PackError> {
        let len = compressed.len() as u64;
        let continues =
            self.packed > 0 && (self.packed + len <= self.packed_end() || self.packed_end() == self.free);
        let start = if continues { self.packed } else { self.free };
        let end = start + len;
        if continues {
            self.counts[(start / CLUSTER) as usize] += 1;
        }
        if end > self.free {
            self.allocate((end - self.free).div_ceil(CLUSTER));
        }
        self.image.put_at(start, compressed)?;
        // A cluster that is full to the last byte has no room for another.
        self.packed = if end.is_multiple_of(CLUSTER) { 0 } else { end };
        let further = (end - 1) / SECTOR - start / SECTOR;
        Ok(start | (further << COMPRESSED_SECTORS) | COMPRESSED)
    }

    /// Where the cluster with room for compressed data ends.
    fn packed_end(&self) -> u64 {
        self.packed.next_multiple_of(CLUSTER)
    }

    /// Writes the table of the current stretch behind its data.
    fn close_stretch(&mut self) -> Result<(), PackError> {
        if self.second_level.iter().all(|&entry| entry == 0) {
            return Ok(());
        }
        let start = self.allocate(1);
        self.image.put_at(start, &big_endian(&self.second_level))?;
        self.second_level.fill(0);
        self.first_level[self.stretch as usize] = start | COPIED;
        Ok(())
    }

    fn finish(mut self, size: u64) -> Result<(), PackError> {
        self.close_stretch()?;
        let first_level = big_endian(&self.first_level);
        let first_level_at = self.allocate((first_level.len() as u64).div_ceil(CLUSTER));
        self.image.put_at(first_level_at, &first_level)?;
        // The counts count themselves and their table too.
        let others = self.free / CLUSTER;
        let (mut blocks, mut table) = (0, 0);
        loop {
            let needed = (others + blocks + table).div_ceil(COUNTS);
            let needed_table = needed.div_ceil(ENTRIES);
            if (needed, needed_table) == (blocks, table) {
                break;
            }
            (blocks, table) = (needed, needed_table);
        }
        let table_at = self.allocate(table);
        let blocks_at = self.allocate(blocks);
        let entries: Vec<u64> = (0..blocks).map(|index| blocks_at + index * CLUSTER).collect();
        self.image.put_at(table_at, &big_endian(&entries))?;
        for (index, counts) in self.counts.chunks(COUNTS as usize).enumerate() {
            let bytes: Vec<u8> = counts.iter().flat_map(|count| count.to_be_bytes()).collect();
            self.image.put_at(blocks_at + index as u64 * CLUSTER, &bytes)?;
        }
        self.image
            .put_at(0, &self.header(size, first_level_at, table_at, table))?;
        self.image.skip_to(self.free);
        self.image.commit()
    }

    fn header(&self, size: u64, first_level_at: u64, table_at: u64, table: u64) -> Vec<u8> {
        const LEN: u32 = 104;
        let mut header = b"QFI\xfb".to_vec();
        let u32 = |header: &mut Vec<u8>, value: u32| header.extend(value.to_be_bytes());
        let u64 = |header: &mut Vec<u8>, value: u64| header.extend(value.to_be_bytes());
        u32(&mut header, 3);
        u64(&mut header, 0); // No backing file,
        u32(&mut header, 0); // of a name of no bytes.
        u32(&mut header, CLUSTER_BITS);
        u64(&mut header, size);
        u32(&mut header, 0); // Not encrypted.
        u32(&mut header, self.first_level.len() as u32);
        u64(&mut header, first_level_at);
        u64(&mut header, table_at);
        u32(&mut header, table as u32);
        u32(&mut header, 0); // No snapshots,
        u64(&mut header, 0); // and no table of them.
        u64(&mut header, 0); // No features that older readers lack,
        u64(&mut header, 0); // none that they may ignore,
        u64(&mut header, 0); // and none that a writer has to keep up to date.
        u32(&mut header, 4); // Counts of 1 << 4 bits.
        u32(&mut header, LEN);
        // The end of the (absent) extensions.
        u64(&mut header, 0);
        header
    }
}

fn big_endian(values: &[u64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}
