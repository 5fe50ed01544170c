//! Clients, their handles, and what these stand for.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Client, Handle, Limits, Server};
use crate::error::{Error, Result};
use crate::flags::Flags;
use crate::mount::Place;

/// What is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object {
    Node(Place),
    /// The reading end of the pipe with this number.
    Reader(u64),
    /// The writing end.
    Writer(u64),
}

/// An open file: what handles that are duplicates of each other share.
#[derive(Clone, Debug)]
pub(super) struct Description {
    pub(super) object: Object,
    pub(super) flags: Flags,
    /// Offset in a file, cursor in a directory.
    pub(super) position: u64,
    /// How many handles stand for it. Never 0.
    handles: u32,
}

/// Handles lead to descriptions, and every description has a handle.
#[derive(Default)]
pub(super) struct Table {
    clients: BTreeMap<Client, Vec<Option<u64>>>,
    descriptions: BTreeMap<u64, Description>,
}

impl Table {
    /// Whether the client may have so many handles more.
    pub(super) fn room(&self, client: Client, count: usize, limits: &Limits) -> Result<()> {
        let open = match self.clients.get(&client) {
            Some(handles) => handles.iter().flatten().count(),
            None if self.clients.len() >= limits.clients => return Err(Error::TooMany),
            None => 0,
        };
        if open + count > limits.handles {
            return Err(Error::TooManyOpen);
        }
        Ok(())
    }

    /// Adds a description with one handle. There must be [`room`](Self::room).
    pub(super) fn add(&mut self, client: Client, id: u64, object: Object, flags: Flags) -> Handle {
        let description = Description {
            object,
            flags,
            position: 0,
            handles: 1,
        };
        self.descriptions.insert(id, description);
        self.place(client, id)
    }

    /// Gives the description the lowest free handle.
    fn place(&mut self, client: Client, id: u64) -> Handle {
        let handles = self.clients.entry(client).or_default();
        let free = handles.iter().position(Option::is_none);
        let free = free.unwrap_or_else(|| {
            handles.push(None);
            handles.len() - 1
        });
        handles[free] = Some(id);
        Handle(free as u32)
    }

    pub(super) fn id(&self, client: Client, handle: Handle) -> Result<u64> {
        let handles = self.clients.get(&client).ok_or(Error::BadHandle)?;
        handles
            .get(handle.0 as usize)
            .copied()
            .flatten()
            .ok_or(Error::BadHandle)
    }

    pub(super) fn get(&self, client: Client, handle: Handle) -> Result<&Description> {
        let id = self.id(client, handle)?;
        self.descriptions.get(&id).ok_or(Error::BadHandle)
    }

    pub(super) fn get_mut(&mut self, client: Client, handle: Handle) -> Result<&mut Description> {
        let id = self.id(client, handle)?;
        self.descriptions.get_mut(&id).ok_or(Error::BadHandle)
    }

    /// The client's handles.
    pub(super) fn handles(&self, client: Client) -> Vec<Handle> {
        let handles = self.clients.get(&client).map(Vec::as_slice).unwrap_or_default();
        let used = handles.iter().enumerate().filter(|handle| handle.1.is_some());
        used.map(|(number, _)| Handle(number as u32)).collect()
    }

    /// Takes a handle away; the description, too, when it was the last.
    fn remove(&mut self, client: Client, handle: Handle) -> Result<Option<(u64, Description)>> {
        let id = self.id(client, handle)?;
        if let Some(handles) = self.clients.get_mut(&client) {
            handles[handle.0 as usize] = None;
            if handles.iter().all(Option::is_none) {
                self.clients.remove(&client);
            }
        }
        let description = self.descriptions.get_mut(&id).ok_or(Error::BadHandle)?;
        description.handles -= 1;
        Ok(match description.handles {
            0 => self.descriptions.remove(&id).map(|description| (id, description)),
            _ => None,
        })
    }
}

impl Server<'_> {
    pub(super) fn close(&mut self, client: Client, handle: Handle) -> Result<()> {
        if let Some((id, description)) = self.table.remove(client, handle)? {
            match description.object {
                Object::Node(place) => self.mounts.system_mut(place).release(place.node),
                Object::Reader(pipe) | Object::Writer(pipe) => self.close_end(id, description.object, pipe),
            }
        }
        Ok(())
    }

    /// Gives `to` a handle for the same description.
    pub(super) fn share(
        &mut self,
        from: Client,
        handle: Handle,
        to: Client,
        at: Option<Handle>,
    ) -> Result<Handle> {
        let id = self.table.id(from, handle)?;
        let replaced = at.filter(|&at| self.table.id(to, at).is_ok());
        if at.is_some_and(|at| at.0 as usize >= self.limits.handles) {
            return Err(Error::BadHandle);
        }
        if replaced.is_none() {
            self.table.room(to, 1, &self.limits)?;
        }
        let description = self.table.descriptions.get_mut(&id).ok_or(Error::BadHandle)?;
        description.handles += 1;
        let Some(at) = at else {
            return Ok(self.table.place(to, id));
        };
        // The description cannot go with the handle that makes room: it has one more by now.
        if replaced.is_some() {
            self.close(to, at)?;
        }
        let handles = self.table.clients.entry(to).or_default();
        let len = handles.len().max(at.0 as usize + 1);
        handles.resize(len, None);
        handles[at.0 as usize] = Some(id);
        Ok(at)
    }
}
