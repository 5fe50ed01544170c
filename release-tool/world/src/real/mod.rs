//! The machine itself.

mod fs;
mod git;
mod git_commits;
mod git_write;
mod history;
mod last_read;
mod picking;
mod process;
mod streams;
mod tag_names;

use crate::{ErrorKind, Fs, Git, Processes, Result, World, WorldError};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use vrel_model::UtcTime;

/// Set when a person asks the program to stop. Clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks the program to stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn check(&self) -> Result<()> {
        if self.is_set() {
            let reason = "the program was asked to stop";
            return Err(WorldError::new(
                "go on with",
                "the work",
                ErrorKind::Interrupted,
                reason,
            ));
        }
        Ok(())
    }
}

/// The real files, repositories, programs and clock.
#[derive(Debug)]
pub struct RealWorld {
    fs: fs::RealFs,
    scratch: fs::RealFs,
    git: git::RealGit,
    processes: process::RealProcesses,
    interrupt: Interrupt,
}

impl RealWorld {
    /// A world that stops its programs when `interrupt` is set.
    ///
    /// `supervisor` is a program that, called as `supervisor PARENT-PID PROGRAM ARGS…` with these leading arguments,
    /// becomes PROGRAM but dies as soon as its parent does; without one, programs that were started outlive a tool that
    /// is killed without warning.
    #[must_use]
    pub fn new(interrupt: Interrupt, supervisor: Option<(PathBuf, Vec<String>)>) -> Self {
        Self {
            fs: fs::RealFs::LASTING,
            scratch: fs::RealFs::SCRATCH,
            git: git::RealGit::new(interrupt.clone()),
            processes: process::RealProcesses::new(interrupt.clone(), supervisor),
            interrupt,
        }
    }

    /// The same world, whose repositories have objects in these directories too. Git keeps what is pushed in a directory
    /// of its own until its hooks have agreed (see `QUARANTINE ENVIRONMENT` in git-receive-pack).
    #[must_use]
    pub fn with_object_dirs(mut self, dirs: Vec<PathBuf>) -> Self {
        self.git.look_in(dirs);
        self
    }
}

impl Default for RealWorld {
    /// A world that nobody stops.
    fn default() -> Self {
        Self::new(Interrupt::default(), None)
    }
}

impl World for RealWorld {
    fn fs(&self) -> &dyn Fs {
        &self.fs
    }

    fn scratch(&self) -> &dyn Fs {
        &self.scratch
    }

    fn git(&self) -> &dyn Git {
        &self.git
    }

    fn processes(&self) -> &dyn Processes {
        &self.processes
    }

    fn now(&self) -> UtcTime {
        let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
        };
        UtcTime::from_unix(seconds)
            .unwrap_or_else(|_| UtcTime::from_unix(0).unwrap_or_else(|_| unreachable!()))
    }

    fn uptime(&self) -> Duration {
        // The program's first question is the fixed moment.
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    fn random(&self, buffer: &mut [u8]) -> Result<()> {
        getrandom::fill(buffer)
            .map_err(|error| WorldError::new("read", "random bytes", ErrorKind::Other, error.to_string()))
    }

    fn check_interrupt(&self) -> Result<()> {
        self.interrupt.check()
    }
}
