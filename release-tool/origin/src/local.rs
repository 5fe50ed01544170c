//! A published tree in a directory.

use crate::reader::{io_error, read_limited};
use crate::{ObjectPath, OriginError, OriginReader, Stream};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use vrel_model::{Sha256Digest, SignedPointer, Version};
use vrel_trust::{Digests, digest_bytes, digest_reader};
use vrel_world::{ErrorKind, FileKind, Lock, LockGuard, World, WorldError};

/// The directory of releases; its presence makes a directory an origin.
const RELEASES: &str = "releases";

/// Taken while the pointer is replaced. Hidden, so that it is never served.
const POINTER_LOCK: &str = ".pointer.lock";

/// What putting an object did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is there now.
    Created,
    /// It was there already with the same content; nothing was done.
    AlreadyThere,
}

/// An origin in a directory, for its publisher and for readers on the same machine.
pub struct LocalOrigin<'w> {
    world: &'w dyn World,
    dir: PathBuf,
}

impl<'w> LocalOrigin<'w> {
    /// Opens an origin.
    ///
    /// # Errors
    /// [`OriginError::NoOrigin`] when the directory is not there or holds no origin.
    pub fn open(world: &'w dyn World, dir: &Path) -> Result<Self, OriginError> {
        let kind = |path: &Path| {
            world
                .fs()
                .metadata(path)
                .map(|found| found.map(|metadata| metadata.kind))
        };
        let missing = |reason| OriginError::NoOrigin {
            origin: dir.display().to_string(),
            reason,
        };
        match kind(dir)? {
            Some(FileKind::Directory) => {}
            Some(_) => return Err(missing("it is not a directory")),
            None => return Err(missing("there is no such directory")),
        }
        match kind(&dir.join(RELEASES))? {
            Some(FileKind::Directory) => Ok(Self {
                world,
                dir: dir.to_owned(),
            }),
            _ => Err(missing("the directory has no `releases` in it")),
        }
    }

    /// Makes an origin where there is none yet; fine when it is there. Only for where a person asked for exactly this.
    ///
    /// # Errors
    /// When something else is there, or as any write.
    pub fn init(world: &'w dyn World, dir: &Path) -> Result<Self, OriginError> {
        let origin = Self {
            world,
            dir: dir.to_owned(),
        };
        let writes = world.fs().create_dir_all(&dir.join(RELEASES));
        writes.map_err(|error| origin.write_error(error))?;
        Self::open(world, dir)
    }

    /// The origin's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where an object lies, or would.
    #[must_use]
    pub fn path(&self, object: &ObjectPath) -> PathBuf {
        self.dir.join(object.as_str())
    }

    /// Whether the origin can be written, as far as that shows without publishing anything.
    ///
    /// # Errors
    /// [`OriginError::ReadOnly`], or [`OriginError::Locked`].
    pub fn check_writable(&self) -> Result<(), OriginError> {
        self.lock("a check").map(drop)
    }

    /// Puts an object that is not there yet.
    ///
    /// # Errors
    /// [`OriginError::Immutable`] when the name has other content already, which stays as it is; or as any write.
    pub fn put_new(&self, object: &ObjectPath, content: &[u8]) -> Result<Put, OriginError> {
        let put = |path: &Path| self.world.fs().create_new(path, content);
        self.put(object, &put, &|| Ok(digest_bytes(content)))
    }

    /// Puts a copy of a file as an object that is not there yet.
    ///
    /// # Errors
    /// As [`LocalOrigin::put_new`].
    pub fn put_file_new(&self, object: &ObjectPath, from: &Path) -> Result<Put, OriginError> {
        let put = |path: &Path| self.world.fs().copy_new(from, path);
        self.put(object, &put, &|| self.digest(from))
    }

    fn put(
        &self,
        object: &ObjectPath,
        put: &dyn Fn(&Path) -> vrel_world::Result<()>,
        content: &dyn Fn() -> Result<Digests, OriginError>,
    ) -> Result<Put, OriginError> {
        let path = self.path(object);
        // Asked first, so that a release that is resumed does not copy gigabytes to be told that they are there.
        if self.world.fs().metadata(&path)?.is_none() {
            if let Some(parent) = path.parent() {
                self.world
                    .fs()
                    .create_dir_all(parent)
                    .map_err(|error| self.write_error(error))?;
            }
            match put(&path) {
                Ok(()) => return Ok(Put::Created),
                Err(error) if error.kind == ErrorKind::Exists => {}
                Err(error) => return Err(self.write_error(error)),
            }
        }
        let (existing, new) = (self.digest(&path)?, content()?);
        if existing == new {
            return Ok(Put::AlreadyThere);
        }
        let (object, existing, new) = (object.to_string(), existing.sha256, new.sha256);
        Err(OriginError::Immutable {
            object,
            existing,
            new,
        })
    }

    fn digest(&self, path: &Path) -> Result<Digests, OriginError> {
        let reader = Interruptible {
            reader: self.world.fs().open(path)?,
            world: self.world,
        };
        digest_reader(reader).map_err(|error| crate::origin_error(&path.display().to_string(), error))
    }

