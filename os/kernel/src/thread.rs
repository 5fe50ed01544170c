//! Threads.

use core::ops::{Deref, DerefMut};

use abi::WORDS;
use hal::{Context, FpuState, Stored};
use kcore::heap_queue::Node;
use kcore::objects::Handle;
use kcore::scheduler::Scheduling;

use crate::schedule::Parameters;

/// A thread's registers.
#[derive(Debug)]
pub(crate) struct Registers {
    context: Context,
    /// From its first use of floating point on.
    pub(crate) fpu: Option<FpuState>,
}

impl Registers {
    /// Those of a program that is about to start.
    pub(crate) fn new(entry: u64, stack: u64, argument: u64) -> Self {
        Self {
            context: Context::new(entry, stack, argument),
            fpu: None,
        }
    }

    /// Runs the program until something happens.
    #[inline]
    pub(crate) fn run(&mut self) -> hal::Event {
        hal::run(&mut self.context, self.fpu.as_mut())
    }
}

impl Deref for Registers {
    type Target = Context;

    #[inline]
    fn deref(&self) -> &Context {
        &self.context
    }
}

impl DerefMut for Registers {
    #[inline]
    fn deref_mut(&mut self) -> &mut Context {
        &mut self.context
    }
}

/// A thread that a CPU runs, with the registers, which nobody else has meanwhile.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) thread: Handle,
    pub(crate) context: Stored<Registers>,
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It has not been started, or has ended.
    Stopped,
    /// It waits for a CPU.
    Ready,
    /// A CPU runs it.
    Running,
    /// It waits at an endpoint until its message is received.
    Sending,
    /// It waits at an endpoint for a message.
    Receiving,
    /// It waits for the reply to its call.
    Calling,
    /// It waits for a notification.
    Waiting,
    /// It waits for a time.
    Sleeping,
    /// It has faulted and nobody has told it to go on.
    Faulted,
}

/// The right to reply to one call of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Who called.
    pub(crate) thread: Handle,
    /// Which of its calls it was.
    pub(crate) call: u64,
}

impl Caller {
    /// Nobody.
    pub(crate) const NONE: Self = Self {
        thread: Handle::NONE,
        call: 0,
    };
}

/// What a waiting sender wants to send.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) badge: u64,
    pub(crate) tag: u64,
    pub(crate) words: [u64; WORDS],
    /// Whether it waits for a reply.
    pub(crate) is_call: bool,
    /// Whether the kernel sends it for the thread, to report a fault.
    pub(crate) is_fault: bool,
}

/// A thread.
#[derive(Debug)]
pub(crate) struct Thread {
    /// Its registers; `None` while a CPU runs it.
    pub(crate) context: Option<Stored<Registers>>,
    pub(crate) state: State,
    /// Stopped from outside: it does not run whatever its state is.
    pub(crate) suspended: bool,
    pub(crate) table: Handle,
    pub(crate) space: Handle,
    /// Where its faults are reported, with which badge.
    pub(crate) faults: Handle,
    pub(crate) faults_badge: u64,
    /// The notification that ends its waiting for messages.
    pub(crate) notification: Handle,
    /// Slot for the capability of a message; 0 for none.
    pub(crate) receive_slot: u32,
    /// Neighbours in the queue of an endpoint or notification.
    pub(crate) next: Handle,
    pub(crate) previous: Handle,
    /// That endpoint or notification.
    pub(crate) waits_at: Handle,
    pub(crate) outgoing: Outgoing,
    /// Who waits for its reply.
    pub(crate) caller: Caller,
    /// How often it has called: tells a late reply from a due one.
    pub(crate) calls: u64,
    /// Its call has changed what it should change, and waits for what has ended to be gone.
    pub(crate) draining: bool,
    /// The CPU that runs it, or ran it last.
    pub(crate) cpu: usize,
    pub(crate) parameters: Parameters,
    pub(crate) scheduling: Scheduling,
    /// Its time limit, in the queue of `timer_cpu`.
    pub(crate) timer: Node,
    pub(crate) timer_cpu: usize,
    /// Nanoseconds that it ran.
    pub(crate) time: u64,
}

impl Thread {
    /// A thread that has nothing yet.
    pub(crate) fn new(context: Stored<Registers>, cpu: usize) -> Self {
        Self {
            context: Some(context),
            state: State::Stopped,
            suspended: false,
            table: Handle::NONE,
            space: Handle::NONE,
            faults: Handle::NONE,
            faults_badge: 0,
            notification: Handle::NONE,
            receive_slot: 0,
            next: Handle::NONE,
            previous: Handle::NONE,
            waits_at: Handle::NONE,
            outgoing: Outgoing::default(),
            caller: Caller::NONE,
            calls: 0,
            draining: false,
            cpu,
            parameters: Parameters::default(),
            scheduling: Scheduling::new(Parameters::default().class, Parameters::default().cpus),
            timer: Node::NEW,
            timer_cpu: 0,
            time: 0,
        }
    }
}
