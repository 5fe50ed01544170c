//! The registry of names, and messages between programs that met by it.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use abi::start::right;
use abi::{Tag, WORDS};
use protocol::names::{self, Name};
use protocol::{OK, process, slot};

use super::client;
use super::objects::Slot;
use crate::io::{Error, ErrorKind, Result};
use crate::names::Entry;
use crate::translate::{call_error_kind, error_kind};

/// How long to wait when there were too many requests, in nanoseconds.
const PAUSE: u64 = 1_000_000;

/// Number of the registry for [`process::CONNECT`].
const REGISTRY: u64 = 3;

/// Whether this program has the registry.
static CONNECTED: AtomicBool = AtomicBool::new(false);

fn connect() -> Result<()> {
    if !CONNECTED.load(Ordering::Acquire) {
        client::ask_processes(process::CONNECT, [REGISTRY, 0, 0])?;
        CONNECTED.store(true, Ordering::Release);
    }
    Ok(())
}

fn name_of(text: &str) -> Result<Name> {
    Name::new(text).ok_or_else(|| ErrorKind::InvalidInput.into())
}

/// Asks the registry. The reply may bring a capability, which goes to `into`.
fn ask(
    tag: Tag,
    [a, b, c, d]: [u64; WORDS],
    into: Option<&Slot>,
    timeout: Option<u64>,
) -> Result<[u64; WORDS]> {
    connect()?;
    let reply = loop {
        // Where there is nothing to receive, 0 refuses what comes.
        syscall::receive_slot(into.map_or(0, Slot::number)).map_err(call_error_kind)?;
        let called = match timeout {
            Some(timeout) => syscall::call_timeout(slot::NAMES, tag.0, a, b, c, timeout),
            None => syscall::call(slot::NAMES, tag.0, a, b, c, d),
        };
        let _refuse = syscall::receive_slot(0);
        match called {
            Err(abi::Error::RateLimited) => {
                let _woken = syscall::sleep(PAUSE);
            }
            Err(abi::Error::TimedOut) => return Err(ErrorKind::NotFound.into()),
            Err(error) => return Err(call_error_kind(error).into()),
            Ok(reply) => break reply,
        }
    };
    match reply.tag.label() {
        OK if into.is_some() && !reply.tag.has_capability() => Err(ErrorKind::Other.into()),
        OK => Ok(reply.words),
        label => Err(error_kind(protocol::Error::from_label(label)).into()),
    }
}

fn words(name: Name) -> [u64; WORDS] {
    let [a, b, c] = name.words();
    [a, b, c, 0]
}

/// A request to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The process that asks: the kernel vouches for the number.
    pub process: u32,
    /// What the request is, as service and client have agreed.
    pub label: u32,
    /// Its words.
    pub words: [u64; WORDS],
}

/// An answer of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What the answer is, as service and client have agreed.
    pub label: u32,
    /// Its words.
    pub words: [u64; WORDS],
}

impl Answer {
    /// An answer with the label 0.
    pub const fn words(words: [u64; WORDS]) -> Self {
        Self { label: 0, words }
    }
}

/// A name that this program has, and the endpoint behind it. Dropping it withdraws the name.
#[derive(Debug)]
pub struct Service {
    name: Name,
    endpoint: Slot,
}

/// Registers a name.
///
/// # Errors
/// `PermissionDenied` when this program was not allowed to, `AlreadyExists` when another one has it, `InvalidInput` for what is
/// no name (1 to 24 letters, digits, `-`, `_` and `.`, and not `.` at the beginning), `StorageFull` or `TooMany` when there are
/// too many names, `Unsupported` without a registry.
pub fn register(name: &str) -> Result<Service> {
    let name = name_of(name)?;
    let endpoint = Slot::take()?;
    client::ask_processes(process::ENDPOINT, [endpoint.number(), 0, 0])?;
    // What the registry gets can send, and not receive.
    let given = Slot::take()?;
    let rights = right::WRITE | right::GRANT;
    syscall::capability_copy(0, given.number(), endpoint.number(), rights).map_err(call_error_kind)?;
    let [a, b, c, _] = words(name);
    let tag = Tag::new(names::REGISTER).with_capability();
    ask(tag, [a, b, c, given.number()], None, None)?;
    Ok(Service { name, endpoint })
}

