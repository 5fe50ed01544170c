//! What programs ask for.

use abi::layout::PAGE_SIZE;
use abi::start::{right, slot};
use abi::{Message, Tag};
use kcore::placement::MAX_HEAP;
use processes::{Child as Children, Fate, Group, Outcome, Pid, Target, Wait};
use protocol::{Error, IO_SIZE, address, process};

use crate::as_client::connect;
use crate::lives::{Server, error_of, error_of_call, own, signal_of, wait_reply};
use crate::readers::tell_foreground;
use crate::spawn::Extra;

/// What a request is answered with: label and words.
type Answer = (u32, [u64; 2]);

/// What becomes of a request.
enum Reply {
    /// It is answered.
    Now(Answer),
    /// Later, or never.
    Later,
}

impl From<Result<[u64; 2], Error>> for Reply {
    fn from(result: Result<[u64; 2], Error>) -> Self {
        Self::Now(match result {
            Ok(words) => (protocol::OK, words),
            Err(error) => (error as u32, [0; 2]),
        })
    }
}

/// Serves requests, for ever.
pub(crate) fn serve(mut server: Server) -> ! {
    let mut answer: Option<Answer> = None;
    loop {
        let received = match answer.take() {
            Some((label, [a, b])) => syscall::reply_receive(own::SERVICE, Tag::new(label).0, a, b, 0, 0),
            None => syscall::receive(own::SERVICE, syscall::FOREVER),
        };
        let message = match received {
            Ok(message) => message,
            Err(error) => {
                rt::println!("process: nothing can be received: {error}");
                let _ = syscall::power_off(slot::MACHINE, crate::FAILURE);
                continue;
            }
        };
        if message.tag.is_notification() {
            server.signalled(message.words[0]);
        } else if message.tag.is_fault() {
            server.faulted(&message);
        } else if let Some(pid) = server.process_of(message.badge) {
            if let Reply::Now(now) = server.request(pid, &message) {
                answer = Some(now);
            }
        } else {
            answer = Some((Error::NoProcess as u32, [0; 2]));
        }
        if message.tag.has_capability() {
            // Whatever was to be done with it has been done; the next one needs the place.
            let _ = syscall::capability_delete(0, own::RECEIVED);
        }
        server.settle();
        // Whoever asked may have ended meanwhile; the reply is dropped then.
    }
}

impl Server {
    fn request(&mut self, pid: Pid, message: &Message) -> Reply {
        let [first, second, third, _] = message.words;
        let nothing = |result: Result<(), Error>| Reply::from(result.map(|()| [0; 2]));
        match message.tag.label() {
            process::EXIT => {
                self.ended(pid, Fate::Exited(first as u32));
                Reply::Later
            }
            process::GROW => self.grow(pid, first).into(),
            process::SPAWN => {
                let extra = Extra {
                    may_power_off: third % 256 == 1,
                    ends: third >> 8,
                    inherits: message.tag.has_capability(),
                };
                self.spawn_request(pid, first, second, extra).into()
            }
            process::UNTYPED => nothing(self.untyped(pid, first, second)),
            process::CHANNEL => self.new_channel(pid).into(),
            process::CHANNEL_END => self.end_role(pid, first).map(|role| [role, 0]).into(),
            process::CHANNEL_CLOSE => nothing(self.close_end(pid, first)),
            process::WAIT => self.wait(pid, first, second),
            process::KILL => nothing(self.kill(first, second == 1, third)),
            process::LIST => self.list(pid, first).into(),
            process::SET_FOREGROUND => nothing(self.set_foreground(pid, first)),
            process::POWER_OFF => nothing(self.power_off(pid, first)),
            process::MEMORY => Reply::from(Ok([self.memory, self.chunks.free()])),
            process::HOLD_INTERRUPTS => nothing(self.hold(pid, first)),
            process::TAKE_INTERRUPT => self.take_held(pid).into(),
            process::ENDPOINT => nothing(self.endpoint(pid, first)),
            process::CONNECT if first == 3 => nothing(self.connect_names(pid)),
            process::CONNECT => nothing(self.connect_client(pid, first)),
            process::NEWS => match self.news(pid, first == 1) {
                Ok(None) => Reply::Later,
                Ok(Some(words)) => Reply::from(Ok(words)),
                Err(error) => Reply::from(Err(error)),
            },
            process::SHUTDOWN => nothing(self.shutdown(pid, first)),
            process::LEAD_GROUP => {
                let led = self.table.set_group(pid, pid, pid).map_err(error_of);
                tell_foreground();
                led.map(|()| [u64::from(pid), 0]).into()
            }
            _ => Reply::from(Err(Error::NotSupported)),
        }
    }

    /// Maps more memory behind a program's heap.
    fn grow(&mut self, pid: Pid, bytes: u64) -> Result<[u64; 2], Error> {
        let life = self.lives.get_mut(&pid).ok_or(Error::NoProcess)?;
        let len = bytes
            .checked_next_multiple_of(PAGE_SIZE)
            .ok_or(Error::BadArgument)?;
        let start = life.child.placement.heap + life.heap;
        if len == 0 || life.heap.checked_add(len).is_none_or(|all| all > MAX_HEAP) || len > self.chunks.free()
        {
            return Err(Error::NoMemory);
        }
        let access = right::READ | right::WRITE;
        let filled = life.child.fill(
            start,
            len / PAGE_SIZE,
            access,
            &mut self.chunks,
            &mut self.slots,
            |_, _| {},
        );
        // What was mapped before an error is not mapped again: the heap begins behind it next time.
        life.heap += len;
        filled.map_err(error_of_call)?;
        Ok([start, len])
    }

