//! Files in memory.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{Error, Result};
use crate::system::{self, FileSystem, Kind, NodeId, Stat};

/// Bytes of a chunk, the unit in which files take memory.
const CHUNK: u64 = 4096;

/// Longest length of a file.
const MAX_LEN: u64 = i64::MAX as u64;

/// How much a [`RamFs`] may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Bytes in files, counted in chunks of 4 KiB; holes are free.
    pub bytes: u64,
    /// Files and directories, the root included.
    pub nodes: usize,
}

/// A file system in memory. Files are sparse: what was never written takes no memory.
#[derive(Debug)]
pub struct RamFs {
    nodes: BTreeMap<NodeId, Node>,
    /// Source of node numbers and of directory positions; neither comes twice.
    next: u64,
    quota: Quota,
    chunks: u64,
    now: u64,
}

#[derive(Debug)]
struct Node {
    body: Body,
    /// How often it is open.
    opens: u32,
    /// Whether a name leads to it. There are no hard links, so it is one at most.
    linked: bool,
    modified: u64,
}

#[derive(Debug)]
enum Body {
    File {
        chunks: BTreeMap<u64, Box<[u8]>>,
        len: u64,
    },
    Directory(Directory),
}

#[derive(Debug)]
struct Directory {
    parent: NodeId,
    /// The node, and the position in `order`.
    names: BTreeMap<String, (NodeId, u64)>,
    /// Names in the order in which they came: what makes listing stable.
    order: BTreeMap<u64, String>,
}

impl Directory {
    fn insert(&mut self, name: &str, node: NodeId, position: u64) {
        self.names.insert(name.into(), (node, position));
        self.order.insert(position, name.into());
    }

    fn take(&mut self, name: &str) {
        if let Some((_, position)) = self.names.remove(name) {
            self.order.remove(&position);
        }
    }
}

impl RamFs {
    const ROOT: NodeId = NodeId(1);

    /// An empty file system.
    pub fn new(quota: Quota) -> Self {
        let mut new = Self {
            nodes: BTreeMap::new(),
            next: 2,
            quota,
            chunks: 0,
            now: 0,
        };
        new.nodes
            .insert(Self::ROOT, Node::new(Body::directory(Self::ROOT), 0));
        new
    }

    /// How much it holds now, as the quota counts.
    pub fn used(&self) -> Quota {
        Quota {
            bytes: self.chunks * CHUNK,
            nodes: self.nodes.len(),
        }
    }

    fn node(&self, node: NodeId) -> Result<&Node> {
        self.nodes.get(&node).ok_or(Error::NotFound)
    }

    fn directory(&self, node: NodeId) -> Result<&Directory> {
        match &self.node(node)?.body {
            Body::Directory(directory) => Ok(directory),
            Body::File { .. } => Err(Error::NotDirectory),
        }
    }

