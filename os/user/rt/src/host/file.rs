//! Files and directories.

use std::fs;
use std::io::{IsTerminal as _, Read as _, Seek as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};

use crate::fs::{DirEntry, FileKind, Metadata, OpenOptions};
use crate::io::{Result, SeekFrom};

/// An open file.
#[derive(Debug)]
pub(crate) struct File(pub(crate) fs::File);

impl From<OwnedFd> for File {
    fn from(descriptor: OwnedFd) -> Self {
        Self(descriptor.into())
    }
}

impl File {
    pub(crate) fn open(path: &str, options: OpenOptions) -> Result<Self> {
        let file = fs::OpenOptions::new()
            .read(options.read)
            .write(options.write)
            .append(options.append)
            .truncate(options.truncate)
            .create(options.create)
            .create_new(options.create_new)
            .open(path)?;
        Ok(Self(file))
    }

    pub(crate) fn try_clone(&self) -> Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        if self.is_terminal() {
            super::wait_for_input(&self.0)?;
        }
        Ok((&self.0).read(buffer)?)
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> Result<usize> {
        Ok((&self.0).write(bytes)?)
    }

    pub(crate) fn seek(&self, to: SeekFrom) -> Result<u64> {
        Ok((&self.0).seek(match to {
            SeekFrom::Start(offset) => std::io::SeekFrom::Start(offset),
            SeekFrom::End(offset) => std::io::SeekFrom::End(offset),
            SeekFrom::Current(offset) => std::io::SeekFrom::Current(offset),
        })?)
    }

    pub(crate) fn metadata(&self) -> Result<Metadata> {
        Ok(about(&self.0.metadata()?))
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }
}

fn kind(of: fs::FileType) -> FileKind {
    if of.is_dir() {
        FileKind::Directory
    } else if of.is_fifo() || of.is_socket() {
        FileKind::Pipe
    } else if of.is_char_device() || of.is_block_device() {
        FileKind::Device
    } else {
        FileKind::File
    }
}

fn about(metadata: &fs::Metadata) -> Metadata {
    Metadata {
        kind: kind(metadata.file_type()),
        len: metadata.len(),
        ino: metadata.ino(),
        executable: metadata.permissions().mode() & 0o111 != 0,
    }
}

pub(crate) fn metadata(path: &str) -> Result<Metadata> {
    Ok(about(&fs::metadata(path)?))
}

pub(crate) fn read_dir(path: &str) -> Result<Vec<DirEntry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let kind = kind(entry.file_type()?);
        entries.push(DirEntry { name, kind });
    }
    Ok(entries)
}

pub(crate) fn create_dir(path: &str) -> Result<()> {
    Ok(fs::create_dir(path)?)
}

pub(crate) fn remove_file(path: &str) -> Result<()> {
    Ok(fs::remove_file(path)?)
}

pub(crate) fn remove_dir(path: &str) -> Result<()> {
    Ok(fs::remove_dir(path)?)
}

pub(crate) fn rename(from: &str, to: &str) -> Result<()> {
    Ok(fs::rename(from, to)?)
}

pub(crate) fn canonicalize(path: &str) -> Result<String> {
    super::utf8(fs::canonicalize(path)?)
}
