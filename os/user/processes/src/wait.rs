//! Parents that ask how their children are.

use crate::table::{Error, Fate, Pid, State, Table};

/// A parked request. No two ever have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Which children a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// Any of them.
    Any,
    /// This one.
    Process(Pid),
    /// Those in this group.
    Group(Pid),
}

/// What a parent wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Who asks.
    pub parent: Pid,
    /// About whom.
    pub child: Child,
    /// Stopping counts, too: it is told once each time.
    pub stops: bool,
}

/// What has become of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has ended. Its number is free from now on.
    Ended(Fate),
    /// It has stopped.
    Stopped,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered: the child, and what has become of it.
    Reply(Result<(Pid, Status), Error>),
    /// It waits. Its completion will have this ticket.
    Park(Ticket),
}

/// A request that was parked and now is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completed {
    /// Which one.
    pub ticket: Ticket,
    /// Whose it was.
    pub parent: Pid,
    /// The answer.
    pub result: Result<(Pid, Status), Error>,
}

pub(crate) struct Parked {
    ticket: Ticket,
    wait: Wait,
}

impl Table {
    /// Asks for a child that has ended or stopped, and waits for one.
    pub fn wait(&mut self, wait: Wait) -> Outcome {
        match self.try_wait(wait) {
            Ok(Some(news)) => return Outcome::Reply(Ok(news)),
            Ok(None) => {}
            Err(error) => return Outcome::Reply(Err(error)),
        }
        let parked = self
            .parked
            .iter()
            .filter(|parked| parked.wait.parent == wait.parent);
        let completed = self.completed.iter().filter(|done| done.parent == wait.parent);
        if parked.count() + completed.count() >= self.limits.parked {
            return Outcome::Reply(Err(Error::TooMany));
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.parked.push_back(Parked { ticket, wait });
        Outcome::Park(ticket)
    }

    /// Asks without waiting; `None` when there is nothing to tell yet.
    ///
    /// # Errors
    /// `NotFound`: the caller is not alive. `NoChild`: it has no such child.
    pub fn try_wait(&mut self, wait: Wait) -> Result<Option<(Pid, Status)>, Error> {
        let found = self.take(wait)?;
        if found.is_some() {
            // Others may have been waiting for the same child.
            self.serve();
        }
        Ok(found)
    }

    /// Finds news, and takes them: nobody else is told.
    fn take(&mut self, wait: Wait) -> Result<Option<(Pid, Status)>, Error> {
        self.living(wait.parent)?;
        let mut has_child = false;
        let mut found = None;
        for (pid, process) in self.children(wait.parent) {
            let is_meant = match wait.child {
                Child::Any => true,
                Child::Process(wanted) => pid == wanted,
                Child::Group(wanted) => process.group == wanted,
            };
            if !is_meant {
                continue;
            }
            has_child = true;
            found = match process.state {
                State::Ended(fate) => Some((pid, Status::Ended(fate))),
                State::Stopped if wait.stops && process.news => Some((pid, Status::Stopped)),
                _ => None,
            };
            if found.is_some() {
                break;
            }
        }
        if !has_child {
            return Err(Error::NoChild);
        }
        match found {
            Some((pid, Status::Ended(_))) => drop(self.processes.remove(&pid)),
            Some((pid, Status::Stopped)) => {
                if let Some(process) = self.processes.get_mut(&pid) {
                    process.news = false;
                }
            }
            None => {}
        }
        Ok(found)
    }

    /// Whether a child of `parent` has ended whose end was not fetched.
    pub fn has_ended_child(&self, parent: Pid) -> bool {
        self.children(parent)
            .any(|(_, process)| matches!(process.state, State::Ended(_)))
    }

    /// The next completion.
    pub fn ready(&mut self) -> Option<Completed> {
        self.completed.pop_front()
    }

    /// Withdraws a parked request: it will have no completion. Whether it was still parked.
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        let before = self.parked.len();
        self.parked.retain(|parked| parked.ticket != ticket);
        before > self.parked.len()
    }

    /// Drops the requests of a process that has ended.
    pub(crate) fn forget_requests(&mut self, pid: Pid) {
        self.parked.retain(|parked| parked.wait.parent != pid);
        self.completed.retain(|done| done.parent != pid);
    }

    /// Answers what can be answered, in the order in which it was asked.
    pub(crate) fn serve(&mut self) {
        let mut at = 0;
        while let Some(&Parked { ticket, wait }) = self.parked.get(at) {
            let Some(result) = self.take(wait).transpose() else {
                at += 1;
                continue;
            };
            self.parked.remove(at);
            self.completed.push_back(Completed {
                ticket,
                parent: wait.parent,
                result,
            });
            // What was taken may have been the last child that an earlier one waited for.
            at = 0;
        }
    }
}
