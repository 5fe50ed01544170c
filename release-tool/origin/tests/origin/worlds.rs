//! Worlds that fail on purpose.

use std::path::Path;
use vrel_model::UtcTime;
use vrel_world::{
    Entry, ErrorKind, Fs, Git, Lock, Metadata, OutFile, Processes, ReadSeek, RealWorld, Result, World,
    WorldError,
};

/// The real machine, on which every write fails in one way.
pub(crate) struct NoWrites {
    real: RealWorld,
    kind: ErrorKind,
}

impl NoWrites {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self {
            real: RealWorld::default(),
            kind,
        }
    }

    fn refuse<T>(&self, path: &Path) -> Result<T> {
        Err(WorldError::new(
            "write",
            path.display().to_string(),
            self.kind,
            "refused by the test",
        ))
    }
}

impl World for NoWrites {
    fn fs(&self) -> &dyn Fs {
        self
    }
    fn git(&self) -> &dyn Git {
        self.real.git()
    }
    fn processes(&self) -> &dyn Processes {
        self.real.processes()
    }
    fn now(&self) -> UtcTime {
        self.real.now()
    }
    fn random(&self, buffer: &mut [u8]) -> Result<()> {
        self.real.random(buffer)
    }
    fn check_interrupt(&self) -> Result<()> {
        self.real.check_interrupt()
    }
}

impl Fs for NoWrites {
    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        self.real.fs().read(path)
    }
    fn open(&self, path: &Path) -> Result<Box<dyn ReadSeek>> {
        self.real.fs().open(path)
    }
    fn extents(&self, path: &Path) -> Result<Vec<std::ops::Range<u64>>> {
        self.real.fs().extents(path)
    }
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        self.real.fs().metadata(path)
    }
    fn list(&self, path: &Path) -> Result<Vec<Entry>> {
        self.real.fs().list(path)
    }
    fn free_space(&self, path: &Path) -> Result<u64> {
        self.real.fs().free_space(path)
    }
    fn create_dir_all(&self, path: &Path) -> Result<()> {
        if path.is_dir() { Ok(()) } else { self.refuse(path) }
    }
    fn write(&self, path: &Path, _: &[u8], _: u32) -> Result<()> {
        self.refuse(path)
    }
    fn create_new(&self, path: &Path, _: &[u8]) -> Result<()> {
        self.refuse(path)
    }
    fn append(&self, path: &Path, _: &[u8]) -> Result<()> {
        self.refuse(path)
    }
    fn create(&self, path: &Path) -> Result<Box<dyn OutFile>> {
        self.refuse(path)
    }
    fn copy_new(&self, _: &Path, to: &Path) -> Result<()> {
        self.refuse(to)
    }
    fn rename(&self, _: &Path, to: &Path) -> Result<()> {
        self.refuse(to)
    }
    fn remove_file(&self, path: &Path) -> Result<()> {
        self.refuse(path)
    }
    fn remove_dir_all(&self, path: &Path) -> Result<()> {
        self.refuse(path)
    }
    fn lock(&self, path: &Path, _: &str) -> Result<Lock> {
        self.refuse(path)
    }
    fn lock_shared(&self, path: &Path) -> Result<Lock> {
        self.refuse(path)
    }
    fn set_mode(&self, path: &Path, _: u32) -> Result<()> {
        self.refuse(path)
    }
}
