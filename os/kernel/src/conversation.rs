//! The short way of a conversation: a call to a server that waits, and its reply to a client that waits, without
//! capabilities, time limits and lent priorities. It does what `ipc` would do, but looks each object up once, and the CPU
//! goes from one program to the other without asking who else could run: the other one has the rest of the slice. Whatever
//! is not as it usually is goes the long way, before anything has changed.

use abi::{SystemCall, Tag, WORDS};
use hal::Event;
use kcore::capability::{self, Capability, Kind, Rights};
use kcore::objects::{Handle, Objects};

use crate::endpoint::Waiting;
use crate::object::{Entry, Object};
use crate::queue::Queue;
use crate::schedule::Cpu;
use crate::state::{KERNEL, Kernel};
use crate::thread::{Caller, Running, State, Thread};

/// The arguments of the two calls.
struct Arguments {
    slot: u64,
    tag: u64,
    words: [u64; WORDS],
}

/// Runs a thread, and those that it talks with in its stead, until something happens that takes more than that.
#[inline]
pub(crate) fn converse(cpu: usize, running: &mut Running) -> Event {
    loop {
        let event = running.context.run();
        if event != Event::Call {
            return event;
        }
        let (number, [slot, tag, words @ ..]) = running.context.call();
        let is_call = number == SystemCall::Call as u64;
        if !is_call && number != SystemCall::ReplyReceive as u64 || tag > u64::from(u32::MAX) {
            return event;
        }
        let arguments = Arguments { slot, tag, words };
        let mut guard = KERNEL.lock();
        let Some(kernel) = guard.as_mut() else {
            return event;
        };
        let space = if is_call {
            kernel.quick_call(cpu, running, &arguments)
        } else {
            kernel.quick_reply_receive(cpu, running, &arguments)
        };
        let Some(space) = space else {
            return event;
        };
        if !kernel.go_to_space(cpu, space) {
            // Somebody else has to be chosen.
            return Event::Kick;
        }
    }
}

impl Kernel {
    /// What a thread has in a slot: an endpoint, with some right.
    #[inline(always)]
    fn endpoint_in(&self, thread: &Thread, slot: u64, rights: Rights) -> Option<&Capability> {
        let slots = self.objects.table(thread.table)?;
        let slot = capability::lookup(slots, slot).ok()?;
        slot.expect(Kind::Endpoint, rights).ok()
    }

    /// The call `call`. Returns the address space of the thread that runs then; `None` when nothing has changed.
    #[inline(always)]
    fn quick_call(&mut self, cpu: usize, running: &mut Running, arguments: &Arguments) -> Option<Handle> {
        let me = running.thread;
        let client = self.objects.thread(me)?;
        let capability = self.endpoint_in(client, arguments.slot, Rights::WRITE)?;
        let (object, badge) = (capability.object, capability.badge);
        let endpoint = self.objects.endpoint(object)?;
        let receiver = endpoint.queue.only()?;
        if endpoint.waiting != Waiting::Receivers {
            return None;
        }
        let (client, server) = two_threads(&mut self.objects.0, me, receiver)?;
        pass_on(self.cpus.get_mut(cpu)?, running, receiver, client, server)?;
        self.switches += 1;
        client.calls += 1;
        client.state = State::Calling;
        server.caller = Caller {
            thread: me,
            call: client.calls,
        };
        let space = server.space;
        running.receive(badge, arguments.tag | Tag::CALL, arguments.words);
        if let Some(endpoint) = self.objects.endpoint_mut(object) {
            endpoint.queue = Queue::EMPTY;
        }
        Some(space)
    }

    /// The call `reply_receive`. Returns what [`Self::quick_call`] does.
    #[inline(always)]
    fn quick_reply_receive(
        &mut self,
        cpu: usize,
        running: &mut Running,
        arguments: &Arguments,
    ) -> Option<Handle> {
        let me = running.thread;
        let server = self.objects.thread(me)?;
        let object = self.endpoint_in(server, arguments.slot, Rights::READ)?.object;
        let (caller, bound) = (server.caller, server.notification);
        if !self.objects.endpoint(object)?.queue.is_empty() {
            return None;
        }
        if !bound.is_none() && self.objects.notification(bound).is_some_and(|bound| bound.bits != 0) {
            return None;
        }
        let (server, client) = two_threads(&mut self.objects.0, me, caller.thread)?;
        if client.state != State::Calling
            || client.calls != caller.call
            || client.outgoing.is_fault
            || server.scheduling.inherited().is_some()
        {
            return None;
        }
        pass_on(self.cpus.get_mut(cpu)?, running, caller.thread, server, client)?;
        self.switches += 1;
        server.caller = Caller::NONE;
        server.state = State::Receiving;
        server.waits_at = object;
        let space = client.space;
        running.receive(0, arguments.tag, arguments.words);
        if let Some(endpoint) = self.objects.endpoint_mut(object) {
            endpoint.queue = Queue::of(me);
            endpoint.waiting = Waiting::Receivers;
            endpoint.server = me;
        }
        Some(space)
    }

    /// Goes over to an address space if it is not active already. Returns whether there is one.
    #[inline(always)]
    fn go_to_space(&mut self, cpu: usize, space: Handle) -> bool {
        self.cpus.get(cpu).is_some_and(|local| local.space == space) || self.enter_space(cpu, space)
    }
}

impl Running {
    /// A message arrives.
    #[inline(always)]
    fn receive(&mut self, badge: u64, tag: u64, [a, b, c, d]: [u64; WORDS]) {
        self.context.set_message(badge, [tag, a, b, c, d]);
    }
}

/// Passes the CPU on to a thread that waits. `None`, and nothing has changed, when that takes more than this.
#[inline(always)]
fn pass_on(
    local: &mut Cpu,
    running: &mut Running,
    next: Handle,
    giver: &mut Thread,
    taker: &mut Thread,
) -> Option<()> {
    if taker.suspended || taker.timer.is_queued() || taker.context.is_none() {
        return None;
    }
    if local.current != running.thread || local.has_to_choose() {
        return None;
    }
    if !local
        .queue
        .pass_on(&mut giver.scheduling, &mut taker.scheduling)
    {
        return None;
    }
    if let Some(context) = taker.context.take() {
        giver.context = Some(core::mem::replace(&mut running.context, context));
    }
    running.thread = next;
    local.current = next;
    taker.state = State::Running;
    taker.cpu = giver.cpu;
    Some(())
}

/// Two different threads, to change.
#[inline(always)]
fn two_threads(objects: &mut Objects<Entry>, a: Handle, b: Handle) -> Option<(&mut Thread, &mut Thread)> {
    let (a, b) = objects.get_pair_mut(a, b)?;
    match (&mut a.object, &mut b.object) {
        (Object::Thread(a), Object::Thread(b)) => Some((a, b)),
        _ => None,
    }
}
