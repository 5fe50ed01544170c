//! The registry of names: who may register which, who has, and who waits for one.
//!
//! It knows neither slots nor messages: [`Kernel`] is what it asks of the kernel, so that tests on the host can run all of
//! it. It never allocates: its tables have their sizes from the beginning, and who finds one full is refused.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

use clients::Call;
use protocol::names::{self, MAX_PROVIDED, Name};
use protocol::{Error, OK, PROCESS_SERVER};

/// Most names that are registered at one time.
pub const MAX_NAMES: usize = 64;

/// Most names that a process has.
pub const MAX_OWNED: usize = MAX_PROVIDED;

/// Most permissions to provide names.
pub const MAX_PERMISSIONS: usize = 256;

/// Most requests that wait for names, and most of one process.
pub const MAX_WAITING: usize = 64;
/// See [`MAX_WAITING`].
pub const MAX_WAITING_EACH: usize = 2;

/// What the registry asks of the kernel. Places of names are below [`MAX_NAMES`], those of who waits below [`MAX_WAITING`].
pub trait Kernel {
    /// Puts the capability that came with the message into the place of a name, if it is of use: an endpoint that one may
    /// send to, and without a badge. Whether it is.
    fn keep(&mut self, place: usize) -> bool;
    /// Whether the endpoint in a place of a name is still there.
    fn is_there(&self, place: usize) -> bool;
    /// Deletes the capability in a place of a name, and all that others got of it.
    fn drop_name(&mut self, place: usize);
    /// Makes a capability for a process, with its number for a badge, of the one in a place, to be given with the next
    /// answer. Whether that worked.
    fn offer(&mut self, place: usize, process: u32) -> bool;
    /// Keeps the right to answer the last request in a place of who waits. Whether that worked.
    fn save_reply(&mut self, place: usize) -> bool;
    /// Answers the request in a place of who waits. Nothing comes of it when its caller does not wait any more.
    fn reply(&mut self, place: usize, answer: Answer);
    /// Gives the right in a place of who waits up.
    fn drop_reply(&mut self, place: usize);
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// [`OK`] or the number of an error.
    pub label: u32,
    /// Words of the answer.
    pub words: [u64; 4],
    /// Whether the capability goes with it that was offered last. It takes the last word.
    pub gives: bool,
}

impl Answer {
    const DONE: Self = Self::told([0; 4]);
    const GIVEN: Self = Self {
        gives: true,
        ..Self::DONE
    };

    const fn told(words: [u64; 4]) -> Self {
        Self {
            label: OK,
            words,
            gives: false,
        }
    }
}

impl From<Error> for Answer {
    fn from(error: Error) -> Self {
        Self {
            label: error as u32,
            ..Self::DONE
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    name: Name,
    owner: u32,
}

/// A process may provide a name; every one without a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Permission {
    process: u32,
    name: Option<Name>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    process: u32,
    name: Name,
    /// Who has a lower number has waited longer.
    since: u64,
}

/// The registry.
#[derive(Debug)]
pub struct Registry<K> {
    kernel: K,
    entries: [Option<Entry>; MAX_NAMES],
    permissions: [Option<Permission>; MAX_PERMISSIONS],
    waiting: [Option<Waiting>; MAX_WAITING],
    requests: u64,
}

impl<K: Kernel> Registry<K> {
    /// Without names.
    pub const fn new(kernel: K) -> Self {
        Self {
            kernel,
            entries: [None; MAX_NAMES],
            permissions: [None; MAX_PERMISSIONS],
            waiting: [None; MAX_WAITING],
            requests: 0,
        }
    }

    /// What does what the kernel does.
    pub fn kernel(&mut self) -> &mut K {
        &mut self.kernel
    }

    /// Does what a request wants. `None` when it is answered later, and when nobody waits for an answer.
    pub fn serve(&mut self, call: &Call) -> Option<Answer> {
        self.requests += 1;
        let answer = if call.badge == PROCESS_SERVER {
            self.serve_process_server(call)
        } else {
            match u32::try_from(call.badge) {
                Ok(process @ 1..) => self.serve_process(process, call),
                _ => Err(Error::NoProcess),
            }
        };
        match answer {
            Ok(None) => None,
            Ok(Some(answer)) => Some(answer),
            Err(error) => Some(error.into()),
        }
        .filter(|_| call.wants_reply)
    }

    fn serve_process_server(&mut self, call: &Call) -> Result<Option<Answer>, Error> {
        let [first, second, third, fourth] = call.words;
        let number = |word| u32::try_from(word).map_err(|_| Error::BadArgument);
        match call.label {
            names::ALLOW => {
                let process = number(fourth)?;
                let name = match [first, second, third] {
                    [0, 0, 0] => None,
                    words => Some(Name::from_words(words).ok_or(Error::BadName)?),
                };
                self.allow(Permission { process, name })?;
            }
            names::GONE => self.gone(number(first)?),
            _ => return Err(Error::NotSupported),
        }
        Ok(Some(Answer::DONE))
    }

    fn serve_process(&mut self, process: u32, call: &Call) -> Result<Option<Answer>, Error> {
        let [first, second, third, _] = call.words;
        let name = || Name::from_words([first, second, third]).ok_or(Error::BadName);
        match call.label {
            names::REGISTER if !call.has_capability => Err(Error::BadArgument),
            names::REGISTER => self.register(process, name()?).map(|()| Some(Answer::DONE)),
            names::LOOK_UP => self.look_up(process, name()?).map(Some),
            names::WAIT_FOR => {
                let name = name()?;
                match self.look_up(process, name) {
                    // Who only sends would wait for nothing.
                    Err(Error::NotFound) if call.wants_reply => self.wait(process, name).map(|()| None),
                    result => result.map(Some),
                }
            }
            names::WITHDRAW => self.withdraw(process, name()?).map(|()| Some(Answer::DONE)),
            names::LIST => self.list(first).map(Some),
            names::ALLOW | names::GONE => Err(Error::PermissionDenied),
            _ => Err(Error::NotSupported),
        }
    }