    fn spawn_request(&mut self, pid: Pid, len: u64, group: u64, extra: Extra) -> Result<[u64; 2], Error> {
        let life = self.lives.get(&pid).ok_or(Error::NoProcess)?;
        if len > IO_SIZE || extra.may_power_off && !life.may_power_off {
            return Err(if len > IO_SIZE {
                Error::TooLong
            } else {
                Error::PermissionDenied
            });
        }
        let (client, buffer) = (life.client, life.buffer);
        let group = match group {
            0 => Group::Inherit,
            1 => Group::New,
            other => Group::Join(Pid::try_from(other).map_err(|_| Error::NoProcess)?),
        };
        let record = with_buffer(buffer, |bytes| alloc::vec::Vec::from(&bytes[..len as usize]))?;
        let child = self.spawn(pid, Some(client), record, group, extra)?;
        let group = self.table.info(child).map_or(0, |info| u64::from(info.group));
        Ok([u64::from(child), group])
    }

    fn wait(&mut self, pid: Pid, child: u64, flags: u64) -> Reply {
        let child = match child {
            0 => Children::Any,
            other => Children::Process(other as Pid),
        };
        let wait = Wait {
            parent: pid,
            child,
            stops: flags & 2 != 0,
        };
        if flags & 1 != 0 {
            return Reply::Now(match self.table.try_wait(wait) {
                Ok(Some(found)) => wait_reply(Ok(found)),
                Ok(None) => (protocol::OK, [0; 2]),
                Err(error) => wait_reply(Err(error)),
            });
        }
        match self.table.wait(wait) {
            Outcome::Reply(result) => Reply::Now(wait_reply(result)),
            Outcome::Park(ticket) => match self.slots.take() {
                Some(slot) if syscall::save_reply(slot).is_ok() => {
                    self.parked.insert(ticket, slot);
                    Reply::Later
                }
                taken => {
                    self.table.cancel(ticket);
                    if let Some(slot) = taken {
                        self.slots.give_back(slot);
                    }
                    Reply::from(Err(Error::NoMemory))
                }
            },
        }
    }

    fn kill(&mut self, who: u64, is_group: bool, signal: u64) -> Result<(), Error> {
        let who = Pid::try_from(who).map_err(|_| Error::NoProcess)?;
        let signal = signal_of(signal).ok_or(Error::BadArgument)?;
        let target = if is_group {
            Target::Group(who)
        } else {
            Target::Process(who)
        };
        self.send(target, signal)
    }

    fn list(&mut self, pid: Pid, from: u64) -> Result<[u64; 2], Error> {
        let buffer = self.lives.get(&pid).ok_or(Error::NoProcess)?.buffer;
        with_buffer(buffer, |bytes| {
            let (count, _, next) = self.write_processes(from, bytes);
            [count, next]
        })
    }

    /// Gives a server the I/O buffer of a program.
    fn connect_client(&self, pid: Pid, server: u64) -> Result<(), Error> {
        let life = self.lives.get(&pid).ok_or(Error::NoProcess)?;
        let server = match server {
            1 => own::TO_FILES,
            2 => own::TO_CONSOLE,
            _ => return Err(Error::BadArgument),
        };
        connect(server, life.client, life.buffer)
    }

    fn set_foreground(&mut self, pid: Pid, group: u64) -> Result<(), Error> {
        let group = Pid::try_from(group).map_err(|_| Error::NoProcess)?;
        self.table.set_foreground(pid, group).map_err(error_of)?;
        self.session = self.table.info(pid).map_err(error_of)?.session;
        tell_foreground();
        Ok(())
    }

    fn power_off(&mut self, pid: Pid, status: u64) -> Result<(), Error> {
        if !self.lives.get(&pid).is_some_and(|life| life.may_power_off) {
            return Err(Error::PermissionDenied);
        }
        let refused = syscall::power_off(slot::MACHINE, status);
        rt::println!("process: power-off refused: {refused}");
        Err(Error::Other)
    }
}

/// Where the I/O buffer of a program is mapped while it is looked at.
const BUFFER: u64 = address::CLIENTS - IO_SIZE;

/// Maps an I/O buffer, and takes it back afterwards. Its program waits for the reply; another thread of its may write to it
/// meanwhile, so what is read is copied before it is believed.
fn with_buffer<T>(buffer: u64, use_it: impl FnOnce(&mut [u8]) -> T) -> Result<T, Error> {
    syscall::map(slot::SPACE, 0, buffer, BUFFER, right::READ | right::WRITE).map_err(error_of_call)?;
    let start = core::ptr::with_exposed_provenance_mut::<u8>(BUFFER as usize);
    // SAFETY: the frame is mapped there until below, is as long, and this program has no other reference into it.
    let result = use_it(unsafe { core::slice::from_raw_parts_mut(start, IO_SIZE as usize) });
    syscall::unmap(0, buffer).map_err(error_of_call)?;
    Ok(result)
}
