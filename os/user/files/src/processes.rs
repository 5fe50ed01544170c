//! What the process server has told about processes.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::RefCell;

use filesystem::{Error, Process, Result};
use protocol::list::{Entries, state};

/// The processes, as long as one request is served. Before that they have to be asked for, since this server calls nobody:
/// whoever needs them gets `NotReady`, and the request is served again when the process server has told.
///
/// Clones are the same list.
#[derive(Clone, Debug, Default)]
pub struct Processes(Rc<RefCell<List>>);

#[derive(Debug, Default)]
struct List {
    /// By number.
    all: BTreeMap<u32, Process>,
    is_complete: bool,
}

impl Processes {
    /// A list that is never asked for, as nobody could tell: there are no processes.
    pub fn none() -> Self {
        let none = Self::default();
        none.0.borrow_mut().is_complete = true;
        none
    }

    /// The lowest number that is at least `from`.
    ///
    /// # Errors
    /// `NotReady`.
    pub fn next(&self, from: u32) -> Result<Option<u32>> {
        let list = self.0.borrow();
        if !list.is_complete {
            return Err(Error::NotReady);
        }
        Ok(list.all.range(from..).next().map(|(&number, _)| number))
    }

    /// The process with this number.
    ///
    /// # Errors
    /// `NotReady`.
    pub fn get(&self, number: u32) -> Result<Option<Process>> {
        let list = self.0.borrow();
        if !list.is_complete {
            return Err(Error::NotReady);
        }
        Ok(list.all.get(&number).cloned())
    }

    /// Adds entries as in [`protocol::list`].
    pub(crate) fn add(&self, entries: &[u8], is_last: bool) {
        let mut list = self.0.borrow_mut();
        for entry in Entries::new(entries) {
            let process = Process {
                name: entry.name.into(),
                state: match entry.state {
                    state::STOPPED => "stopped",
                    state::ENDED => "ended",
                    state::WAITING => "waiting",
                    _ => "running",
                },
                parent: entry.parent as u32,
                group: entry.group as u32,
                memory: entry.memory,
                arguments: entry.arguments.split_terminator('\0').map(String::from).collect(),
            };
            list.all.insert(entry.process as u32, process);
        }
        list.is_complete = is_last;
    }

    /// Forgets them: from now on they may have changed.
    pub(crate) fn expire(&self) {
        *self.0.borrow_mut() = List::default();
    }
}