    fn directory_mut(&mut self, node: NodeId) -> Result<&mut Directory> {
        let now = self.now;
        let node = self.nodes.get_mut(&node).ok_or(Error::NotFound)?;
        node.modified = now;
        match &mut node.body {
            Body::Directory(directory) => Ok(directory),
            Body::File { .. } => Err(Error::NotDirectory),
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Whether `node` is `below` or one of the directories that it is in.
    fn is_within(&self, mut below: NodeId, node: NodeId) -> bool {
        loop {
            if below == node {
                return true;
            }
            match self.directory(below) {
                Ok(directory) if directory.parent != below => below = directory.parent,
                _ => return false,
            }
        }
    }

    /// Drops the node when neither a name nor a handle leads to it.
    fn drop_if_unused(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get(&id) else { return };
        if node.linked || node.opens > 0 {
            return;
        }
        if let Body::File { chunks, .. } = &node.body {
            self.chunks -= chunks.len() as u64;
        }
        self.nodes.remove(&id);
    }

    fn unlink(&mut self, directory: NodeId, name: &str, node: NodeId) -> Result<()> {
        self.directory_mut(directory)?.take(name);
        if let Some(node) = self.nodes.get_mut(&node) {
            node.linked = false;
        }
        self.drop_if_unused(node);
        Ok(())
    }

    /// Whether `kind` can be taken away in the place of, or as, what has that name.
    fn check_removal(&self, node: NodeId, kind: Kind) -> Result<()> {
        match (&self.node(node)?.body, kind) {
            (Body::Directory(directory), Kind::Directory) if !directory.names.is_empty() => {
                Err(Error::NotEmpty)
            }
            (Body::Directory(_), Kind::Directory) => Ok(()),
            (Body::Directory(_), _) => Err(Error::IsDirectory),
            (Body::File { .. }, Kind::Directory) => Err(Error::NotDirectory),
            (Body::File { .. }, _) => Ok(()),
        }
    }
}

impl Node {
    fn new(body: Body, modified: u64) -> Self {
        Self {
            body,
            opens: 0,
            linked: true,
            modified,
        }
    }

    fn kind(&self) -> Kind {
        match self.body {
            Body::File { .. } => Kind::File,
            Body::Directory(_) => Kind::Directory,
        }
    }
}

impl Body {
    fn directory(parent: NodeId) -> Self {
        Self::Directory(Directory {
            parent,
            names: BTreeMap::new(),
            order: BTreeMap::new(),
        })
    }
}

/// A chunk of zeros, unless memory is used up.
fn chunk() -> Result<Box<[u8]>> {
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(CHUNK as usize)
        .map_err(|_| Error::NoSpace)?;
    bytes.resize(CHUNK as usize, 0);
    Ok(bytes.into_boxed_slice())
}

/// The pieces of `offset..offset + len` by chunk: index of the chunk, where in it, and where in the range.
fn pieces(
    offset: u64,
    len: usize,
) -> impl Iterator<Item = (u64, core::ops::Range<usize>, core::ops::Range<usize>)> {
    let mut done = 0;
    core::iter::from_fn(move || {
        let at = offset + done as u64;
        let within = (at % CHUNK) as usize;
        let count = (len - done).min(CHUNK as usize - within);
        done += count;
        (count > 0).then(|| (at / CHUNK, within..within + count, done - count..done))
    })
}

impl FileSystem for RamFs {
    fn root(&self) -> NodeId {
        Self::ROOT
    }

    fn stat(&self, id: NodeId) -> Result<Stat> {
        let node = self.node(id)?;
        let len = match node.body {
            Body::File { len, .. } => len,
            Body::Directory(_) => 0,
        };
        Ok(Stat {
            kind: node.kind(),
            len,
            node: id.0,
            system: 0,
            device: 0,
            modified: node.modified,
        })
    }

    fn lookup(&self, directory: NodeId, name: &str) -> Result<NodeId> {
        let names = &self.directory(directory)?.names;
        names.get(name).map(|&(node, _)| node).ok_or(Error::NotFound)
    }

    fn read(&mut self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize> {
        let Body::File { chunks, len } = &self.node(node)?.body else {
            return Err(Error::IsDirectory);
        };
        let rest = usize::try_from(len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = out.len().min(rest);
        for (index, within, place) in pieces(offset, count) {
            match chunks.get(&index) {
                Some(chunk) => out[place].copy_from_slice(&chunk[within]),
                None => out[place].fill(0),
            }
        }
        Ok(count)
    }

    fn entry(&self, directory: NodeId, cursor: u64) -> Result<Option<(u64, system::Entry)>> {
        let directory = self.directory(directory)?;
        let Some((&position, name)) = directory.order.range(cursor..).next() else {
            return Ok(None);
        };
        let &(node, _) = directory.names.get(name).ok_or(Error::NotFound)?;
        let entry = system::Entry {
            name: name.clone(),
            node,
            kind: self.node(node)?.kind(),
        };
        Ok(Some((position + 1, entry)))
    }

    fn clock(&mut self, now: u64) {
        self.now = now;
    }

    fn retain(&mut self, node: NodeId) {
        if let Some(node) = self.nodes.get_mut(&node) {
            node.opens += 1;
        }
    }

    fn release(&mut self, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.opens = node.opens.saturating_sub(1);
        }
        self.drop_if_unused(id);
    }

    fn write(&mut self, node: NodeId, offset: u64, data: &[u8]) -> Result<usize> {
        let node = self.nodes.get_mut(&node).ok_or(Error::NotFound)?;
        let Body::File { chunks, len } = &mut node.body else {
            return Err(Error::IsDirectory);
        };
        let room = MAX_LEN.saturating_sub(offset);
        if room == 0 && !data.is_empty() {
            return Err(Error::TooLarge);
        }
        let count = data.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let mut written = 0;
        for (index, within, place) in pieces(offset, count) {
            let chunk = match chunks.entry(index) {
                Entry::Occupied(chunk) => chunk.into_mut(),
                Entry::Vacant(hole) => {
                    let fits = (self.chunks + 1)
                        .checked_mul(CHUNK)
                        .is_some_and(|bytes| bytes <= self.quota.bytes);
                    match if fits { chunk() } else { Err(Error::NoSpace) } {
                        Ok(chunk) => {
                            self.chunks += 1;
                            hole.insert(chunk)
                        }
                        Err(error) if written == 0 => return Err(error),
                        // What came before is in the file: the caller has to be told how much that is.
                        Err(_) => break,
                    }
                }
            };
            chunk[within].copy_from_slice(&data[place.clone()]);
            written = place.end;
        }
        if written > 0 {
            *len = (*len).max(offset + written as u64);
            node.modified = self.now;
        }
        Ok(written)
    }

    fn truncate(&mut self, node: NodeId, new: u64) -> Result<()> {
        let node = self.nodes.get_mut(&node).ok_or(Error::NotFound)?;
        let Body::File { chunks, len } = &mut node.body else {
            return Err(Error::IsDirectory);
        };
        if new > MAX_LEN {
            return Err(Error::TooLarge);
        }
        if new < *len {
            let gone = chunks.split_off(&new.div_ceil(CHUNK));
            self.chunks -= gone.len() as u64;
            // The rest of the last chunk must read as zeros when the file grows again.
            if let Some(last) = chunks.get_mut(&(new / CHUNK)) {
                last[(new % CHUNK) as usize..].fill(0);
            }
        }
        *len = new;
        node.modified = self.now;
        Ok(())
    }

    fn create(&mut self, directory: NodeId, name: &str, kind: Kind) -> Result<NodeId> {
        let within = self.node(directory)?;
        // A directory that has lost its name gets no new entries: nothing could ever reach them.
        if !within.linked {
            return Err(Error::NotFound);
        }
        if self.directory(directory)?.names.contains_key(name) {
            return Err(Error::Exists);
        }
        if self.nodes.len() >= self.quota.nodes {
            return Err(Error::NoSpace);
        }
        let body = match kind {
            Kind::File => Body::File {
                chunks: BTreeMap::new(),
                len: 0,
            },
            Kind::Directory => Body::directory(directory),
            Kind::Device | Kind::Pipe => return Err(Error::NotSupported),
        };
        let (node, position) = (NodeId(self.number()), self.number());
        self.directory_mut(directory)?.insert(name, node, position);
        self.nodes.insert(node, Node::new(body, self.now));
        Ok(node)
    }

    fn remove(&mut self, directory: NodeId, name: &str, kind: Kind) -> Result<()> {
        let node = self.lookup(directory, name)?;
        self.check_removal(node, kind)?;
        self.unlink(directory, name, node)
    }

    fn rename(&mut self, from: (NodeId, &str), to: (NodeId, &str)) -> Result<()> {
        let node = self.lookup(from.0, from.1)?;
        if !self.node(to.0)?.linked {
            return Err(Error::NotFound);
        }
        if self.is_within(to.0, node) {
            return Err(Error::IntoItself);
        }
        match self.lookup(to.0, to.1) {
            Ok(old) if old == node => return Ok(()),
            // It has what is to be moved in it, whatever kind that is.
            Ok(old) if self.is_within(from.0, old) => return Err(Error::NotEmpty),
            Ok(old) => {
                self.check_removal(old, self.node(node)?.kind())?;
                self.unlink(to.0, to.1, old)?;
            }
            Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
        let position = self.number();
        self.directory_mut(from.0)?.take(from.1);
        self.directory_mut(to.0)?.insert(to.1, node, position);
        if let Some(Body::Directory(moved)) = self.nodes.get_mut(&node).map(|node| &mut node.body) {
            moved.parent = to.0;
        }
        Ok(())
    }
}