impl Service {
    /// Slot of the endpoint, for system calls.
    pub const fn endpoint(&self) -> u64 {
        self.endpoint.number()
    }

    /// Waits for a request, and answers it. Requests that want no answer are answered to nobody.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn serve(&mut self, answer: impl FnOnce(Request) -> Answer) -> Result<()> {
        let message = syscall::receive(self.endpoint(), syscall::FOREVER).map_err(call_error_kind)?;
        // Others can send notifications and faults only if this program has bound or given them.
        if message.tag.is_notification() || message.tag.is_fault() {
            return Ok(());
        }
        let Answer {
            label,
            words: [a, b, c, d],
        } = answer(Request {
            // Badges are the registry's: numbers of processes.
            process: message.badge as u32,
            label: message.tag.label(),
            words: message.words,
        });
        if message.tag.is_call() {
            // Who asked may have ended meanwhile.
            let _gone = syscall::reply(0, Tag::new(label).0, a, b, c, d);
        }
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The registry has it, or has forgotten it already.
        let _withdrawn = ask(Tag::new(names::WITHDRAW), words(self.name), None, None);
    }
}

/// A way to a service. It is of no use any more when the service has ended: then it has to be looked up again.
#[derive(Debug)]
pub struct Connection(Slot);

/// Looks a name up.
///
/// # Errors
/// `NotFound` when nobody has it, `InvalidInput` for what is no name, `TooMany`, `Unsupported` without a registry.
pub fn look_up(name: &str) -> Result<Connection> {
    let into = Slot::take()?;
    ask(Tag::new(names::LOOK_UP), words(name_of(name)?), Some(&into), None)?;
    Ok(Connection(into))
}

/// Looks a name up, and waits until it is there, but not longer than `timeout`.
///
/// # Errors
/// As [`look_up`].
pub fn wait_for(name: &str, timeout: Duration) -> Result<Connection> {
    let into = Slot::take()?;
    let words = words(name_of(name)?);
    let deadline = super::now().saturating_add(timeout);
    loop {
        let left = deadline.saturating_sub(super::now());
        let left = u64::try_from(left.as_nanos()).unwrap_or(u64::MAX);
        // With the timeout, nothing else waits: a capability cannot come later.
        match ask(Tag::new(names::WAIT_FOR), words, Some(&into), Some(left)) {
            Ok(_) => return Ok(Connection(into)),
            // Too many wait, and this was the oldest of them.
            Err(error) if error.kind() == ErrorKind::ResourceBusy && left > 0 => {
                let _woken = syscall::sleep(PAUSE.min(left));
            }
            Err(error) if error.kind() == ErrorKind::ResourceBusy => return Err(ErrorKind::NotFound.into()),
            Err(error) => return Err(error),
        }
    }
}

impl Connection {
    /// Slot of the capability, for system calls.
    pub const fn slot(&self) -> u64 {
        self.0.number()
    }

    /// Makes a request and waits for the answer.
    ///
    /// # Errors
    /// `BrokenPipe` when the service has ended, also while this waits.
    pub fn call(&self, label: u32, [a, b, c, d]: [u64; WORDS]) -> Result<Answer> {
        loop {
            match syscall::call(self.slot(), Tag::new(label).0, a, b, c, d) {
                Err(abi::Error::RateLimited) => {
                    let _woken = syscall::sleep(PAUSE);
                }
                // The capability is the service's, and ends with it.
                Err(abi::Error::NotFound) => return Err(ErrorKind::BrokenPipe.into()),
                Err(error) => return Err(Error::from(call_error_kind(error))),
                Ok(reply) => {
                    return Ok(Answer {
                        label: reply.tag.label(),
                        words: reply.words,
                    });
                }
            }
        }
    }
}

pub(crate) fn list_names() -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut index = 0;
    loop {
        let reply = match ask(Tag::new(names::LIST), [index, 0, 0, 0], None, None) {
            Ok(reply) => reply,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(entries),
            Err(error) => return Err(error),
        };
        let [a, b, c, last] = reply;
        let name = Name::from_words([a, b, c]).ok_or(ErrorKind::InvalidData)?;
        if last >> 32 <= index {
            return Err(ErrorKind::InvalidData.into());
        }
        index = last >> 32;
        entries.push(Entry {
            name: name.as_str().into(),
            owner: last as u32,
        });
    }
}
