//! The programs that live, and how they end.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use abi::layout::PAGE_SIZE;
use abi::start::right;
use abi::{Error, Message, Tag};
use kcore::placement::MAX_STACK;
use kcore::tar::Archive;
use processes::{Effect, Fate, Pid, Signal, State, Status, Table, Ticket};
use protocol::{PROCESS_SERVER_AS_CLIENT, files, status};
use root::{Addresses, Child, Chunks, Slots};

use crate::FAILURE;
use crate::registry::Provides;
use crate::shared::{Piece, Shared};
use crate::system::News;

/// Slots of this program's table.
pub(crate) mod own {
    /// The endpoint at which it receives.
    pub(crate) const SERVICE: u64 = 4000;
    /// The notification of the console's keys.
    pub(crate) const SIGNALS: u64 = 4001;
    /// The endpoint of the file server, and the same with this server's badge, see `FILES_AS_CLIENT` too.
    pub(crate) const FILES: u64 = 4002;
    pub(crate) const TO_FILES: u64 = 4003;
    /// Those of the console server.
    pub(crate) const CONSOLE: u64 = 4004;
    pub(crate) const TO_CONSOLE: u64 = 4005;
    /// The notification of the serial port's interrupt.
    pub(crate) const EVENTS: u64 = 4006;
    /// The serial port's registers.
    pub(crate) const REGISTERS: u64 = 4007;
    /// The own I/O buffer, and the file server's endpoint with the badge of the client that this server is.
    pub(crate) const BUFFER: u64 = 4008;
    pub(crate) const FILES_AS_CLIENT: u64 = 4009;
    /// Where a capability of a message goes.
    pub(crate) const RECEIVED: u64 = 4010;
    /// The endpoint of the registry of names, and the same with this server's badge.
    pub(crate) const NAMES: u64 = 4011;
    pub(crate) const TO_NAMES: u64 = 4012;
    /// All others, for whatever is needed.
    pub(crate) const REST: core::ops::Range<u64> = 4096..16384;
}

/// How much a stack grows at least, in bytes.
const STACK_STEP: u64 = 16 << 10;

/// Badges from here on are those of servers.
pub(crate) const SERVERS: u64 = 1 << 32;

/// A program that lives.
pub(crate) struct Life {
    pub(crate) child: Child,
    /// What servers know it by: a number below [`PROCESS_SERVER_AS_CLIENT`] that no other program that lives has.
    pub(crate) client: u64,
    /// Slot of the frame of its I/O buffer.
    pub(crate) buffer: u64,
    /// Whether it may switch the machine off.
    pub(crate) may_power_off: bool,
    /// Whether the interrupt key does not end it, and whether it was hit.
    pub(crate) holds_interrupts: bool,
    pub(crate) was_interrupted: bool,
    /// The same for being asked to end.
    pub(crate) holds_terminate: bool,
    pub(crate) was_asked_to_end: bool,
    /// Its arguments, each with a zero byte behind it.
    pub(crate) arguments: String,
    /// Bytes of its heap, and of its stack.
    pub(crate) heap: u64,
    pub(crate) stack: u64,
    /// Which names it may provide, whether the registry knows it, and how many endpoints it has got.
    pub(crate) provides: Provides,
    pub(crate) knows_names: bool,
    pub(crate) endpoints: u64,
    /// Untyped memory that it has of its own.
    pub(crate) pieces: Vec<Piece>,
}

/// What the process server knows.
pub(crate) struct Server {
    pub(crate) initrd: Archive<'static>,
    pub(crate) addresses: Addresses,
    pub(crate) chunks: Chunks,
    pub(crate) slots: Box<Slots>,
    pub(crate) table: Table,
    pub(crate) lives: BTreeMap<Pid, Life>,
    /// The process behind each client number.
    pub(crate) clients: Vec<Option<Pid>>,
    /// Slots of the replies that wait.
    pub(crate) parked: BTreeMap<Ticket, u64>,
    /// The session whose foreground the keys are for.
    pub(crate) session: Pid,
    pub(crate) memory: u64,
    pub(crate) shared: Shared,
    /// The other servers. They live as long as the system.
    pub(crate) servers: Vec<Child>,
    /// What the first process waits for.
    pub(crate) news: News,
    /// Whether the file server has the own I/O buffer.
    pub(crate) is_connected: bool,
    /// Whether the registry of names runs.
    pub(crate) has_registry: bool,
}

impl Server {
    /// The process that a message comes from.
    pub(crate) fn process_of(&self, badge: u64) -> Option<Pid> {
        *self.clients.get(usize::try_from(badge).ok()?)?
    }

