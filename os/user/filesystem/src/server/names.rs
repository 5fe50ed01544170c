//! Requests that change names.

use super::{Outcome, Server, reply};
use crate::error::{Error, Result};
use crate::path::Step;
use crate::system::Kind;

impl Server<'_> {
    pub(super) fn make_directory(&mut self, base: &[u8], path: &[u8]) -> Result<Outcome> {
        let parent = self.mounts.parent(base, path)?;
        let Some(Step::Down(name)) = parent.last else {
            return Err(Error::Exists);
        };
        let system = self.mounts.system_mut(parent.directory);
        system.create(parent.directory.node, name, Kind::Directory)?;
        reply(0)
    }

    pub(super) fn remove_file(&mut self, base: &[u8], path: &[u8]) -> Result<Outcome> {
        let mut parent = self.mounts.parent(base, path)?;
        let Some(Step::Down(name)) = parent.last else {
            return Err(Error::IsDirectory);
        };
        if parent.slash {
            self.mounts.enter(&mut parent)?;
        }
        let system = self.mounts.system_mut(parent.directory);
        system.remove(parent.directory.node, name, Kind::File)?;
        reply(0)
    }

    pub(super) fn remove_directory(&mut self, base: &[u8], path: &[u8]) -> Result<Outcome> {
        let parent = self.mounts.parent(base, path)?;
        let name = match parent.last {
            Some(Step::Down(name)) => name,
            Some(Step::Stay) => return Err(Error::BadArgument),
            Some(Step::Up) => return Err(Error::NotEmpty),
            None => return Err(Error::Busy),
        };
        if self.mounts.is_mount_point(parent.directory, name) {
            return Err(Error::Busy);
        }
        let system = self.mounts.system_mut(parent.directory);
        system.remove(parent.directory.node, name, Kind::Directory)?;
        reply(0)
    }

    pub(super) fn rename(&mut self, base: &[u8], old: &[u8], new: &[u8]) -> Result<Outcome> {
        let from = self.mounts.parent(base, old)?;
        let to = self.mounts.parent(base, new)?;
        if from.directory.system != to.directory.system {
            return Err(Error::CrossDevice);
        }
        let (Some(Step::Down(old)), Some(Step::Down(new))) = (from.last, to.last) else {
            return Err(Error::Busy);
        };
        let system = self.mounts.system(from.directory);
        let node = system.lookup(from.directory.node, old)?;
        if (from.slash || to.slash) && system.stat(node)?.kind != Kind::Directory {
            return Err(Error::NotDirectory);
        }
        if self.mounts.is_mount_point(from.directory, old) || self.mounts.is_mount_point(to.directory, new) {
            return Err(Error::Busy);
        }
        let system = self.mounts.system_mut(from.directory);
        system.rename((from.directory.node, old), (to.directory.node, new))?;
        reply(0)
    }
}
