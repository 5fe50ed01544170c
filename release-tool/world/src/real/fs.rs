//! Real files.

use crate::{
    Entry, ErrorKind, FileKind, Fs, Lock, LockGuard, Metadata, OutFile, ReadSeek, Result, WorldError,
};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// How unfinished files are called until they are committed; a dead process leaves them behind.
const TEMPORARY_PREFIX: &str = ".vrel-tmp-";

/// The machine's files, written to last or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct RealFs {
    /// Whether a write waits until a power loss could not undo it.
    lasts: bool,
}

impl RealFs {
    pub(super) const LASTING: Self = Self { lasts: true };
    pub(super) const SCRATCH: Self = Self { lasts: false };

    /// A new name survives a power loss only once its directory has been synced.
    fn sync_parent(self, path: &Path) -> io::Result<()> {
        if self.lasts {
            File::open(parent(path))?.sync_all()?;
        }
        Ok(())
    }

    fn finish(self, file: NamedTempFile, path: &Path, replace: bool) -> io::Result<()> {
        if self.lasts {
            file.as_file().sync_all()?;
        }
        if replace {
            file.persist(path).map_err(|error| error.error)?;
        } else {
            file.persist_noclobber(path).map_err(|error| error.error)?;
        }
        self.sync_parent(path)
    }

    fn write_whole(self, path: &Path, content: &[u8], mode: u32, replace: bool) -> io::Result<()> {
        let mut file = temporary(path, mode)?;
        file.write_all(content)?;
        // The mode that a file is made with is cut by the umask.
        file.as_file().set_permissions(Permissions::from_mode(mode))?;
        self.finish(file, path, replace)
    }
}

fn at<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|error| WorldError::io(action, path, &error))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn temporary(path: &Path, mode: u32) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(parent(path))
}

/// Asks the file system where data begins and ends.
fn extents(file: &File) -> io::Result<Vec<Range<u64>>> {
    use rustix::fs::{SeekFrom as Whence, seek};
    let len = file.metadata()?.len();
    let mut found = Vec::new();
    let mut position = 0;
    while position < len {
        let start = match seek(file, Whence::Data(position)) {
            Ok(start) => start,
            // Only a hole is left.
            Err(rustix::io::Errno::NXIO) => break,
            // The file system keeps no account of holes.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::OPNOTSUPP) => position,
            Err(error) => return Err(error.into()),
        };
        let end = match seek(file, Whence::Hole(start)) {
            Ok(end) => end.min(len),
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::OPNOTSUPP) => len,
            Err(error) => return Err(error.into()),
        };
        if start >= end {
            break;
        }
        found.push(start..end);
        position = end;
    }
    Ok(found)
}

struct RealOutFile {
    fs: RealFs,
    file: NamedTempFile,
    path: PathBuf,
}

impl Read for RealOutFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Write for RealOutFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.file.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for RealOutFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

impl OutFile for RealOutFile {
    fn commit(self: Box<Self>) -> Result<()> {
        let Self { fs, file, path } = *self;
        at("write", &path, fs.finish(file, &path, true))
    }
}

struct RealLock {
    file: File,
}

struct SharedLock {
    file: File,
}

impl Drop for SharedLock {
    fn drop(&mut self) {
        // As for `RealLock`.
        let _ = self.file.unlock();
    }
}

impl LockGuard for RealLock {}
impl LockGuard for SharedLock {}

fn open_lock(path: &Path) -> Result<File> {
    let open = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    at("lock", path, open)
}

/// What the one who has the lock wrote about itself.
fn busy(path: &Path, mut file: File) -> Result<Lock> {
    let mut text = String::new();
    at("read", path, file.read_to_string(&mut text))?;
    Ok(Lock::Busy(text))
}

impl Drop for RealLock {
    fn drop(&mut self) {
        // An empty file tells readers that nobody holds it.
        drop(self.file.set_len(0));
        // Closing the file is not enough: a program that is being started this moment has it open as well, until it runs.
        let _ = self.file.unlock();
    }
}

fn kind_of(file_type: fs::FileType) -> FileKind {
    if file_type.is_file() {
        FileKind::File
    } else if file_type.is_dir() {
        FileKind::Directory
    } else {
        FileKind::Other
    }
}