    /// A number for a new client.
    pub(crate) fn free_client(&mut self) -> Option<u64> {
        if let Some(free) = self.clients.iter().skip(1).position(Option::is_none) {
            return Some(free as u64 + 1);
        }
        let next = self.clients.len() as u64;
        (next < PROCESS_SERVER_AS_CLIENT).then(|| {
            self.clients.push(None);
            next
        })
    }

    /// Takes everything from a program, and its servers' memory of it. Its entry in the table stays.
    pub(crate) fn destroy(&mut self, pid: Pid) {
        let Some(life) = self.lives.remove(&pid) else {
            return;
        };
        // It must not touch what the servers are about to forget: neither the threads that it made of its own memory, nor
        // the first one, which they could have let go on.
        let _ = syscall::thread_suspend(life.child.thread);
        self.forget_client(life.client);
        if !life.pieces.is_empty() {
            self.take_pieces(&life);
            let _ = syscall::thread_suspend(life.child.thread);
            self.forget_client(life.client);
        }
        if life.knows_names {
            self.forget_names(pid);
        }
        self.close_ends(pid);
        life.child.end(&mut self.chunks, &mut self.slots);
        self.slots.give_back(life.buffer);
        if let Some(place) = self.clients.get_mut(life.client as usize) {
            *place = None;
        }
    }

    /// Makes the servers forget a client.
    pub(crate) fn forget_client(&self, client: u64) {
        for server in [own::TO_FILES, own::TO_CONSOLE] {
            // A server that is not there has nothing to forget.
            let _ = syscall::call(server, Tag::new(files::GONE).0, client, 0, 0, 0);
        }
    }

    /// A process has ended.
    pub(crate) fn ended(&mut self, pid: Pid, fate: Fate) {
        self.destroy(pid);
        if pid == Table::FIRST {
            let status = match fate {
                Fate::Exited(code) => u64::from(code),
                Fate::Killed(_) | Fate::Faulted(_) => {
                    rt::println!("process: the first process ended: {fate:?}");
                    FAILURE
                }
            };
            let refused = syscall::power_off(abi::start::slot::MACHINE, status);
            rt::println!("process: power-off refused: {refused}");
        }
        let _ = self.table.ended(pid, fate);
        self.news.may_be = true;
    }

    /// Does what the table asks for, and answers who waited.
    pub(crate) fn settle(&mut self) {
        while let Some(effect) = self.table.effect() {
            let life = self.lives.get(&effect.process());
            let known = life.map(|life| (life.child.thread, life.client));
            match (effect, known) {
                (Effect::Destroy(pid, signal), _) => self.ended(pid, Fate::Killed(signal)),
                (Effect::Suspend(_), Some((thread, client))) => {
                    let _ = syscall::thread_suspend(thread);
                    pause(client, true);
                }
                (Effect::Resume(_), Some((thread, client))) => {
                    pause(client, false);
                    let _ = syscall::thread_resume(thread);
                }
                _ => {}
            }
        }
        while let Some(completed) = self.table.ready() {
            let Some(slot) = self.parked.remove(&completed.ticket) else {
                continue;
            };
            let (label, words) = wait_reply(completed.result);
            if syscall::reply(slot, Tag::new(label).0, words[0], words[1], 0, 0).is_err() {
                let _ = syscall::capability_delete(0, slot);
            }
            self.slots.give_back(slot);
        }
        self.tell_news();
    }

