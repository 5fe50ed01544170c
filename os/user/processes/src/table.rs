//! Which processes there are.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::signals::{Effect, Signal};
use crate::wait::{Completed, Parked};

/// Number of a process.
pub type Pid = u32;

/// Longest name of a process in bytes.
pub const MAX_NAME: usize = 255;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// No process or group has this number.
    NotFound,
    /// The caller has no such child.
    NoChild,
    /// The caller may not do that to it.
    NotPermitted,
    /// A limit is reached.
    TooMany,
    /// The name is empty or too long.
    BadName,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotFound => "no such process",
            Self::NoChild => "no child processes",
            Self::NotPermitted => "operation not permitted",
            Self::TooMany => "too many processes",
            Self::BadName => "invalid name",
        })
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// By itself, with this status.
    Exited(u32),
    /// By a signal.
    Killed(Signal),
    /// By a fault, whose number this is.
    Faulted(u32),
}

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs, or could.
    Running,
    /// It was stopped.
    Stopped,
    /// It is about to end by this signal.
    Dying(Signal),
    /// It has ended, and nobody has asked how.
    Ended(Fate),
}

/// Which group a new process is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Its parent's.
    Inherit,
    /// A new one, which has its number.
    New,
    /// This one, which must be one of the session.
    Join(Pid),
    /// A new group in a new session, both with its number.
    Session,
}

/// What a new process is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spawn<'a> {
    /// Who makes it.
    pub parent: Pid,
    /// Its name.
    pub name: &'a str,
    /// Its group.
    pub group: Group,
}

/// How many processes there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub processes: usize,
    /// Children of one parent. The first process, which gets the orphans, has no such limit.
    pub children: usize,
    /// Parked requests of one process.
    pub parked: usize,
    /// Highest number of a process.
    pub highest: Pid,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            processes: 1024,
            children: 256,
            parked: 16,
            highest: (1 << 22) - 1,
        }
    }
}

/// A process, as a list of processes shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Its number.
    pub pid: Pid,
    /// Its parent's, 0 for the first process.
    pub parent: Pid,
    /// Its group's.
    pub group: Pid,
    /// Its session's.
    pub session: Pid,
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: State,
}

pub(crate) struct Process {
    pub(crate) parent: Pid,
    pub(crate) group: Pid,
    pub(crate) session: Pid,
    name: String,
    pub(crate) state: State,
    /// It has stopped, and its parent was not told.
    pub(crate) news: bool,
}

impl Process {
    pub(crate) const fn is_alive(&self) -> bool {
        !matches!(self.state, State::Ended(_))
    }
}

/// All processes. See the [crate](crate).
pub struct Table {
    pub(crate) processes: BTreeMap<Pid, Process>,
    /// Foreground group of each session.
    pub(crate) foregrounds: BTreeMap<Pid, Pid>,
    pub(crate) limits: Limits,
    /// Number given last.
    last: Pid,
    pub(crate) parked: VecDeque<Parked>,
    pub(crate) completed: VecDeque<Completed>,
    pub(crate) effects: VecDeque<Effect>,
    pub(crate) tickets: u64,
}

impl Table {
    /// The first process: it has number 1, no parent, and gets all orphans.
    pub const FIRST: Pid = 1;

    /// A table with the first process, of this name.
    pub fn new(name: &str, limits: Limits) -> Self {
        let first = Process {
            parent: 0,
            group: Self::FIRST,
            session: Self::FIRST,
            name: name.into(),
            state: State::Running,
            news: false,
        };
        Self {
            processes: BTreeMap::from([(Self::FIRST, first)]),
            foregrounds: BTreeMap::new(),
            limits,
            last: Self::FIRST,
            parked: VecDeque::new(),
            completed: VecDeque::new(),
            effects: VecDeque::new(),
            tickets: 0,
        }
    }

    /// Adds a process.
    ///
    /// # Errors
    /// `NotFound`: the parent is not alive. `NotPermitted`: the group is not one of its session. `TooMany`, `BadName`.
    pub fn spawn(&mut self, spawn: Spawn<'_>) -> Result<Pid, Error> {
        let parent = self.living(spawn.parent)?;
        let (group, session) = (parent.group, parent.session);
        if spawn.name.is_empty() || spawn.name.len() > MAX_NAME {
            return Err(Error::BadName);
        }
        let children = self.children(spawn.parent).count();
        if self.processes.len() >= self.limits.processes
            || (spawn.parent != Self::FIRST && children >= self.limits.children)
        {
            return Err(Error::TooMany);
        }
        let pid = self.free_number().ok_or(Error::TooMany)?;
        let (group, session) = match spawn.group {
            Group::Inherit => (group, session),
            Group::New => (pid, session),
            Group::Join(group) if self.has_group(group, session) => (group, session),
            Group::Join(_) => return Err(Error::NotPermitted),
            Group::Session => (pid, pid),
        };
        self.last = pid;
        let process = Process {
            parent: spawn.parent,
            group,
            session,
            name: spawn.name.into(),
            state: State::Running,
            news: false,
        };
        self.processes.insert(pid, process);
        Ok(pid)
    }

