//! Files.

use crate::Result;
use std::io::{Read, Seek, Write};
use std::ops::Range;
use std::path::Path;

/// A readable, seekable stream.
pub trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// A file in the making: it has its name only after [`OutFile::commit`]; dropped before, it leaves nothing.
pub trait OutFile: Read + Write + Seek + Send {
    /// Makes the content durable and gives the file its name, replacing what had the name before.
    ///
    /// # Errors
    /// As any write; the file that had the name before is then still there.
    fn commit(self: Box<Self>) -> Result<()>;
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link or a special file.
    Other,
}

/// What is known of a file without reading it. Symbolic links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: FileKind,
    /// Length in bytes.
    pub len: u64,
    /// Unix permission bits, 0 to 0o7777.
    pub mode: u32,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, without the directory.
    pub name: String,
    /// What it is (a symbolic link is `Other`).
    pub kind: FileKind,
}

/// Held as long as it lives; the system releases it when the process dies, however it dies.
pub trait LockGuard: Send {}

/// The outcome of trying to take a lock.
pub enum Lock {
    /// Taken.
    Held(Box<dyn LockGuard>),
    /// Somebody else holds it; the text is what the holder wrote about itself.
    Busy(String),
}

/// The file system.
pub trait Fs: Send + Sync {
    /// The whole content of a file.
    ///
    /// # Errors
    /// When there is no such file or it cannot be read.
    fn read(&self, path: &Path) -> Result<Vec<u8>>;

    /// Opens a file for reading piece by piece.
    ///
    /// # Errors
    /// When there is no such file or it cannot be read.
    fn open(&self, path: &Path) -> Result<Box<dyn ReadSeek>>;

    /// The parts of a file that may hold something other than zeros: byte ranges, ascending, none of them empty. What lies
    /// between them reads as zeros and takes no space. Where the file system does not know, it is the whole file.
    ///
    /// # Errors
    /// When there is no such file or it cannot be read.
    fn extents(&self, path: &Path) -> Result<Vec<Range<u64>>>;

    /// What is known of a path; `None` when nothing has that name.
    ///
    /// # Errors
    /// When the question cannot be answered, for example in a directory that may not be searched.
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>>;

    /// The names in a directory, sorted. Names that are not UTF-8 are an error.
    ///
    /// # Errors
    /// When there is no such directory or it cannot be read.
    fn list(&self, path: &Path) -> Result<Vec<Entry>>;

    /// Bytes that this user can still write to the file system of the path, or of its nearest existing ancestor.
    ///
    /// # Errors
    /// When the system does not say.
    fn free_space(&self, path: &Path) -> Result<u64>;

    /// Makes a directory and its ancestors; fine when it is there.
    ///
    /// # Errors
    /// As any write.
    fn create_dir_all(&self, path: &Path) -> Result<()>;

    /// Writes a file as a whole with the given permission bits, atomically and durably, replacing what was there. Makes
    /// no directories.
    ///
    /// # Errors
    /// As any write; what was there is then still there.
    fn write(&self, path: &Path, content: &[u8], mode: u32) -> Result<()>;

    /// As [`Fs::write`] with mode 0o644, but fails with [`crate::ErrorKind::Exists`] when the name is taken.
    ///
    /// # Errors
    /// As any write.
    fn create_new(&self, path: &Path, content: &[u8]) -> Result<()>;

    /// Adds bytes at the end of a file (made when missing) and makes them durable before it returns.
    ///
    /// # Errors
    /// As any write. A process that dies within may leave a part of the bytes.
    fn append(&self, path: &Path, content: &[u8]) -> Result<()>;

    /// Starts a file that is too large to be held in memory.
    ///
    /// # Errors
    /// As any write.
    fn create(&self, path: &Path) -> Result<Box<dyn OutFile>>;

    /// Copies a file to a new name, atomically and durably; fails with [`crate::ErrorKind::Exists`] when the name is
    /// taken.
    ///
    /// # Errors
    /// As any write.
    fn copy_new(&self, from: &Path, to: &Path) -> Result<()>;

    /// Gives a file or directory another name on the same file system, replacing a file of that name.
    ///
    /// # Errors
    /// As any write.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Sets the permission bits of a file.
    ///
    /// # Errors
    /// When there is no such file, or it belongs to somebody else.
    fn set_mode(&self, path: &Path, mode: u32) -> Result<()>;

    /// Removes a file; fine when it is gone.
    ///
    /// # Errors
    /// As any write.
    fn remove_file(&self, path: &Path) -> Result<()>;

    /// Removes a directory with all that is in it; fine when it is gone.
    ///
    /// # Errors
    /// As any write.
    fn remove_dir_all(&self, path: &Path) -> Result<()>;

    /// Tries to take an exclusive lock on a file (made when missing), without waiting. `holder` is written into the file
    /// for others to read.
    ///
    /// # Errors
    /// When the file cannot be made or locked at all.
    fn lock(&self, path: &Path, holder: &str) -> Result<Lock>;

    /// Tries to take a lock on a file (made when missing) that any number of holders share, without waiting, and that
    /// none has together with one of [`Fs::lock`]. The file's text stays what it was.
    ///
    /// # Errors
    /// When the file cannot be made or locked at all.
    fn lock_shared(&self, path: &Path) -> Result<Lock>;
}
