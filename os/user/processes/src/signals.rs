//! What can be done to processes, and what the kernel has to do for it.

use alloc::vec::Vec;

use crate::table::{Error, Pid, Process, State, Table};

/// What is asked of a process. Programs do not handle signals: what ends one, ends every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The user wants it to end.
    Interrupt,
    /// It has to end.
    Kill,
    /// It should end.
    Terminate,
    /// It is to wait.
    Stop,
    /// It may go on.
    Continue,
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A process.
    Process(Pid),
    /// Everybody in a group.
    Group(Pid),
}

/// What the kernel has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Destroy the process, and then say that it has [ended](Table::ended) by this signal.
    Destroy(Pid, Signal),
    /// Let it run no further.
    Suspend(Pid),
    /// Let it run again.
    Resume(Pid),
}

impl Effect {
    /// To which process.
    pub const fn process(self) -> Pid {
        match self {
            Self::Destroy(pid, _) | Self::Suspend(pid) | Self::Resume(pid) => pid,
        }
    }
}

/// What becomes of a process that wants to read from the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It may.
    Allowed,
    /// It is in the background: its group is to be stopped until it is in the foreground.
    Stops,
    /// It is in the background, and nobody could bring it into the foreground: the group is an orphan.
    Refused,
}

impl Table {
    /// Whether a process may read from the terminal of its session. Everybody may before the session has had a foreground.
    ///
    /// # Errors
    /// `NotFound`: it is not alive.
    pub fn may_read(&self, pid: Pid) -> Result<Reading, Error> {
        let process = self.living(pid)?;
        let (group, session) = (process.group, process.session);
        Ok(match self.foregrounds.get(&session) {
            None => Reading::Allowed,
            Some(&foreground) if foreground == group => Reading::Allowed,
            Some(_) if pid == Self::FIRST || self.is_orphan(group, session) => Reading::Refused,
            Some(_) => Reading::Stops,
        })
    }

    /// Whether nobody in a group has a parent outside of it in the same session that could look after it. The first process
    /// gets children that it knows nothing of, and is no such parent.
    fn is_orphan(&self, group: Pid, session: Pid) -> bool {
        let is_in = |process: &Process| process.group == group && process.session == session;
        let looks_after = |parent: Pid| {
            let parent = self.living(parent).ok().filter(|_| parent != Self::FIRST);
            parent.is_some_and(|parent| parent.session == session && !is_in(parent))
        };
        let mut members = self
            .processes
            .values()
            .filter(|process| process.is_alive() && is_in(process));
        !members.any(|process| looks_after(process.parent))
    }

    /// Sends a signal. One that asks for what is so already does nothing.
    ///
    /// # Errors
    /// `NotFound`: nobody alive is there. `NotPermitted`: it is the first process alone.
    pub fn kill(&mut self, target: Target, signal: Signal) -> Result<(), Error> {
        let is_meant = |pid: Pid, group: Pid| match target {
            Target::Process(wanted) => pid == wanted,
            Target::Group(wanted) => group == wanted,
        };
        let all = self.processes.iter().filter(|(_, process)| process.is_alive());
        let meant: Vec<Pid> = all
            .filter(|(pid, process)| is_meant(**pid, process.group))
            .map(|(&pid, _)| pid)
            .collect();
        match meant[..] {
            [] => return Err(Error::NotFound),
            [Self::FIRST] => return Err(Error::NotPermitted),
            _ => {}
        }
        for pid in meant {
            if pid != Self::FIRST {
                self.signal(pid, signal);
            }
        }
        self.serve();
        Ok(())
    }

    /// The next thing that the kernel has to do.
    pub fn effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    fn signal(&mut self, pid: Pid, signal: Signal) {
        let Some(process) = self.processes.get_mut(&pid) else {
            return;
        };
        let effect = match (process.state, signal) {
            (State::Dying(_) | State::Ended(_), _) => return,
            (State::Stopped, Signal::Stop) | (State::Running, Signal::Continue) => return,
            (State::Running, Signal::Stop) => {
                process.state = State::Stopped;
                process.news = true;
                Effect::Suspend(pid)
            }
            (State::Stopped, Signal::Continue) => {
                process.state = State::Running;
                process.news = false;
                Effect::Resume(pid)
            }
            (_, signal) => {
                process.state = State::Dying(signal);
                process.news = false;
                Effect::Destroy(pid, signal)
            }
        };
        // Only the last one counts, so that at most one waits for each process.
        self.effects.retain(|waiting| waiting.process() != pid);
        self.effects.push_back(effect);
    }
}
