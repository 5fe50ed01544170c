//! The tree that the server serves.

use alloc::boxed::Box;
use core::fmt;

use clients::MAX_PARKED;
use filesystem::{
    BadArchive, DevFs, Error, Facts, FileSystem, Kind, Limits, MountError, NodeId, ProcFs, Quota, RamFs,
    Server, TarFs,
};
use kcore::tar::Archive;
use protocol::PROCESS_SERVER;

use crate::subtree::Subtree;

/// Number of the console among the devices.
pub const CONSOLE_DEVICE: u32 = 1;

/// Directories of the root.
const DIRECTORIES: [&str; 6] = ["bin", "dev", "etc", "home", "proc", "tmp"];

/// Files and directories in memory.
const NODES: usize = 8192;

/// How much memory the server has for what clients keep in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes in files. What pipes and handles hold comes on top.
    pub files: u64,
    /// Pipes at one time.
    pub pipes: usize,
}

/// Why there is no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeError<'a> {
    /// The archive is not one.
    Archive(BadArchive<'a>),
    /// This file of the archive's `etc` cannot be copied.
    Copy(&'a str, Error),
    /// Nothing can be mounted at this path.
    Mount(&'static str, MountError),
    /// A directory of the root cannot be made.
    Directory(&'static str, Error),
}

impl fmt::Display for TreeError<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(error) => error.fmt(out),
            Self::Copy(name, error) => write!(out, "/{name}: {error}"),
            Self::Mount(path, error) => write!(out, "{path}: cannot be mounted: {error:?}"),
            Self::Directory(name, error) => write!(out, "/{name}: {error}"),
        }
    }
}

/// Makes the tree: `/` in memory, so `/home` and `/tmp` too; `/etc` in memory with what the archive has in `etc`; `/bin`
/// the archive's `bin`, or all of it when it has none; `/dev`; `/proc` with what `facts` say.
///
/// # Errors
/// When the archive is none, and when its `etc` does not fit.
pub fn tree<'a>(archive: &'a [u8], facts: Box<dyn Facts>, room: Room) -> Result<Server<'a>, TreeError<'a>> {
    let programs = Subtree::new(TarFs::new(archive).map_err(TreeError::Archive)?, "bin");
    let mut root = RamFs::new(Quota {
        bytes: room.files,
        nodes: NODES,
    });
    for name in DIRECTORIES {
        let made = root.create(root.root(), name, Kind::Directory);
        made.map_err(|error| TreeError::Directory(name, error))?;
    }
    // An error of the archive would have shown above.
    for file in Archive::new(archive)
        .flatten()
        .filter(|file| file.name.starts_with("etc/"))
    {
        copy(&mut root, file.name, file.data).map_err(|error| TreeError::Copy(file.name, error))?;
    }
    let limits = Limits {
        handles: 64,
        pipes: 16,
        all_pipes: room.pipes,
        parked: 8,
        ..Limits::default()
    };
    const { assert!(MAX_PARKED > 8, "one client cannot take all places") };
    let mut server = Server::new(Box::new(root), limits, Some(PROCESS_SERVER));
    let mounts: [(&'static str, Box<dyn FileSystem + 'a>); 3] = [
        ("/bin", Box::new(programs)),
        ("/dev", Box::new(DevFs::new(CONSOLE_DEVICE, None))),
        ("/proc", Box::new(ProcFs::new(facts))),
    ];
    for (path, system) in mounts {
        server
            .mount(path, system)
            .map_err(|error| TreeError::Mount(path, error))?;
    }
    Ok(server)
}

/// Copies a file into a file system, with the directories that its name needs.
fn copy(to: &mut RamFs, path: &str, data: &[u8]) -> Result<(), Error> {
    let (directories, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut at: NodeId = to.root();
    for part in directories.split('/') {
        at = match to.lookup(at, part) {
            Err(Error::NotFound) => to.create(at, part, Kind::Directory)?,
            found => found?,
        };
    }
    let file = to.create(at, name, Kind::File)?;
    let mut done = 0;
    while done < data.len() {
        done += to.write(file, done as u64, &data[done..])?;
    }
    Ok(())
}