    /// Moves a process to another group of its session, or with its own number to a new one.
    ///
    /// # Errors
    /// `NotFound`. `NotPermitted`: it is neither the caller nor its child, or the group is not one of its session.
    pub fn set_group(&mut self, caller: Pid, pid: Pid, group: Pid) -> Result<(), Error> {
        let process = self.living(pid)?;
        let session = process.session;
        let fine = group == pid || self.has_group(group, session);
        if !fine || (caller != pid && process.parent != caller) || pid == Self::FIRST {
            return Err(Error::NotPermitted);
        }
        if let Some(process) = self.processes.get_mut(&pid) {
            process.group = group;
        }
        Ok(())
    }

    /// Makes a group the foreground of the caller's session.
    ///
    /// # Errors
    /// `NotFound`: the caller is not alive. `NotPermitted`: the group is not one of its session.
    pub fn set_foreground(&mut self, caller: Pid, group: Pid) -> Result<(), Error> {
        let session = self.living(caller)?.session;
        if !self.has_group(group, session) {
            return Err(Error::NotPermitted);
        }
        self.foregrounds.insert(session, group);
        Ok(())
    }

    /// The foreground group of a session, as long as somebody in it is alive.
    pub fn foreground(&self, session: Pid) -> Option<Pid> {
        let group = *self.foregrounds.get(&session)?;
        let mut alive = self.processes.values().filter(|process| process.is_alive());
        alive
            .any(|process| process.group == group && process.session == session)
            .then_some(group)
    }

    /// A process.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn info(&self, pid: Pid) -> Result<Info, Error> {
        let process = self.processes.get(&pid).ok_or(Error::NotFound)?;
        Ok(Info {
            pid,
            parent: process.parent,
            group: process.group,
            session: process.session,
            name: process.name.clone(),
            state: process.state,
        })
    }

    /// All processes, sorted by number.
    pub fn processes(&self) -> Vec<Info> {
        self.processes
            .keys()
            .filter_map(|&pid| self.info(pid).ok())
            .collect()
    }

    /// A process has ended. Its children get the first process as their parent.
    ///
    /// # Errors
    /// `NotFound`: it is not alive.
    pub fn ended(&mut self, pid: Pid, fate: Fate) -> Result<(), Error> {
        self.living(pid)?;
        for process in self.processes.values_mut() {
            if process.parent == pid {
                process.parent = Self::FIRST;
            }
        }
        if let Some(process) = self.processes.get_mut(&pid) {
            process.state = State::Ended(fate);
            process.news = false;
        }
        // What the kernel was to do to it has become pointless.
        self.effects.retain(|effect| effect.process() != pid);
        self.forget_requests(pid);
        let processes = &self.processes;
        self.foregrounds
            .retain(|session, _| processes.values().any(|process| process.session == *session));
        self.serve();
        Ok(())
    }

    /// Takes a process out that has never run, as if it had never been.
    pub fn forget(&mut self, pid: Pid) {
        if pid != Self::FIRST {
            self.processes.remove(&pid);
        }
    }

    pub(crate) fn living(&self, pid: Pid) -> Result<&Process, Error> {
        let process = self.processes.get(&pid).filter(|process| process.is_alive());
        process.ok_or(Error::NotFound)
    }

    pub(crate) fn children(&self, parent: Pid) -> impl Iterator<Item = (Pid, &Process)> {
        let children = self
            .processes
            .iter()
            .filter(move |child| child.1.parent == parent);
        children.map(|(&pid, process)| (pid, process))
    }

    /// Whether somebody is in this group of this session. One that has ended is, until somebody has waited for it: who starts
    /// the processes of a pipeline one after the other need not care which of them are done already.
    fn has_group(&self, group: Pid, session: Pid) -> bool {
        let mut all = self.processes.values();
        all.any(|process| process.group == group && process.session == session)
    }

    /// The next number that neither a process nor a group nor a session has.
    fn free_number(&self) -> Option<Pid> {
        let is_used = |pid: Pid| {
            let mut all = self.processes.iter();
            all.any(|(&own, process)| own == pid || process.group == pid || process.session == pid)
        };
        // Each process uses up to three numbers: one of so many candidates is free, if there are so many.
        let highest = self.limits.highest.max(Self::FIRST);
        let tries = highest.min(3 * self.processes.len() as u32 + 1);
        let mut candidates = (0..tries).map(|step| (self.last + step) % highest + 1);
        candidates.find(|&pid| !is_used(pid))
    }
}
