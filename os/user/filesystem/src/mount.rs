//! The one tree that mounted file systems make, and walking in it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{Error, Result};
use crate::path::{MAX_NAME, Step, check, steps};
use crate::system::{FileSystem, Kind, NodeId, Stat};

/// A node, and the file system that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) system: usize,
    pub(crate) node: NodeId,
}

/// Why a file system was not mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountError {
    /// The path does not lead to a directory.
    Path(Error),
    /// Something is mounted there already.
    Taken,
}

/// The file systems; the first one is the root.
pub(crate) struct Mounts<'a> {
    mounts: Vec<Mount<'a>>,
}

struct Mount<'a> {
    /// The directory that it hides; its own root for the first.
    over: Place,
    system: Box<dyn FileSystem + 'a>,
}

/// A path whose last step is not taken.
pub(crate) struct Parent<'p> {
    /// The directory that the steps before lead to.
    pub(crate) directory: Place,
    /// The last step; `None` when the path has none.
    pub(crate) last: Option<Step<'p>>,
    /// Whether a slash follows, so that it has to be a directory.
    pub(crate) slash: bool,
    trail: Trail<'p>,
}

/// The way from the root: every directory on it, so that `..` needs no look into a file system.
struct Trail<'p> {
    root: Place,
    steps: Vec<(Place, &'p str)>,
}

impl Trail<'_> {
    fn end(&self) -> Place {
        self.steps.last().map_or(self.root, |step| step.0)
    }
}

impl<'a> Mounts<'a> {
    pub(crate) fn new(root: Box<dyn FileSystem + 'a>) -> Self {
        let over = Place {
            system: 0,
            node: root.root(),
        };
        Self {
            mounts: Vec::from([Mount { over, system: root }]),
        }
    }

    pub(crate) fn mount(
        &mut self,
        path: &str,
        system: Box<dyn FileSystem + 'a>,
    ) -> core::result::Result<(), MountError> {
        let over = self.find(b"", path.as_bytes()).map_err(MountError::Path)?;
        if self.stat(over).map_err(MountError::Path)?.kind != Kind::Directory {
            return Err(MountError::Path(Error::NotDirectory));
        }
        // A walk ends in the root of what is mounted, never in what that hides.
        if over.node == self.system(over).root() {
            return Err(MountError::Taken);
        }
        self.mounts.push(Mount { over, system });
        Ok(())
    }

    pub(crate) fn system(&self, place: Place) -> &(dyn FileSystem + 'a) {
        &*self.mounts[place.system].system
    }

    pub(crate) fn system_mut(&mut self, place: Place) -> &mut (dyn FileSystem + 'a) {
        &mut *self.mounts[place.system].system
    }

    pub(crate) fn clock(&mut self, now: u64) {
        for mount in &mut self.mounts {
            mount.system.clock(now);
        }
    }

    pub(crate) fn stat(&self, place: Place) -> Result<Stat> {
        let stat = self.system(place).stat(place.node)?;
        Ok(Stat {
            system: place.system as u32,
            ..stat
        })
    }

    /// Whether a file system is mounted over the entry, so that it can neither go nor be replaced.
    pub(crate) fn is_mount_point(&self, directory: Place, name: &str) -> bool {
        let node = self.system(directory).lookup(directory.node, name);
        node.is_ok_and(|node| self.covering(Place { node, ..directory }).is_some())
    }

    /// The root of what is mounted over a node.
    fn covering(&self, place: Place) -> Option<Place> {
        let system = self.mounts.iter().skip(1).position(|mount| mount.over == place)? + 1;
        Some(Place {
            system,
            node: self.mounts[system].system.root(),
        })
    }

    fn take<'p>(&self, trail: &mut Trail<'p>, step: Step<'p>) -> Result<()> {
        let at = trail.end();
        // Only a directory has `.` and `..`.
        if self.system(at).stat(at.node)?.kind != Kind::Directory {
            return Err(Error::NotDirectory);
        }
        match step {
            Step::Stay => {}
            Step::Up => {
                trail.steps.pop();
            }
            Step::Down(name) => {
                if name.len() > MAX_NAME {
                    return Err(Error::NameTooLong);
                }
                let node = self.system(at).lookup(at.node, name)?;
                let place = Place { node, ..at };
                trail.steps.push((self.covering(place).unwrap_or(place), name));
            }
        }
        Ok(())
    }

    /// Takes all steps but the last. `base` is an absolute path, or empty for the root; an absolute path ignores it.
    pub(crate) fn parent<'p>(&self, base: &'p [u8], path: &'p [u8]) -> Result<Parent<'p>> {
        let path = check(path)?;
        if path.is_empty() {
            return Err(Error::NotFound);
        }
        let mut trail = Trail {
            root: self.mounts[0].over,
            steps: Vec::new(),
        };
        if !path.starts_with('/') {
            let base = check(base)?;
            if !base.is_empty() && !base.starts_with('/') {
                return Err(Error::BadArgument);
            }
            for step in steps(base) {
                self.take(&mut trail, step)?;
            }
        }
        let mut steps = steps(path);
        let last = steps.next_back();
        for step in steps {
            self.take(&mut trail, step)?;
        }
        let directory = trail.end();
        if self.system(directory).stat(directory.node)?.kind != Kind::Directory {
            return Err(Error::NotDirectory);
        }
        if matches!(last, Some(Step::Down(name)) if name.len() > MAX_NAME) {
            return Err(Error::NameTooLong);
        }
        Ok(Parent {
            directory,
            last,
            slash: path.ends_with('/'),
            trail,
        })
    }

    /// Takes the last step, too.
    pub(crate) fn enter(&self, parent: &mut Parent<'_>) -> Result<Place> {
        if let Some(step) = parent.last {
            self.take(&mut parent.trail, step)?;
        }
        let place = parent.trail.end();
        if parent.slash && self.system(place).stat(place.node)?.kind != Kind::Directory {
            return Err(Error::NotDirectory);
        }
        Ok(place)
    }

    /// Where a path leads.
    pub(crate) fn find(&self, base: &[u8], path: &[u8]) -> Result<Place> {
        self.enter(&mut self.parent(base, path)?)
    }

    /// The absolute path without `.`, `..` and doubled slashes of what is there.
    pub(crate) fn canonical(&self, base: &[u8], path: &[u8]) -> Result<String> {
        let mut parent = self.parent(base, path)?;
        self.enter(&mut parent)?;
        let mut text = String::new();
        for (_, name) in &parent.trail.steps {
            text.push('/');
            text.push_str(name);
        }
        if text.is_empty() {
            text.push('/');
        }
        Ok(text)
    }
}