impl Fs for RealFs {
    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        at("read", path, fs::read(path))
    }

    fn open(&self, path: &Path) -> Result<Box<dyn ReadSeek>> {
        let file = at("open", path, File::open(path))?;
        Ok(Box::new(file))
    }

    fn extents(&self, path: &Path) -> Result<Vec<Range<u64>>> {
        let file = at("open", path, File::open(path))?;
        at("find the data of", path, extents(&file))
    }

    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some(Metadata {
                kind: kind_of(found.file_type()),
                len: found.len(),
                mode: found.permissions().mode() & 0o7777,
            })),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(WorldError::io("look at", path, &error)),
        }
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in at("list", path, fs::read_dir(path))? {
            let entry = at("list", path, entry)?;
            let kind = kind_of(at("look at", &entry.path(), entry.file_type())?);
            let name = entry.file_name().into_string().map_err(|name| {
                let object = path.join(name).display().to_string();
                WorldError::new("list", object, ErrorKind::Other, "the file's name is not UTF-8")
            })?;
            entries.push(Entry { name, kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn free_space(&self, path: &Path) -> Result<u64> {
        let existing = path
            .ancestors()
            .find(|ancestor| ancestor.exists())
            .unwrap_or(Path::new("."));
        let stat = at(
            "measure the free space at",
            path,
            rustix::fs::statvfs(existing).map_err(io::Error::from),
        )?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn create_dir_all(&self, path: &Path) -> Result<()> {
        let missing: Vec<&Path> = path
            .ancestors()
            .take_while(|ancestor| !ancestor.exists())
            .collect();
        at("make the directory", path, fs::create_dir_all(path))?;
        // Outermost first: a directory whose own name was lost takes everything in it along.
        missing
            .iter()
            .rev()
            .try_for_each(|made| at("make the directory", made, self.sync_parent(made)))
    }

    fn write(&self, path: &Path, content: &[u8], mode: u32) -> Result<()> {
        at("write", path, self.write_whole(path, content, mode, true))
    }

    fn create_new(&self, path: &Path, content: &[u8]) -> Result<()> {
        at("write", path, self.write_whole(path, content, 0o644, false))
    }

    fn append(&self, path: &Path, content: &[u8]) -> Result<()> {
        let append = || {
            let mut file = OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o644)
                .open(path)?;
            let is_new = file.metadata()?.len() == 0;
            file.write_all(content)?;
            if self.lasts {
                file.sync_data()?;
            }
            if is_new { self.sync_parent(path) } else { Ok(()) }
        };
        at("append to", path, append())
    }

    fn create(&self, path: &Path) -> Result<Box<dyn OutFile>> {
        let file = at("write", path, temporary(path, 0o644))?;
        Ok(Box::new(RealOutFile {
            fs: *self,
            file,
            path: path.to_owned(),
        }))
    }

    fn copy_new(&self, from: &Path, to: &Path) -> Result<()> {
        let mut source = at("open", from, File::open(from))?;
        let mut copy = || {
            let mut file = temporary(to, 0o644)?;
            // Copies within the kernel, or shares the blocks where the file system can.
            io::copy(&mut source, file.as_file_mut())?;
            file.as_file().set_permissions(Permissions::from_mode(0o644))?;
            self.finish(file, to, false)
        };
        at("write", to, copy())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        at("rename", from, fs::rename(from, to))?;
        at("rename", to, self.sync_parent(to))
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Result<()> {
        at(
            "set the mode of",
            path,
            fs::set_permissions(path, Permissions::from_mode(mode)),
        )
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => at("remove", path, result),
        }
    }

    fn remove_dir_all(&self, path: &Path) -> Result<()> {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => at("remove", path, result),
        }
    }

    fn lock(&self, path: &Path, holder: &str) -> Result<Lock> {
        let mut file = open_lock(path)?;
        match file.try_lock() {
            Ok(()) => {
                let write = file.set_len(0).and_then(|()| file.write_all(holder.as_bytes()));
                at("lock", path, write)?;
                Ok(Lock::Held(Box::new(RealLock { file })))
            }
            Err(fs::TryLockError::WouldBlock) => busy(path, file),
            Err(fs::TryLockError::Error(error)) => Err(WorldError::io("lock", path, &error)),
        }
    }

    fn lock_shared(&self, path: &Path) -> Result<Lock> {
        let file = open_lock(path)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Lock::Held(Box::new(SharedLock { file }))),
            Err(fs::TryLockError::WouldBlock) => busy(path, file),
            Err(fs::TryLockError::Error(error)) => Err(WorldError::io("lock", path, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FS: RealFs = RealFs::LASTING;

    #[test]
    fn a_write_is_whole_or_not_at_all_and_leaves_no_litter() {
        whole_or_not_at_all(RealFs::LASTING);
        whole_or_not_at_all(RealFs::SCRATCH);
    }

    fn whole_or_not_at_all(fs: RealFs) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs.write(&path, b"one", 0o600).unwrap();
        assert_eq!(fs.metadata(&path).unwrap().unwrap().mode, 0o600);
        fs.write(&path, b"two", 0o644).unwrap();
        assert_eq!(fs.read(&path).unwrap(), b"two");
        assert_eq!(
            fs.create_new(&path, b"three").unwrap_err().kind,
            ErrorKind::Exists
        );
        assert_eq!(fs.copy_new(&path, &path).unwrap_err().kind, ErrorKind::Exists);
        drop(fs.create(&path).unwrap());
        let mut out = fs.create(&path).unwrap();
        out.write_all(b"four").unwrap();
        assert_eq!(fs.read(&path).unwrap(), b"two");
        out.commit().unwrap();
        assert_eq!(fs.read(&path).unwrap(), b"four");
        assert_eq!(fs.list(dir.path()).unwrap().len(), 1);
    }

    #[test]
    fn errors_name_the_path_and_the_situation() {
        let missing = FS.read(Path::new("no/such/file")).unwrap_err();
        assert_eq!(missing.kind, ErrorKind::NotFound);
        assert!(
            missing.to_string().starts_with("cannot read no/such/file: "),
            "{missing}"
        );
        assert_eq!(FS.metadata(Path::new("no/such/file")).unwrap(), None);
        FS.remove_file(Path::new("no/such/file")).unwrap();
        FS.remove_dir_all(Path::new("no/such/dir")).unwrap();
    }

    #[test]
    fn holes_are_in_no_extent_and_data_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let mut file = File::create(&path).unwrap();
        file.set_len(8 << 20).unwrap();
        assert_eq!(FS.extents(&path).unwrap(), []);
        for position in [1 << 20, 5 << 20] {
            file.seek(SeekFrom::Start(position)).unwrap();
            file.write_all(b"data").unwrap();
        }
        let extents = FS.extents(&path).unwrap();
        assert!(extents.iter().all(|extent| extent.start < extent.end));
        assert!(extents.is_sorted_by(|a, b| a.end <= b.start), "{extents:?}");
        for position in [1 << 20, 5 << 20] {
            assert!(
                extents
                    .iter()
                    .any(|extent| extent.start <= position && position + 4 <= extent.end)
            );
        }
        let listed: u64 = extents.iter().map(|extent| extent.end - extent.start).sum();
        assert!(listed < 1 << 20, "{extents:?}");
        let error = FS.extents(Path::new("no/such/file")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let error = FS.append(Path::new("/dev/full"), b"x").unwrap_err();
        assert_eq!(error.kind, ErrorKind::NoSpace);
    }

    #[test]
    fn the_second_taker_of_a_lock_learns_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let Lock::Held(guard) = FS.lock(&path, "first").unwrap() else {
            panic!("not taken")
        };
        let Lock::Busy(holder) = FS.lock(&path, "second").unwrap() else {
            panic!("taken twice")
        };
        assert_eq!(holder, "first");
        drop(guard);
        assert!(matches!(FS.lock(&path, "second").unwrap(), Lock::Held(_)));
    }

    #[test]
    fn a_shared_lock_keeps_out_an_exclusive_one_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let one = FS.lock_shared(&path).unwrap();
        let two = FS.lock_shared(&path).unwrap();
        assert!(matches!((&one, &two), (Lock::Held(_), Lock::Held(_))));
        assert!(matches!(FS.lock(&path, "alone").unwrap(), Lock::Busy(_)));
        drop((one, two));
        let Lock::Held(guard) = FS.lock(&path, "alone").unwrap() else {
            panic!("not taken")
        };
        let Lock::Busy(holder) = FS.lock_shared(&path).unwrap() else {
            panic!("shared with an exclusive holder")
        };
        assert_eq!(holder, "alone");
        drop(guard);
        assert!(matches!(FS.lock_shared(&path).unwrap(), Lock::Held(_)));
    }

    #[test]
    fn a_mode_is_set_as_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert_eq!(FS.set_mode(&path, 0o444).unwrap_err().kind, ErrorKind::NotFound);
        FS.write(&path, b"one", 0o644).unwrap();
        FS.set_mode(&path, 0o444).unwrap();
        assert_eq!(FS.metadata(&path).unwrap().unwrap().mode, 0o444);
    }
}
