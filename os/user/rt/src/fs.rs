//! Files and directories. A path that does not begin with `/` begins at the current directory.

use alloc::string::String;
use alloc::vec::Vec;

use crate::io::{Read, Result, Seek, SeekFrom, Write};
use crate::sys;

/// How to open a file. Starts with nothing chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) append: bool,
    pub(crate) truncate: bool,
    pub(crate) create: bool,
    pub(crate) create_new: bool,
}

impl OpenOptions {
    /// Nothing chosen.
    pub fn new() -> Self {
        Self::default()
    }

    /// It can be read.
    pub fn read(&mut self, yes: bool) -> &mut Self {
        self.read = yes;
        self
    }

    /// It can be written.
    pub fn write(&mut self, yes: bool) -> &mut Self {
        self.write = yes;
        self
    }

    /// Every write goes to the end.
    pub fn append(&mut self, yes: bool) -> &mut Self {
        self.append = yes;
        self
    }

    /// It is emptied.
    pub fn truncate(&mut self, yes: bool) -> &mut Self {
        self.truncate = yes;
        self
    }

    /// It is made when it does not exist.
    pub fn create(&mut self, yes: bool) -> &mut Self {
        self.create = yes;
        self
    }

    /// It is made, and must not exist.
    pub fn create_new(&mut self, yes: bool) -> &mut Self {
        self.create_new = yes;
        self
    }

    /// Opens a file.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`, `AlreadyExists`, `IsADirectory`; `InvalidInput` for a senseless choice.
    pub fn open(&self, path: &str) -> Result<File> {
        sys::File::open(path, *self).map(File)
    }
}

/// An open file: unbuffered.
#[derive(Debug)]
pub struct File(sys::File);

impl File {
    pub(crate) fn from_sys(file: sys::File) -> Self {
        Self(file)
    }

    pub(crate) fn into_sys(self) -> sys::File {
        self.0
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// As [`OpenOptions::open`].
    pub fn open(path: &str) -> Result<Self> {
        OpenOptions::new().read(true).open(path)
    }

    /// Opens a file for writing; makes it, or empties it.
    ///
    /// # Errors
    /// As [`OpenOptions::open`].
    pub fn create(path: &str) -> Result<Self> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
    }

    /// Opens a file for writing at its end; makes it when it does not exist.
    ///
    /// # Errors
    /// As [`OpenOptions::open`].
    pub fn append(path: &str) -> Result<Self> {
        OpenOptions::new().append(true).create(true).open(path)
    }

    /// Nothing chosen yet.
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Another handle of the same open file: they share the position.
    ///
    /// # Errors
    /// `TooMany`.
    pub fn try_clone(&self) -> Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// What kind of file it is, and its size.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn metadata(&self) -> Result<Metadata> {
        self.0.metadata()
    }

    /// Whether it is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }
}

impl Read for &File {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for &File {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.write(bytes)
    }
}

impl Seek for &File {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.0.seek(to)
    }
}

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.write(bytes)
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.0.seek(to)
    }
}

/// Kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A file with bytes.
    File,
    /// A directory.
    Directory,
    /// A device, such as a terminal.
    Device,
    /// A pipe.
    Pipe,
}

/// What is known about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its kind.
    pub kind: FileKind,
    /// Its size in bytes; 0 for what has none.
    pub len: u64,
    /// Its number in its file system.
    pub ino: u64,
    /// Whether it may be executed.
    pub executable: bool,
}

impl Metadata {
    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    /// Whether it is a file with bytes.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: FileKind,
}

/// What kind of file a path names, and its size.
///
/// # Errors
/// `NotFound`, `NotADirectory`, `PermissionDenied`.
pub fn metadata(path: &str) -> Result<Metadata> {
    sys::metadata(path)
}

/// The entries of a directory, without `.` and `..`, in no order. Names that are no UTF-8 are left out.
///
/// # Errors
/// `NotFound`, `NotADirectory`, `PermissionDenied`.
pub fn read_dir(path: &str) -> Result<Vec<DirEntry>> {
    sys::read_dir(path)
}

/// The bytes of a file.
///
/// # Errors
/// Those of [`File::open`] and of reading.
pub fn read(path: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a file.
///
/// # Errors
/// As [`read`], and `InvalidData` when it is no UTF-8.
pub fn read_to_string(path: &str) -> Result<String> {
    let mut text = String::new();
    File::open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// Makes a file of these bytes, or replaces what is in it.
///
/// # Errors
/// Those of [`File::create`] and of writing.
pub fn write(path: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
    File::create(path)?.write_all(bytes.as_ref())
}

/// Makes a directory.
///
/// # Errors
/// `AlreadyExists`, `NotFound` for the one it lies in, `PermissionDenied`.
pub fn create_dir(path: &str) -> Result<()> {
    sys::create_dir(path)
}

/// Removes a file.
///
/// # Errors
/// `NotFound`, `IsADirectory`, `PermissionDenied`.
pub fn remove_file(path: &str) -> Result<()> {
    sys::remove_file(path)
}

/// Removes an empty directory.
///
/// # Errors
/// `NotFound`, `NotADirectory`, `DirectoryNotEmpty`, `PermissionDenied`.
pub fn remove_dir(path: &str) -> Result<()> {
    sys::remove_dir(path)
}

/// Gives a file or directory another name; a file that has the name is replaced.
///
/// # Errors
/// `NotFound`, `CrossesDevices`, `PermissionDenied`, and those of a directory that is in the way.
pub fn rename(from: &str, to: &str) -> Result<()> {
    sys::rename(from, to)
}

/// The absolute path of an existing file, without `.`, `..` and links.
///
/// # Errors
/// `NotFound`, `NotADirectory`, `PermissionDenied`.
pub fn canonicalize(path: &str) -> Result<String> {
    sys::canonicalize(path)
}
