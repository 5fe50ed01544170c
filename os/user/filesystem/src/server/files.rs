//! Requests on handles.

use super::table::{Description, Object};
use super::{Client, Handle, Outcome, Server, reply, reply_with};
use crate::error::{Error, Result};
use crate::flags::Flags;
use crate::mount::Place;
use crate::path::Step;
use crate::request::Whence;
use crate::system::{Kind, Stat};

impl Server<'_> {
    pub(super) fn open(&mut self, client: Client, base: &[u8], path: &[u8], flags: u32) -> Result<Handle> {
        let flags = Flags::from_bits(flags)?;
        // Before anything is made: a file that nobody gets must not appear.
        self.table.room(client, 1, &self.limits)?;
        let mut parent = self.mounts.parent(base, path)?;
        // A slash says that it is a directory, and those are not made so.
        if parent.slash && flags.has(Flags::CREATE) && matches!(parent.last, Some(Step::Down(_))) {
            return Err(Error::IsDirectory);
        }
        let place = match (self.mounts.enter(&mut parent), parent.last) {
            (Ok(place), _) => {
                self.check_open(place, flags)?;
                place
            }
            (Err(Error::NotFound), Some(Step::Down(name))) if flags.has(Flags::CREATE) => {
                let directory = parent.directory;
                let system = self.mounts.system_mut(directory);
                let node = system.create(directory.node, name, Kind::File)?;
                Place { node, ..directory }
            }
            (Err(error), _) => return Err(error),
        };
        self.mounts.system_mut(place).retain(place.node);
        let id = self.number();
        Ok(self.table.add(client, id, Object::Node(place), flags))
    }

    /// Whether what is there can be opened so; drops its contents if that is asked for.
    fn check_open(&mut self, place: Place, flags: Flags) -> Result<()> {
        if flags.has(Flags::EXCLUSIVE) {
            return Err(Error::Exists);
        }
        let is_directory = self.mounts.stat(place)?.kind == Kind::Directory;
        if is_directory && (flags.has(Flags::WRITE) || flags.has(Flags::CREATE)) {
            return Err(Error::IsDirectory);
        }
        if !is_directory && flags.has(Flags::DIRECTORY) {
            return Err(Error::NotDirectory);
        }
        if flags.has(Flags::TRUNCATE) {
            self.mounts.system_mut(place).truncate(place.node, 0)?;
        }
        Ok(())
    }

    /// The description, if it was opened for that.
    fn open_for(&mut self, client: Client, handle: Handle, flag: Flags) -> Result<&mut Description> {
        let description = self.table.get_mut(client, handle)?;
        if description.flags.has(flag) {
            Ok(description)
        } else {
            Err(Error::BadHandle)
        }
    }

    pub(super) fn read(
        &mut self,
        client: Client,
        handle: Handle,
        out: &mut [u8],
        at: Option<u64>,
    ) -> Result<Outcome> {
        let description = self.open_for(client, handle, Flags::READ)?;
        let (flags, position) = (description.flags, description.position);
        let place = match description.object {
            Object::Node(place) => place,
            Object::Reader(_) | Object::Writer(_) if at.is_some() => return Err(Error::NotSeekable),
            Object::Reader(pipe) => return self.read_pipe(client, handle, pipe, out, flags),
            Object::Writer(_) => return Err(Error::BadHandle),
        };
        if let Some(outcome) = self.redirect(place)? {
            return Ok(outcome);
        }
        let system = self.mounts.system_mut(place);
        let count = system.read(place.node, at.unwrap_or(position), out)?;
        if at.is_none() {
            self.table.get_mut(client, handle)?.position += count as u64;
        }
        reply_with(count as u64, count)
    }

    pub(super) fn write(
        &mut self,
        client: Client,
        handle: Handle,
        data: &[u8],
        at: Option<u64>,
    ) -> Result<Outcome> {
        let description = self.open_for(client, handle, Flags::WRITE)?;
        let (flags, position) = (description.flags, description.position);
        let place = match description.object {
            Object::Node(place) => place,
            Object::Reader(_) | Object::Writer(_) if at.is_some() => return Err(Error::NotSeekable),
            Object::Writer(pipe) => return self.write_pipe(client, handle, pipe, data, flags),
            Object::Reader(_) => return Err(Error::BadHandle),
        };
        if let Some(outcome) = self.redirect(place)? {
            return Ok(outcome);
        }
        let offset = if flags.has(Flags::APPEND) {
            self.mounts.stat(place)?.len
        } else {
            at.unwrap_or(position)
        };
        let count = self.mounts.system_mut(place).write(place.node, offset, data)? as u64;
        if at.is_none() && count > 0 {
            self.table.get_mut(client, handle)?.position = offset + count;
        }
        reply(count)
    }

    /// The outcome for a device that another server has.
    fn redirect(&self, place: Place) -> Result<Option<Outcome>> {
        let device = self.mounts.stat(place)?.device;
        Ok((device != 0).then_some(Outcome::Redirect { device }))
    }

    pub(super) fn seek(
        &mut self,
        client: Client,
        handle: Handle,
        whence: Whence,
        offset: i64,
    ) -> Result<Outcome> {
        let description = self.table.get(client, handle)?;
        let Object::Node(place) = description.object else {
            return Err(Error::NotSeekable);
        };
        let stat = self.mounts.stat(place)?;
        if stat.kind == Kind::Directory && (whence != Whence::Start || offset != 0) {
            return Err(Error::NotSupported);
        }
        let from = match whence {
            Whence::Start => 0,
            Whence::Current => description.position,
            Whence::End => stat.len,
        };
        let position = from
            .checked_add_signed(offset)
            .filter(|&position| position <= i64::MAX as u64);
        let position = position.ok_or(Error::BadArgument)?;
        self.table.get_mut(client, handle)?.position = position;
        reply(position)
    }

    pub(super) fn truncate(&mut self, client: Client, handle: Handle, len: u64) -> Result<Outcome> {
        match self.open_for(client, handle, Flags::WRITE)?.object {
            Object::Node(place) => {
                self.mounts.system_mut(place).truncate(place.node, len)?;
                reply(0)
            }
            Object::Reader(_) | Object::Writer(_) => Err(Error::NotSupported),
        }
    }

    pub(super) fn stat(&self, client: Client, handle: Handle) -> Result<Stat> {
        match self.table.get(client, handle)?.object {
            Object::Node(place) => self.mounts.stat(place),
            Object::Reader(pipe) | Object::Writer(pipe) => Ok(Stat {
                kind: Kind::Pipe,
                len: self.pipes.get(&pipe).map_or(0, |pipe| pipe.len() as u64),
                node: pipe,
                system: u32::MAX,
                device: 0,
                modified: 0,
            }),
        }
    }

    pub(super) fn read_directory(
        &mut self,
        client: Client,
        handle: Handle,
        out: &mut [u8],
    ) -> Result<Outcome> {
        let description = self.table.get(client, handle)?;
        let Object::Node(place) = description.object else {
            return Err(Error::NotDirectory);
        };
        let system = self.mounts.system(place);
        let (mut cursor, mut len) = (description.position, 0);
        while let Some((next, entry)) = system.entry(place.node, cursor)? {
            match entry.encode(&mut out[len..]) {
                Some(written) => (cursor, len) = (next, len + written),
                // An empty answer would be the end of the directory.
                None if len == 0 => return Err(Error::BadArgument),
                None => break,
            }
        }
        self.table.get_mut(client, handle)?.position = cursor;
        reply_with(len as u64, len)
    }
}
