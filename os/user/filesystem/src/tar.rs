//! An archive as a file system that cannot be changed.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use kcore::tar::{Archive, TarError};

use crate::error::{Error, Result};
use crate::path::MAX_NAME;
use crate::system::{Entry, FileSystem, Kind, NodeId, Stat};

/// Why an archive cannot be a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadArchive<'a> {
    /// It is no archive that the system reads.
    Archive(TarError),
    /// This file has a name that no path leads to: it has a part that is empty, `.`, `..`, or too long.
    Name(&'a str),
    /// Two files have this name, or one is a directory of the other.
    Conflict(&'a str),
}

impl fmt::Display for BadArchive<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(error) => error.fmt(out),
            Self::Name(name) => write!(out, "initrd: no path leads to {name:?}"),
            Self::Conflict(name) => write!(
                out,
                "initrd: {name:?} comes twice, as a file and as something else"
            ),
        }
    }
}

/// The regular files of an archive and the directories that their names need. Contents are not copied.
///
/// A directory without any file is not there: the reader of archives does not tell of directories.
#[derive(Debug)]
pub struct TarFs<'a> {
    nodes: Vec<Node<'a>>,
}

#[derive(Debug)]
enum Node<'a> {
    File(&'a [u8]),
    Directory {
        names: BTreeMap<&'a str, usize>,
        /// The names in the order of the archive.
        order: Vec<&'a str>,
    },
}

impl Node<'_> {
    const EMPTY: Self = Self::Directory {
        names: BTreeMap::new(),
        order: Vec::new(),
    };
}

impl<'a> TarFs<'a> {
    /// Reads all headers of a ustar archive.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn new(bytes: &'a [u8]) -> core::result::Result<Self, BadArchive<'a>> {
        let mut new = Self {
            nodes: Vec::from([Node::EMPTY]),
        };
        for file in Archive::new(bytes) {
            let file = file.map_err(BadArchive::Archive)?;
            new.add(file.name, file.data)?;
        }
        Ok(new)
    }

    fn add(&mut self, path: &'a str, data: &'a [u8]) -> core::result::Result<(), BadArchive<'a>> {
        let (directories, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut at = 0;
        for part in directories.split('/').filter(|_| !directories.is_empty()) {
            at = self.child(at, part, path, None)?;
        }
        self.child(at, name, path, Some(data)).map(|_| ())
    }

    /// The index of the child with this name, which is made when it is a directory or new.
    fn child(
        &mut self,
        at: usize,
        name: &'a str,
        path: &'a str,
        data: Option<&'a [u8]>,
    ) -> core::result::Result<usize, BadArchive<'a>> {
        if matches!(name, "" | "." | "..") || name.len() > MAX_NAME {
            return Err(BadArchive::Name(path));
        }
        let new = self.nodes.len();
        let Some(Node::Directory { names, order }) = self.nodes.get_mut(at) else {
            return Err(BadArchive::Conflict(path));
        };
        match (names.get(name), data) {
            (Some(&old), None) => Ok(old),
            (Some(_), Some(_)) => Err(BadArchive::Conflict(path)),
            (None, _) => {
                names.insert(name, new);
                order.push(name);
                self.nodes.push(data.map_or(Node::EMPTY, Node::File));
                Ok(new)
            }
        }
    }

    fn node(&self, node: NodeId) -> Result<&Node<'a>> {
        usize::try_from(node.0)
            .ok()
            .and_then(|index| self.nodes.get(index))
            .ok_or(Error::NotFound)
    }
}

impl FileSystem for TarFs<'_> {
    fn root(&self) -> NodeId {
        NodeId(0)
    }

    fn stat(&self, node: NodeId) -> Result<Stat> {
        let (kind, len) = match self.node(node)? {
            Node::File(data) => (Kind::File, data.len() as u64),
            Node::Directory { .. } => (Kind::Directory, 0),
        };
        Ok(Stat {
            kind,
            len,
            node: node.0,
            system: 0,
            device: 0,
            modified: 0,
        })
    }

    fn lookup(&self, directory: NodeId, name: &str) -> Result<NodeId> {
        match self.node(directory)? {
            Node::Directory { names, .. } => {
                let index = names.get(name).ok_or(Error::NotFound)?;
                Ok(NodeId(*index as u64))
            }
            Node::File(_) => Err(Error::NotDirectory),
        }
    }

    fn read(&mut self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize> {
        let Node::File(data) = self.node(node)? else {
            return Err(Error::IsDirectory);
        };
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(data.len());
        let count = out.len().min(data.len() - start);
        out[..count].copy_from_slice(&data[start..start + count]);
        Ok(count)
    }

    fn entry(&self, directory: NodeId, cursor: u64) -> Result<Option<(u64, Entry)>> {
        let Node::Directory { order, .. } = self.node(directory)? else {
            return Err(Error::NotDirectory);
        };
        let Some(&name) = usize::try_from(cursor).ok().and_then(|index| order.get(index)) else {
            return Ok(None);
        };
        let node = self.lookup(directory, name)?;
        let kind = self.stat(node)?.kind;
        let name = name.into();
        Ok(Some((cursor + 1, Entry { name, node, kind })))
    }
}