    /// The keys that interrupt and stop, and what the file server asks.
    pub(crate) fn signalled(&mut self, bits: u64) {
        if bits & protocol::signal_bit::PROCESSES != 0 {
            self.tell_processes();
        }
        if bits & protocol::signal_bit::READERS != 0 {
            self.judge_readers();
        }
        let Some(group) = self.table.foreground(self.session) else {
            return;
        };
        for (bit, signal) in [
            (protocol::signal_bit::INTERRUPT, Signal::Interrupt),
            (protocol::signal_bit::STOP, Signal::Stop),
        ] {
            if bits & bit == 0 {
                continue;
            }
            for info in self.table.processes() {
                let is_meant = info.group == group && !matches!(info.state, State::Ended(_));
                match self.lives.get_mut(&info.pid) {
                    Some(life) if is_meant && life.holds_interrupts => {
                        life.was_interrupted |= signal == Signal::Interrupt
                    }
                    Some(_) if is_meant => {
                        // Whoever has ended meanwhile needs no signal.
                        let _ = self.table.kill(processes::Target::Process(info.pid), signal);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Maps more stack when a program has used what lies below its own, within limits. Returns whether it may go on.
    fn grow_stack(&mut self, badge: u64, address: u64) -> bool {
        let Some(pid) = self.process_of(badge) else {
            return false;
        };
        let Some(life) = self.lives.get_mut(&pid) else {
            return false;
        };
        let top = life.child.placement.stack_top;
        let bottom = top - life.stack;
        if address >= bottom || address < top - MAX_STACK {
            return false;
        }
        let from = (address / STACK_STEP * STACK_STEP).max(top - MAX_STACK);
        let pages = (bottom - from) / PAGE_SIZE;
        let access = right::READ | right::WRITE;
        let grown = life
            .child
            .fill(from, pages, access, &mut self.chunks, &mut self.slots, |_, _| {});
        life.stack = top - from;
        grown.is_ok()
    }

    /// A program has done what it may not do.
    pub(crate) fn faulted(&mut self, message: &Message) {
        let [number, address, counter, _] = message.words;
        if self.grow_stack(message.badge, address) {
            // Its caller goes on where it was.
            let _ = syscall::reply(0, Tag::new(protocol::OK).0, 0, 0, 0, 0);
            return;
        }
        let Some(pid) = self.process_of(message.badge) else {
            let server = message.badge.wrapping_sub(SERVERS);
            let image = self.servers.get((server as usize).wrapping_sub(1));
            let image = image.map_or(0, |child| child.placement.image);
            rt::println!(
                "process: server {server} failed: fault {number} at {address:#x}, program counter {counter:#x}, \
                 image at {image:#x}"
            );
            let _ = syscall::power_off(abi::start::slot::MACHINE, FAILURE);
            return;
        };
        self.ended(pid, Fate::Faulted(number as u32));
    }
}

/// Tells the console that a client is stopped, or goes on.
fn pause(client: u64, is_stopped: bool) {
    // Without a console nobody reads from it.
    let _ = syscall::call(
        own::TO_CONSOLE,
        Tag::new(files::PAUSE).0,
        client,
        is_stopped.into(),
        0,
        0,
    );
}

/// Label and words of the reply to who waits.
pub(crate) fn wait_reply(result: Result<(Pid, Status), processes::Error>) -> (u32, [u64; 2]) {
    match result {
        Ok((pid, found)) => {
            let status = match found {
                Status::Stopped => status::STOPPED,
                Status::Ended(Fate::Exited(code)) => u64::from(code),
                Status::Ended(Fate::Killed(signal)) => status::SIGNALLED + number_of(signal),
                Status::Ended(Fate::Faulted(number)) => status::FAULTED + u64::from(number),
            };
            (protocol::OK, [u64::from(pid), status])
        }
        Err(error) => (error_of(error) as u32, [0; 2]),
    }
}

/// Number of a signal.
pub(crate) fn number_of(signal: Signal) -> u64 {
    use protocol::process::signal;
    match signal {
        Signal::Interrupt => signal::INTERRUPT,
        Signal::Kill => signal::KILL,
        Signal::Terminate => signal::TERMINATE,
        Signal::Stop => signal::STOP,
        Signal::Continue => signal::CONTINUE,
    }
}

/// The signal with a number.
pub(crate) fn signal_of(number: u64) -> Option<Signal> {
    [
        Signal::Interrupt,
        Signal::Kill,
        Signal::Terminate,
        Signal::Stop,
        Signal::Continue,
    ]
    .into_iter()
    .find(|&signal| number_of(signal) == number)
}

/// What a program gets to know about an error of the table.
pub(crate) fn error_of(error: processes::Error) -> protocol::Error {
    match error {
        processes::Error::NotFound => protocol::Error::NoProcess,
        processes::Error::NoChild => protocol::Error::NoChild,
        processes::Error::NotPermitted => protocol::Error::PermissionDenied,
        processes::Error::TooMany => protocol::Error::TooManyProcesses,
        processes::Error::BadName => protocol::Error::BadName,
    }
}

/// What a program gets to know about an error of the kernel.
pub(crate) fn error_of_call(error: Error) -> protocol::Error {
    match error {
        Error::NoMemory | Error::TooMany => protocol::Error::NoMemory,
        _ => protocol::Error::Other,
    }
}

/// Nanoseconds that a thread ran.
pub(crate) fn processor_time(thread: u64) -> u64 {
    let mut numbers = [0; 24];
    match syscall::thread_info(thread, &mut numbers) {
        Ok(_) => numbers[8..16]
            .iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u64::from(byte)),
        Err(_) => 0,
    }
}