    /// The bytes of the pointer; `None` when there is none yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn pointer(&self) -> Result<Option<Vec<u8>>, OriginError> {
        match OriginReader::read(self, &ObjectPath::pointer(), crate::MAX_DOCUMENT) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(OriginError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the pointer, if it still is the one whose digest is `expected` (`None`: if there is none). This is the
    /// moment at which a release becomes public. Doing it again is fine. `holder` tells others who holds the lock.
    ///
    /// # Errors
    /// [`OriginError::PointerMoved`] when the pointer is another one; [`OriginError::PointerVersion`] when the new one's
    /// version is not the old one's plus 1; [`OriginError::Locked`]; or as any write. The pointer is then as it was.
    pub fn swap_pointer(
        &self,
        expected: Option<Sha256Digest>,
        new: &SignedPointer,
        holder: &str,
    ) -> Result<Put, OriginError> {
        let version = |pointer: &SignedPointer| {
            let read = pointer.pointer().map(|pointer| pointer.version);
            read.map_err(|error| OriginError::Document {
                object: "pointer.json".to_owned(),
                reason: error.to_string(),
            })
        };
        let _guard = self.lock(holder)?;
        let (current, bytes) = (self.pointer()?, new.to_bytes());
        if current.as_ref() == Some(&bytes) {
            return Ok(Put::AlreadyThere);
        }
        let found = current.as_ref().map(|current| digest_bytes(current).sha256);
        if found != expected {
            return Err(OriginError::PointerMoved { expected, found });
        }
        let previous = match &current {
            None => 0,
            Some(current) => version(&SignedPointer::parse(current).map_err(vrel_trust::TrustError::from)?)?,
        };
        let new_version = version(new)?;
        if Some(new_version) != previous.checked_add(1) {
            return Err(OriginError::PointerVersion {
                previous,
                new: new_version,
            });
        }
        let written = self
            .world
            .fs()
            .write(&self.path(&ObjectPath::pointer()), &bytes, 0o644);
        written.map_err(|error| self.write_error(error))?;
        Ok(Put::Created)
    }

    fn lock(&self, holder: &str) -> Result<Box<dyn LockGuard>, OriginError> {
        let lock = self.world.fs().lock(&self.dir.join(POINTER_LOCK), holder);
        match lock.map_err(|error| self.write_error(error))? {
            Lock::Held(guard) => Ok(guard),
            Lock::Busy(holder) => Err(OriginError::Locked {
                origin: self.location(),
                holder,
            }),
        }
    }

    fn write_error(&self, error: WorldError) -> OriginError {
        match error.kind {
            ErrorKind::ReadOnly | ErrorKind::Denied => OriginError::ReadOnly {
                origin: self.location(),
                reason: error.to_string(),
            },
            _ => error.into(),
        }
    }

    fn open_object(&self, object: &ObjectPath) -> Result<impl Read + Send + '_, OriginError> {
        let not_found = || OriginError::NotFound {
            origin: self.location(),
            object: object.to_string(),
        };
        let path = self.path(object);
        match self.world.fs().metadata(&path)? {
            Some(metadata) if metadata.kind == FileKind::File => {}
            Some(_) => {
                return Err(OriginError::Read {
                    object: object.to_string(),
                    reason: "no file".to_owned(),
                });
            }
            None => return Err(not_found()),
        }
        match self.world.fs().open(&path) {
            Ok(reader) => Ok(Interruptible {
                reader,
                world: self.world,
            }),
            Err(error) if error.kind == ErrorKind::NotFound => Err(not_found()),
            Err(error) => Err(error.into()),
        }
    }
}

impl OriginReader for LocalOrigin<'_> {
    fn location(&self) -> String {
        self.dir.display().to_string()
    }

    fn read(&self, object: &ObjectPath, limit: u64) -> Result<Vec<u8>, OriginError> {
        read_limited(self.open_object(object)?, object.as_str(), limit)
    }

    fn open(&self, object: &ObjectPath, length: u64) -> Result<Box<dyn Read + Send + '_>, OriginError> {
        Ok(Box::new(Stream::new(
            self.open_object(object)?,
            object.as_str(),
            length,
        )))
    }

    fn list(&self, release: &Version) -> Result<Option<Vec<String>>, OriginError> {
        let entries = self
            .world
            .fs()
            .list(&self.dir.join(RELEASES).join(release.to_string()));
        match entries {
            Ok(entries) => Ok(Some(entries.into_iter().map(|entry| entry.name).collect())),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Some(Vec::new())),
            Err(error) => Err(error.into()),
        }
    }
}

/// Stops when the program was asked to.
struct Interruptible<'w, R> {
    reader: R,
    world: &'w dyn World,
}

impl<R: Read> Read for Interruptible<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.world
            .check_interrupt()
            .map_err(|error| io_error(error.into()))?;
        self.reader.read(out)
    }
}
