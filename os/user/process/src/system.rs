//! What the first process is told, and how the system goes down.

use processes::{Pid, Signal, State, Table, Target};
use protocol::Error;

use crate::lives::{Server, error_of};

/// What the first process waits for.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Whether it has ever asked.
    is_wanted: bool,
    /// Slot of the right to answer it, and whether it knows of the shutdown.
    waiting: Option<(u64, bool)>,
    /// The status with which the system is to go down.
    shutdown: Option<u64>,
    /// Whether something has happened since it was last looked at.
    pub(crate) may_be: bool,
}

impl Server {
    /// [`protocol::process::NEWS`]: the answer, or `None` while there is nothing to tell.
    pub(crate) fn news(&mut self, pid: Pid, knows_shutdown: bool) -> Result<Option<[u64; 2]>, Error> {
        if pid != Table::FIRST {
            return Err(Error::PermissionDenied);
        }
        self.news.is_wanted = true;
        if let Some((slot, _)) = self.news.waiting.take() {
            // Nobody waits for that one any more.
            let _ = syscall::capability_delete(0, slot);
            self.slots.give_back(slot);
        }
        if let Some(words) = self.what_is_new(knows_shutdown) {
            return Ok(Some(words));
        }
        let slot = self.slots.take().ok_or(Error::NoMemory)?;
        if syscall::save_reply(slot).is_err() {
            self.slots.give_back(slot);
            return Err(Error::Other);
        }
        self.news.waiting = Some((slot, knows_shutdown));
        Ok(None)
    }

    fn what_is_new(&self, knows_shutdown: bool) -> Option<[u64; 2]> {
        let has_ended = self.table.has_ended_child(Table::FIRST);
        let shutdown = self.news.shutdown.filter(|_| !knows_shutdown);
        let words = [
            u64::from(has_ended),
            shutdown.map_or(0, |status| status.saturating_add(1)),
        ];
        (words != [0; 2]).then_some(words)
    }

    /// Answers the first process when there is something to tell.
    pub(crate) fn tell_news(&mut self) {
        if !core::mem::take(&mut self.news.may_be) {
            return;
        }
        let Some((slot, knows_shutdown)) = self.news.waiting else {
            return;
        };
        if let Some([ended, shutdown]) = self.what_is_new(knows_shutdown) {
            self.news.waiting = None;
            let tag = abi::Tag::new(protocol::OK).0;
            if syscall::reply(slot, tag, ended, shutdown, 0, 0).is_err() {
                let _ = syscall::capability_delete(0, slot);
            }
            self.slots.give_back(slot);
        }
    }

    /// [`protocol::process::SHUTDOWN`].
    pub(crate) fn shutdown(&mut self, pid: Pid, status: u64) -> Result<(), Error> {
        if !self.lives.get(&pid).is_some_and(|life| life.may_power_off) {
            return Err(Error::PermissionDenied);
        }
        if !self.news.is_wanted {
            return Err(Error::NotSupported);
        }
        // The first one decides.
        self.news.shutdown.get_or_insert(status);
        self.news.may_be = true;
        Ok(())
    }

    /// Sends a signal; a request to end only to those that do not hold it back, who are told when they ask.
    pub(crate) fn send(&mut self, target: Target, signal: Signal) -> Result<(), Error> {
        let is_target = |pid: Pid, group: Pid| match target {
            Target::Process(wanted) => pid == wanted,
            Target::Group(wanted) => group == wanted,
        };
        let holds = |pid: &Pid| self.lives.get(pid).is_some_and(|life| life.holds_terminate);
        if signal != Signal::Terminate || !self.lives.keys().any(holds) {
            return self.table.kill(target, signal).map_err(error_of);
        }
        let mut result = Err(Error::NoProcess);
        for info in self.table.processes() {
            if !is_target(info.pid, info.group) || matches!(info.state, State::Ended(_)) {
                continue;
            }
            match self.lives.get_mut(&info.pid).filter(|life| life.holds_terminate) {
                Some(life) => {
                    life.was_asked_to_end = true;
                    result = Ok(());
                }
                None => {
                    let sent = self.table.kill(Target::Process(info.pid), signal);
                    result = result.or(sent.map_err(error_of));
                }
            }
        }
        result
    }

    /// [`protocol::process::HOLD_INTERRUPTS`].
    pub(crate) fn hold(&mut self, pid: Pid, bits: u64) -> Result<(), Error> {
        let life = self.lives.get_mut(&pid).ok_or(Error::NoProcess)?;
        life.holds_interrupts = bits & 1 != 0;
        life.holds_terminate = bits & 2 != 0;
        Ok(())
    }

    /// [`protocol::process::TAKE_INTERRUPT`].
    pub(crate) fn take_held(&mut self, pid: Pid) -> Result<[u64; 2], Error> {
        let life = self.lives.get_mut(&pid).ok_or(Error::NoProcess)?;
        let taken = [&mut life.was_interrupted, &mut life.was_asked_to_end];
        Ok(taken.map(|was| u64::from(core::mem::take(was))))
    }
}
