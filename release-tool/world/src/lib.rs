//! Every effect that the release tool has on the machine, and everything that it learns from it, behind one trait.
//!
//! The tool's libraries reach files, git, processes, the clock and randomness only through [`World`]. That makes two
//! things possible: a test can fail or "kill" a release at every single effect, and a plan can be made from a snapshot
//! of the world without changing it. [`RealWorld`] is the machine itself; the testkit has the others.
//!
//! Writes are durable and atomic: when a call that writes a file returns, the file has its new content and survives a
//! power loss; when it fails or the process dies, the file is as it was. Files that can be made again are written through
//! [`World::scratch`], which does not wait for the disk.

mod error;
mod forge;
mod fs;
mod git;
mod picking;
mod process;
mod real;
mod scratch;
mod sparse;

pub use error::{ErrorKind, Result, WorldError};
pub use forge::Forge;
pub use fs::{Entry, FileKind, Fs, Lock, LockGuard, Metadata, OutFile, ReadSeek};
pub use git::{
    Difference, FileCommit, FileEdit, FilesCommit, Git, Head, MergedText, NewTag, PushRef, TagInfo, TreeFile,
    TreeFileKind,
};
pub use picking::{ConflictState, ConflictTree, Pick, PickList, Picked, PickedList, Picking};
pub use process::{Answer, Command, Exit, Processes, Stream};
pub use real::{Interrupt, RealWorld};
pub use scratch::Scratch;
pub use sparse::SparseReader;

use std::time::Duration;
use vrel_model::UtcTime;

/// The machine, as the release tool sees it.
pub trait World: Send + Sync {
    /// Files.
    fn fs(&self) -> &dyn Fs;
    /// As [`World::fs`], for files that can be made again and are checked before they are used, such as those of a cache:
    /// writes are as atomic, but do not wait for the disk. A power loss may take such a file away or cut it short. A world
    /// that knows no difference uses [`World::fs`].
    fn scratch(&self) -> &dyn Fs {
        self.fs()
    }
    /// Repositories.
    fn git(&self) -> &dyn Git;
    /// Other programs.
    fn processes(&self) -> &dyn Processes;
    /// The time of day.
    fn now(&self) -> UtcTime;
    /// How much time has passed since some fixed moment; never less than at an earlier call. For measuring how long work
    /// takes. A world that does not have such a clock uses the time of day.
    fn uptime(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.now().unix()).unwrap_or(0))
    }
    /// Fills the buffer with random bytes fit for keys.
    ///
    /// # Errors
    /// When the system has none to give.
    fn random(&self, buffer: &mut [u8]) -> Result<()>;
    /// Fails with [`ErrorKind::Interrupted`] once a person has asked the program to stop. Long computations call it
    /// between pieces of work; every effect checks it by itself.
    ///
    /// # Errors
    /// When the program was asked to stop.
    fn check_interrupt(&self) -> Result<()>;
}
