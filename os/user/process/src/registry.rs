//! The registry of names, which is started when the first program asks for it, and who may provide which name.

use alloc::vec::Vec;

use abi::Tag;
use abi::start::right;
use processes::Pid;
use protocol::names::{self, MAX_PROVIDED, Name};
use protocol::start::Reader;
use protocol::{Error, MAX_ENDPOINTS, PROCESS_SERVER, slot};
use root::Limit;

use crate::boot::{BootError, service};
use crate::lives::{Server, error_of_call, own};

/// How many messages a program may send to the registry: a name is looked up once, and not for each request to who has it.
const LIMIT: Limit = Limit {
    rate: 1000,
    burst: 1000,
};

/// Its number among the servers.
const NUMBER: u64 = 3;

/// Slots of its table, which is small enough to be made of memory that comes back.
const SLOTS: u64 = 512;

/// The names that a program may provide, and let its children provide.
#[derive(Debug)]
pub(crate) enum Provides {
    All,
    These(Vec<Name>),
}

impl Provides {
    /// What a record asks for.
    pub(crate) fn of(record: &Reader<'_>) -> Result<Self, Error> {
        if record.header.provides > MAX_PROVIDED as u64 {
            return Err(Error::TooLong);
        }
        let names: Option<Vec<Name>> = record.provides().map(Name::new).collect();
        names.map(Self::These).ok_or(Error::BadName)
    }

    /// Whether who has this may give that to a child.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::These(_), Self::All) => false,
            (Self::These(own), Self::These(wanted)) => wanted.iter().all(|name| own.contains(name)),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::These(names) if names.is_empty())
    }
}

/// Tells the registry something.
fn tell(label: u32, [a, b, c, d]: [u64; 4]) -> Result<(), Error> {
    let reply = syscall::call(own::TO_NAMES, Tag::new(label).0, a, b, c, d).map_err(error_of_call)?;
    match reply.tag.label() {
        protocol::OK => Ok(()),
        label => Err(Error::from_label(label)),
    }
}

impl Server {
    /// Gives a program the registry, the first time that it asks.
    pub(crate) fn connect_names(&mut self, pid: Pid) -> Result<(), Error> {
        if self.lives.get(&pid).ok_or(Error::NoProcess)?.knows_names {
            return Ok(());
        }
        self.start_registry()?;
        let introduced = self.introduce(pid);
        if introduced.is_err() {
            self.forget_names(pid);
        } else if let Some(life) = self.lives.get_mut(&pid) {
            life.knows_names = true;
        }
        introduced
    }

    /// Tells the registry what a program may provide, and gives the program its way there.
    fn introduce(&mut self, pid: Pid) -> Result<(), Error> {
        let life = self.lives.get_mut(&pid).ok_or(Error::NoProcess)?;
        let process = u64::from(pid);
        match &life.provides {
            Provides::All => tell(names::ALLOW, [0, 0, 0, process])?,
            Provides::These(provided) => {
                for name in provided {
                    let [a, b, c] = name.words();
                    tell(names::ALLOW, [a, b, c, process])?;
                }
            }
        }
        let (chunks, slots) = (&mut self.chunks, &mut self.slots);
        life.child
            .gate(slot::NAMES, own::NAMES, process, LIMIT, chunks, slots)
            .map_err(error_of_call)
    }

    fn start_registry(&mut self) -> Result<(), Error> {
        if self.has_registry {
            return Ok(());
        }
        let gifts = [service(own::NAMES)];
        let child = self
            .new_server("registry", NUMBER, &[], &gifts, 0, SLOTS)
            .map_err(|error| match error {
                BootError::Missing(_) => Error::NotSupported,
                BootError::Call(error) => error_of_call(error),
                _ => Error::Other,
            })?;
        child.start().map_err(error_of_call)?;
        self.servers.push(child);
        self.has_registry = true;
        Ok(())
    }

    /// Makes the registry forget a program, and takes its names from it.
    pub(crate) fn forget_names(&self, pid: Pid) {
        // It has no reason to refuse that.
        let _ = tell(names::GONE, [pid.into(), 0, 0, 0]);
    }

    /// [`ENDPOINT`](protocol::process::ENDPOINT).
    pub(crate) fn endpoint(&mut self, pid: Pid, to: u64) -> Result<(), Error> {
        let life = self.lives.get_mut(&pid).ok_or(Error::NoProcess)?;
        if life.provides.is_empty() {
            return Err(Error::PermissionDenied);
        }
        if !(slot::OWN..slot::OWN_END).contains(&to) {
            return Err(Error::BadArgument);
        }
        if life.endpoints >= MAX_ENDPOINTS {
            return Err(Error::TooManyOpen);
        }
        let made = life.child.endpoint(to, &mut self.chunks, &mut self.slots);
        made.map_err(|error| match error {
            abi::Error::SlotTaken => Error::BadArgument,
            error => error_of_call(error),
        })?;
        life.endpoints += 1;
        Ok(())
    }
}

/// Makes what the registry is reached by. It starts later.
pub(crate) fn prepare() -> Result<(), abi::Error> {
    let rights = right::WRITE | right::GRANT;
    syscall::capability_mint(0, own::TO_NAMES, own::NAMES, rights, PROCESS_SERVER).map(drop)
}
