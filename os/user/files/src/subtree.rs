//! A directory of a file system as a file system of its own.

use filesystem::{Entry, FileSystem, NodeId, Result, Stat, TarFs};

/// What lies below a directory of an archive.
#[derive(Debug)]
pub struct Subtree<'a> {
    archive: TarFs<'a>,
    root: NodeId,
}

impl<'a> Subtree<'a> {
    /// The directory with this name in the archive's root, or all of the archive when it has none.
    pub fn new(archive: TarFs<'a>, name: &str) -> Self {
        let whole = archive.root();
        let found = archive.lookup(whole, name);
        let directory = found.ok().filter(|&node| archive.entry(node, 0).is_ok());
        Self {
            root: directory.unwrap_or(whole),
            archive,
        }
    }
}

impl FileSystem for Subtree<'_> {
    fn root(&self) -> NodeId {
        self.root
    }

    fn stat(&self, node: NodeId) -> Result<Stat> {
        self.archive.stat(node)
    }

    fn lookup(&self, directory: NodeId, name: &str) -> Result<NodeId> {
        self.archive.lookup(directory, name)
    }

    fn read(&mut self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize> {
        self.archive.read(node, offset, out)
    }

    fn entry(&self, directory: NodeId, cursor: u64) -> Result<Option<(u64, Entry)>> {
        self.archive.entry(directory, cursor)
    }
}
