//! Devices as files.

use alloc::boxed::Box;

use crate::error::{Error, Result};
use crate::system::{Entry, FileSystem, Kind, NodeId, Stat};

/// Where random bytes come from. It has to be good enough for keys.
pub trait Entropy {
    /// Fills `out`.
    fn fill(&mut self, out: &mut [u8]);
}

/// `null`, `zero`, `console`, and `random` when there is a source of entropy.
///
/// The console is only a mark here: reading and writing gives [`Outcome::Redirect`](crate::Outcome::Redirect).
pub struct DevFs {
    console: u32,
    entropy: Option<Box<dyn Entropy>>,
}

const ROOT: NodeId = NodeId(0);
const NULL: NodeId = NodeId(1);
const ZERO: NodeId = NodeId(2);
const CONSOLE: NodeId = NodeId(3);
const RANDOM: NodeId = NodeId(4);
const NAMES: [(&str, NodeId); 4] = [
    ("null", NULL),
    ("zero", ZERO),
    ("console", CONSOLE),
    ("random", RANDOM),
];

impl DevFs {
    /// The devices. `console` is the number, not 0, that clients are referred to for the console.
    pub fn new(console: u32, entropy: Option<Box<dyn Entropy>>) -> Self {
        Self { console, entropy }
    }

    fn has(&self, node: NodeId) -> bool {
        node.0 <= CONSOLE.0 || (node == RANDOM && self.entropy.is_some())
    }
}

impl FileSystem for DevFs {
    fn root(&self) -> NodeId {
        ROOT
    }

    fn stat(&self, node: NodeId) -> Result<Stat> {
        if !self.has(node) {
            return Err(Error::NotFound);
        }
        Ok(Stat {
            kind: if node == ROOT {
                Kind::Directory
            } else {
                Kind::Device
            },
            len: 0,
            node: node.0,
            system: 0,
            device: if node == CONSOLE { self.console } else { 0 },
            modified: 0,
        })
    }

    fn lookup(&self, directory: NodeId, name: &str) -> Result<NodeId> {
        if directory != ROOT {
            return Err(Error::NotDirectory);
        }
        let device = NAMES.iter().find(|device| device.0 == name);
        device
            .map(|device| device.1)
            .filter(|&node| self.has(node))
            .ok_or(Error::NotFound)
    }

    fn read(&mut self, node: NodeId, _offset: u64, out: &mut [u8]) -> Result<usize> {
        match (node, &mut self.entropy) {
            (NULL, _) => return Ok(0),
            (ZERO, _) => out.fill(0),
            (RANDOM, Some(entropy)) => entropy.fill(out),
            (ROOT, _) => return Err(Error::IsDirectory),
            (CONSOLE, _) => return Err(Error::NotSupported),
            _ => return Err(Error::NotFound),
        }
        Ok(out.len())
    }

    fn entry(&self, directory: NodeId, cursor: u64) -> Result<Option<(u64, Entry)>> {
        if directory != ROOT {
            return Err(Error::NotDirectory);
        }
        let device = usize::try_from(cursor).ok().and_then(|index| NAMES.get(index));
        Ok(device.filter(|device| self.has(device.1)).map(|&(name, node)| {
            let entry = Entry {
                name: name.into(),
                node,
                kind: Kind::Device,
            };
            (cursor + 1, entry)
        }))
    }

    fn write(&mut self, node: NodeId, _offset: u64, data: &[u8]) -> Result<usize> {
        match node {
            NULL | ZERO => Ok(data.len()),
            ROOT => Err(Error::IsDirectory),
            CONSOLE => Err(Error::NotSupported),
            _ => Err(Error::ReadOnly),
        }
    }

    /// Nothing to cut: opening a device as a file to be overwritten is fine.
    fn truncate(&mut self, node: NodeId, _len: u64) -> Result<()> {
        match self.stat(node)?.kind {
            Kind::Directory => Err(Error::IsDirectory),
            _ => Ok(()),
        }
    }
}
