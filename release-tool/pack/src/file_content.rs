//! A file of the world as content of an image that `hadris` writes, read piece by piece while the image is written.
//!
//! The library takes lazy content from a volume that it can mount; here that is a volume with one file.

use crate::PackError;
use hadris_fs::sync::{FileSystem, Volume, read_tree};
use hadris_fs::{
    Capabilities, CaseRule, Charset, Content, DirCursor, DirEntry, Error, ErrorKind, FileType, FsResult,
    FsStats, Metadata, Name, NodeId, OpenMode, Permissions,
};
use std::io::{self, Read, SeekFrom};
use std::path::Path;
use vrel_world::{ReadSeek, World, WorldError};

const ROOT: NodeId = NodeId::new(1).expect("1 is not zero");
const FILE: NodeId = NodeId::new(2).expect("2 is not zero");
const NAME: &[u8] = b"file";

/// The content of the file at `path`, as long as the file is now.
///
/// # Errors
/// When the file is missing, or cannot be opened.
pub(crate) fn of_file(world: &dyn World, path: &Path) -> Result<Content, PackError> {
    let mut file = world.fs().open(path)?;
    let io_error = |error| PackError::World(WorldError::io("read", path, &error));
    let len = file.seek(SeekFrom::End(0)).map_err(io_error)?;
    let volume = Volume::new(OneFile { file, len });
    let tree = read_tree(&volume, "/").map_err(|error| PackError::ImageLayout {
        path: path.to_owned(),
        problem: error.to_string(),
    })?;
    let content = tree.get(NAME).and_then(|node| node.content().cloned());
    Ok(content.unwrap_or_else(Content::empty))
}

/// A read-only volume with one file in its root directory.
struct OneFile {
    file: Box<dyn ReadSeek>,
    len: u64,
}

impl OneFile {
    fn metadata(&self) -> Metadata {
        Metadata::new(FileType::File, Permissions::new(0o444)).with_len(self.len)
    }
}

fn refuse<T>(kind: ErrorKind) -> FsResult<T, io::Error> {
    Err(Error::from(kind))
}

impl FileSystem for OneFile {
    type DeviceError = io::Error;

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(CaseRule::Sensitive, Charset::Bytes, NAME.len())
    }

    fn root(&self) -> NodeId {
        ROOT
    }

    fn statfs(&mut self) -> FsResult<FsStats, io::Error> {
        Ok(FsStats::new(self.len, 0, 1))
    }

    fn label<'b>(&mut self, _: &'b mut [u8]) -> FsResult<Option<&'b str>, io::Error> {
        Ok(None)
    }

    fn lookup(&mut self, dir: NodeId, name: &Name) -> FsResult<NodeId, io::Error> {
        if dir == ROOT && name.as_bytes() == NAME {
            Ok(FILE)
        } else {
            refuse(ErrorKind::NotFound)
        }
    }

    fn forget(&mut self, _: NodeId, _: u64) {}

    fn parent(&mut self, _: NodeId) -> FsResult<NodeId, io::Error> {
        Ok(ROOT)
    }

    fn stat(&mut self, node: NodeId) -> FsResult<Metadata, io::Error> {
        if node == FILE {
            Ok(self.metadata())
        } else {
            Ok(Metadata::new(FileType::Dir, Permissions::new(0o555)))
        }
    }

    fn readdir(&mut self, _: NodeId, from: DirCursor) -> FsResult<Option<DirEntry>, io::Error> {
        if !from.is_start() {
            return Ok(None);
        }
        let entry = DirEntry::new(
            Name::from_bytes(NAME),
            FILE,
            self.metadata(),
            DirCursor::from_raw(1),
        );
        entry.map(Some).or_else(|error| refuse(error.kind()))
    }

    fn readlink<'b>(&mut self, _: NodeId, _: &'b mut [u8]) -> FsResult<&'b [u8], io::Error> {
        refuse(ErrorKind::InvalidInput)
    }

    fn open(&mut self, _: NodeId, _: OpenMode) -> FsResult<(), io::Error> {
        Ok(())
    }

    fn close(&mut self, _: NodeId) -> FsResult<(), io::Error> {
        Ok(())
    }

    fn read(&mut self, _: NodeId, offset: u64, buffer: &mut [u8]) -> FsResult<usize, io::Error> {
        let read = self
            .file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.file.read(buffer));
        read.map_err(|error| Error::device(error, "cannot read the file"))
    }
}
