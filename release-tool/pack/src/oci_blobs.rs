//! An archive of blobs that are named by their own digests: `blobs/sha256/…` of an OCI image layout.

use crate::image_file::ImageFile;
use crate::tarball::header;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::io::{self, Seek, SeekFrom, Write};
use tar::EntryType;
use vrel_model::{Sha256Digest, UtcTime};

/// Where blobs lie.
const BLOBS: &str = "blobs/sha256";

/// What an entry's header and the padding of its content are multiples of.
const BLOCK: u64 = 512;

/// Mode of every file in the layout.
const MODE: u32 = 0o644;

/// A stored blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    /// SHA-256 of its content.
    pub(crate) digest: Sha256Digest,
    /// Length in bytes.
    pub(crate) size: u64,
    /// Whether the archive had the same content already.
    pub(crate) known: bool,
}

/// The archive, a tar file in the making.
pub(crate) struct Blobs<'f> {
    file: &'f mut ImageFile,
    time: UtcTime,
    known: BTreeSet<Sha256Digest>,
}

impl<'f> Blobs<'f> {
    /// Begins the archive, at the start of the file.
    pub(crate) fn begin(file: &'f mut ImageFile, time: UtcTime) -> io::Result<Self> {
        let mut blobs = Self {
            file,
            time,
            known: BTreeSet::new(),
        };
        for directory in ["blobs/", "blobs/sha256/"] {
            blobs.header(directory, EntryType::Directory, 0)?;
        }
        Ok(blobs)
    }

    /// Adds a file that is not a blob.
    pub(crate) fn file(&mut self, path: &str, content: &[u8]) -> io::Result<()> {
        self.header(path, EntryType::Regular, content.len() as u64)?;
        self.file.write_all(content)?;
        self.pad()
    }

    /// Adds a blob that is in memory.
    pub(crate) fn small(&mut self, content: &[u8]) -> io::Result<Blob> {
        self.blob(|out| out.write_all(content)).map(|(blob, ())| blob)
    }

    /// Adds a blob that `write` writes. Its name and length are known only at its end, so the header in front of
    /// it is written last: the content passes once and is never held.
    pub(crate) fn blob<T>(
        &mut self,
        write: impl FnOnce(&mut Hashed<&mut ImageFile>) -> io::Result<T>,
    ) -> io::Result<(Blob, T)> {
        let start = self.file.written();
        self.file.seek(SeekFrom::Start(start + BLOCK))?;
        let mut hashed = Hashed::new(&mut *self.file);
        let result = write(&mut hashed)?;
        let (digest, size) = hashed.finish();
        let known = !self.known.insert(digest);
        let end = self.file.written();
        self.file.seek(SeekFrom::Start(start))?;
        self.header(&format!("{BLOBS}/{digest}"), EntryType::Regular, size)?;
        self.file.seek(SeekFrom::Start(end))?;
        self.pad()?;
        Ok((Blob { digest, size, known }, result))
    }

    /// Writes the archive's end.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.file.write_all(&[0; 2 * BLOCK as usize])
    }

    fn header(&mut self, path: &str, kind: EntryType, size: u64) -> io::Result<()> {
        let mode = if kind == EntryType::Directory { 0o755 } else { MODE };
        let mut header = header(self.time, kind, mode, size);
        header.set_path(path)?;
        header.set_cksum();
        self.file.write_all(header.as_bytes())
    }

    fn pad(&mut self) -> io::Result<()> {
        let end = self.file.written();
        let zeros = end.next_multiple_of(BLOCK) - end;
        self.file.write_all(&vec![0; zeros as usize])
    }
}

/// A writer that computes the digest of what passes through it.
pub(crate) struct Hashed<W> {
    inner: W,
    hash: Sha256,
    size: u64,
}

impl<W> Hashed<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            size: 0,
        }
    }

    /// The digest and the length of what was written.
    pub(crate) fn finish(self) -> (Sha256Digest, u64) {
        (Sha256Digest::new(self.hash.finalize().into()), self.size)
    }

    /// What it writes to, without what is hashed.
    pub(crate) fn split(self) -> (W, Sha256Digest) {
        (self.inner, Sha256Digest::new(self.hash.finalize().into()))
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.hash.update(&buffer[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
