//! What a file system is.

use alloc::string::String;

use crate::error::{Error, Result};

/// A file or directory of one file system. A file system never gives a number to a second node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// What a node is. The discriminant goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Bytes with a length.
    File = 1,
    /// Names of nodes.
    Directory = 2,
    /// Bytes that come from and go to something else than memory.
    Device = 3,
    /// Bytes that one side writes and the other reads.
    Pipe = 4,
}

impl Kind {
    /// The kind with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::File),
            2 => Some(Self::Directory),
            3 => Some(Self::Device),
            4 => Some(Self::Pipe),
            _ => None,
        }
    }
}

/// What is known about a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Length in bytes; 0 where that has no meaning. Generated files have 0, too: read them to the end.
    pub len: u64,
    /// Its number within the file system; for a pipe, the number of the pipe.
    pub node: u64,
    /// Number of the file system (its place in the order of mounting); `u32::MAX` for pipes.
    pub system: u32,
    /// Number of the device, for devices that others than this server serve; else 0.
    pub device: u32,
    /// When its contents changed last, in nanoseconds of the clock that the requests carry.
    pub modified: u64,
}

impl Stat {
    /// Length of the encoding in bytes.
    pub const BYTES: usize = 40;

    /// The encoding: kind, len, node, system and device, modified; 8 bytes each, little-endian.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let words = [
            self.kind as u64,
            self.len,
            self.node,
            u64::from(self.system) | u64::from(self.device) << 32,
            self.modified,
        ];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads an encoding; `None` when it is too short or has an unknown kind.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let word = |index: usize| {
            Some(u64::from_le_bytes(
                bytes.get(index * 8..index * 8 + 8)?.try_into().ok()?,
            ))
        };
        Some(Self {
            kind: Kind::from_number(u8::try_from(word(0)?).ok()?)?,
            len: word(1)?,
            node: word(2)?,
            system: word(3)? as u32,
            device: (word(3)? >> 32) as u32,
            modified: word(4)?,
        })
    }
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it names.
    pub node: NodeId,
    /// What that is.
    pub kind: Kind,
}

impl Entry {
    /// Writes the encoding (node number in 8 bytes, kind, length of the name, name) to the start of `out`.
    /// `None` when it does not fit.
    pub(crate) fn encode(&self, out: &mut [u8]) -> Option<usize> {
        let name = self.name.as_bytes();
        let out = out.get_mut(..10 + name.len())?;
        out[..8].copy_from_slice(&self.node.0.to_le_bytes());
        out[8] = self.kind as u8;
        out[9] = u8::try_from(name.len()).ok()?;
        out[10..].copy_from_slice(name);
        Some(out.len())
    }
}

/// Reads the entries that a `ReadDirectory` request has written. It ends at the first that is not whole.
#[derive(Clone, Debug)]
pub struct Listing<'a>(pub &'a [u8]);

impl Iterator for Listing<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let (head, rest) = self.0.split_at_checked(10)?;
        let (name, rest) = rest.split_at_checked(usize::from(head[9]))?;
        self.0 = rest;
        Some(Entry {
            name: core::str::from_utf8(name).ok()?.into(),
            node: NodeId(u64::from_le_bytes(head[..8].try_into().ok()?)),
            kind: Kind::from_number(head[8])?,
        })
    }
}

/// A tree of nodes. Names given to it are not empty, neither `.` nor `..`, without `/` and zero bytes, and not longer
/// than [`MAX_NAME`](crate::MAX_NAME). A node that is gone gives `NotFound`.
///
/// What a file system that cannot be changed does not have to write is here already.
pub trait FileSystem {
    /// The directory that everything else is in.
    fn root(&self) -> NodeId;

    /// What is known about a node; `system` is filled in by the server.
    ///
    /// # Errors
    /// `NotFound`.
    fn stat(&self, node: NodeId) -> Result<Stat>;

    /// The node with this name in a directory.
    ///
    /// # Errors
    /// `NotFound`; `NotDirectory` when `directory` is none.
    fn lookup(&self, directory: NodeId, name: &str) -> Result<NodeId>;

    /// Reads at an offset; 0 bytes at and behind the end.
    ///
    /// # Errors
    /// `IsDirectory`, `NotFound`.
    fn read(&mut self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize>;

    /// The first entry of a directory from `cursor` on, and the cursor behind it. Cursor 0 is the start. Entries that
    /// are there the whole time are met exactly once, whatever happens to the others meanwhile.
    ///
    /// # Errors
    /// `NotDirectory`, `NotFound`.
    fn entry(&self, directory: NodeId, cursor: u64) -> Result<Option<(u64, Entry)>>;

    /// Tells the time, in nanoseconds, before something is changed.
    fn clock(&mut self, _now: u64) {}

    /// Somebody has opened the node: it has to stay when its name goes.
    fn retain(&mut self, _node: NodeId) {}

    /// Takes one [`retain`](Self::retain) back.
    fn release(&mut self, _node: NodeId) {}

    /// Writes at an offset; gives how much of `data` was written, which is more than 0 unless `data` is empty.
    ///
    /// # Errors
    /// `NoSpace`, `TooLarge`, `IsDirectory`, `ReadOnly`, `NotFound`.
    fn write(&mut self, _node: NodeId, _offset: u64, _data: &[u8]) -> Result<usize> {
        Err(Error::ReadOnly)
    }

    /// Sets the length of a file; what is new is zero.
    ///
    /// # Errors
    /// `TooLarge`, `IsDirectory`, `ReadOnly`, `NotFound`.
    fn truncate(&mut self, _node: NodeId, _len: u64) -> Result<()> {
        Err(Error::ReadOnly)
    }

    /// Makes an empty file or directory.
    ///
    /// # Errors
    /// `Exists`, `NoSpace`, `ReadOnly`, `NotDirectory`, `NotFound`.
    fn create(&mut self, _directory: NodeId, _name: &str, _kind: Kind) -> Result<NodeId> {
        Err(Error::ReadOnly)
    }

    /// Takes a name away: of an empty directory if `kind` says directory, else of anything that is none.
    ///
    /// # Errors
    /// `NotFound`, `NotEmpty`, `NotDirectory`, `IsDirectory`, `ReadOnly`.
    fn remove(&mut self, _directory: NodeId, _name: &str, _kind: Kind) -> Result<()> {
        Err(Error::ReadOnly)
    }

    /// Gives a node another name, which then no longer names what it did; all at once.
    ///
    /// # Errors
    /// `NotFound`, `IntoItself`, `NotEmpty`, `NotDirectory`, `IsDirectory`, `ReadOnly`.
    fn rename(&mut self, _from: (NodeId, &str), _to: (NodeId, &str)) -> Result<()> {
        Err(Error::ReadOnly)
    }
}