    fn allow(&mut self, permission: Permission) -> Result<(), Error> {
        if self.permissions.contains(&Some(permission)) {
            return Ok(());
        }
        let mut places = self.permissions.iter_mut();
        *places.find(|place| place.is_none()).ok_or(Error::NoSpace)? = Some(permission);
        Ok(())
    }

    fn may_provide(&self, process: u32, name: Name) -> bool {
        let mut permissions = self.permissions.iter().flatten();
        permissions.any(|permission| {
            permission.process == process && permission.name.is_none_or(|allowed| allowed == name)
        })
    }

    /// The place of a name whose endpoint is there. One whose endpoint has ended is free again.
    fn find(&mut self, name: Name) -> Option<usize> {
        let mut entries = self.entries.iter();
        let place = entries.position(|entry| entry.is_some_and(|entry| entry.name == name))?;
        if self.kernel.is_there(place) {
            return Some(place);
        }
        self.free(place);
        None
    }

    fn free(&mut self, place: usize) {
        self.entries[place] = None;
        self.kernel.drop_name(place);
    }

    fn register(&mut self, owner: u32, name: Name) -> Result<(), Error> {
        if !self.may_provide(owner, name) {
            return Err(Error::PermissionDenied);
        }
        if self.find(name).is_some() {
            return Err(Error::Exists);
        }
        for place in 0..MAX_NAMES {
            if self.entries[place].is_some() && !self.kernel.is_there(place) {
                self.free(place);
            }
        }
        let owned = self.entries.iter().flatten().filter(|entry| entry.owner == owner);
        if owned.count() >= MAX_OWNED {
            return Err(Error::NoSpace);
        }
        let free = self.entries.iter().position(Option::is_none);
        let place = free.ok_or(Error::NoSpace)?;
        if !self.kernel.keep(place) {
            return Err(Error::BadArgument);
        }
        self.entries[place] = Some(Entry { name, owner });
        self.tell_waiting(place, name);
        Ok(())
    }

    /// Answers who waits for a name that is there now, the one first that has waited longest.
    fn tell_waiting(&mut self, place: usize, name: Name) {
        while let Some(at) = self.longest(|waiting| waiting.name == name) {
            let Some(waiting) = self.waiting[at].take() else {
                return;
            };
            let answer = if self.kernel.offer(place, waiting.process) {
                Answer::GIVEN
            } else {
                Error::Busy.into()
            };
            self.kernel.reply(at, answer);
        }
    }

    fn look_up(&mut self, process: u32, name: Name) -> Result<Answer, Error> {
        let place = self.find(name).ok_or(Error::NotFound)?;
        if !self.kernel.offer(place, process) {
            return Err(Error::Busy);
        }
        Ok(Answer::GIVEN)
    }

    /// The place of who has waited longest of those that are meant.
    fn longest(&self, is_meant: impl Fn(&Waiting) -> bool) -> Option<usize> {
        let all = self.waiting.iter().enumerate();
        let meant = all.filter_map(|(at, waiting)| waiting.filter(&is_meant).map(|found| (found.since, at)));
        meant.min().map(|(_, at)| at)
    }

    fn wait(&mut self, process: u32, name: Name) -> Result<(), Error> {
        let is_own = |waiting: &Waiting| waiting.process == process;
        let own = self.waiting.iter().flatten().filter(|waiting| is_own(waiting));
        let oldest = if own.count() >= MAX_WAITING_EACH {
            self.longest(is_own)
        } else if self.waiting.iter().all(Option::is_some) {
            self.longest(|_| true)
        } else {
            None
        };
        if let Some(at) = oldest {
            self.waiting[at] = None;
            self.kernel.reply(at, Error::Busy.into());
        }
        let free = self.waiting.iter().position(Option::is_none);
        let at = free.ok_or(Error::Busy)?;
        if !self.kernel.save_reply(at) {
            return Err(Error::Busy);
        }
        self.waiting[at] = Some(Waiting {
            process,
            name,
            since: self.requests,
        });
        Ok(())
    }

    fn withdraw(&mut self, process: u32, name: Name) -> Result<(), Error> {
        let place = self.find(name).ok_or(Error::NotFound)?;
        if self.entries[place].is_none_or(|entry| entry.owner != process) {
            return Err(Error::PermissionDenied);
        }
        self.free(place);
        Ok(())
    }

    fn list(&mut self, from: u64) -> Result<Answer, Error> {
        let from = usize::try_from(from).map_or(MAX_NAMES, |from| from.min(MAX_NAMES));
        for place in from..MAX_NAMES {
            let Some(Entry { name, owner }) = self.entries[place] else {
                continue;
            };
            if !self.kernel.is_there(place) {
                self.free(place);
                continue;
            }
            let [first, second, third] = name.words();
            let last = u64::from(owner) | (place as u64 + 1) << 32;
            return Ok(Answer::told([first, second, third, last]));
        }
        Err(Error::NotFound)
    }

    /// Forgets a process.
    fn gone(&mut self, process: u32) {
        for permission in &mut self.permissions {
            permission.take_if(|permission| permission.process == process);
        }
        for place in 0..MAX_NAMES {
            if self.entries[place].is_some_and(|entry| entry.owner == process) {
                self.free(place);
            }
        }
        for at in 0..MAX_WAITING {
            if self.waiting[at]
                .take_if(|waiting| waiting.process == process)
                .is_some()
            {
                self.kernel.drop_reply(at);
            }
        }
    }
}
