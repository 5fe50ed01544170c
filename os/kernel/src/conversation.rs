//! The short way of a conversation: a call to a server that waits, and its reply to a client that waits, without
//! capabilities, time limits and lent priorities. It does what `ipc` would do, but looks each object up once, and the CPU
//! goes from one program to the other without asking who else could run: the other one has the rest of the slice. Whatever
//! is not as it usually is goes the long way, before anything has changed.

use abi::{SystemCall, Tag};
use hal::Event;
use kcore::capability::{self, Capability, Kind, Rights};
use kcore::objects::{Handle, Objects};

use crate::endpoint::{Endpoint, Waiting};
use crate::object::{Entry, Object};
use crate::queue::Queue;
use crate::schedule::Cpu;
use crate::state::{KERNEL, Kernel};
use crate::thread::{Caller, Running, State, Thread};

/// Runs a thread, and those that it talks with in its stead, until something happens that takes more than that.
///
/// Nothing is in this function but what a message needs: so little of its state has to be put aside while programs run.
#[inline(never)]
pub(crate) fn converse(cpu: usize, running: &mut Running) -> Event {
    loop {
        let event = running.context.run();
        if event != Event::Call {
            return event;
        }
        let (number, [slot, tag, ..]) = running.context.call();
        let is_call = number == SystemCall::Call as u64;
        if !is_call && number != SystemCall::ReplyReceive as u64 || tag > u64::from(u32::MAX) {
            return event;
        }
        let mut guard = KERNEL.lock();
        let Some(kernel) = guard.as_mut() else {
            return event;
        };
        let space = if is_call {
            kernel.quick_call(cpu, running, slot)
        } else {
            kernel.quick_reply_receive(cpu, running, slot)
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
    fn quick_call(&mut self, cpu: usize, running: &mut Running, slot: u64) -> Option<Handle> {
        let me = running.thread;
        let client = self.objects.thread(me)?;
        let capability = self.endpoint_in(client, slot, Rights::WRITE)?;
        let (object, badge) = (capability.object, capability.badge);
        let receiver = self.objects.endpoint(object)?.queue.only()?;
        let (client, server, endpoint) = meeting(&mut self.objects.0, me, receiver, object)?;
        if endpoint.waiting != Waiting::Receivers {
            return None;
        }
        pass_on(
            self.cpus.get_mut(cpu)?,
            running,
            receiver,
            client,
            server,
            badge,
            Tag::CALL,
        )?;
        self.switches += 1;
        endpoint.queue = Queue::EMPTY;
        client.calls += 1;
        client.state = State::Calling;
        server.caller = Caller {
            thread: me,
            call: client.calls,
        };
        Some(server.space)
    }

    /// The call `reply_receive`. Returns what [`Self::quick_call`] does.
    #[inline(always)]
    fn quick_reply_receive(&mut self, cpu: usize, running: &mut Running, slot: u64) -> Option<Handle> {
        let me = running.thread;
        let server = self.objects.thread(me)?;
        let object = self.endpoint_in(server, slot, Rights::READ)?.object;
        let (caller, bound) = (server.caller, server.notification);
        if !bound.is_none()
            && self
                .objects
                .notification(bound)
                .is_some_and(|bound| bound.bits != 0)
        {
            return None;
        }
        let (server, client, endpoint) = meeting(&mut self.objects.0, me, caller.thread, object)?;
        if client.state != State::Calling
            || client.calls != caller.call
            || client.outgoing.is_fault
            || server.scheduling.inherited().is_some()
            || !endpoint.queue.is_empty()
            || endpoint.is_gate()
        {
            return None;
        }
        pass_on(
            self.cpus.get_mut(cpu)?,
            running,
            caller.thread,
            server,
            client,
            0,
            0,
        )?;
        self.switches += 1;
        endpoint.queue = Queue::of(me);
        endpoint.waiting = Waiting::Receivers;
        endpoint.server = me;
        server.caller = Caller::NONE;
        server.state = State::Receiving;
        server.waits_at = object;
        Some(client.space)
    }

    /// Goes over to an address space if it is not active already. Returns whether there is one.
    #[inline(always)]
    fn go_to_space(&mut self, cpu: usize, space: Handle) -> bool {
        self.cpus.get(cpu).is_some_and(|local| local.space == space) || self.enter_space(cpu, space)
    }
}

/// Passes the CPU on to a thread that waits, with the tag and the words of the running thread's call, and with a badge and
/// a flag that the kernel adds. `None`, and nothing has changed, when that takes more than this.
#[inline(always)]
fn pass_on(
    local: &mut Cpu,
    running: &mut Running,
    next: Handle,
    giver: &mut Thread,
    taker: &mut Thread,
    badge: u64,
    flag: u64,
) -> Option<()> {
    if taker.suspended || taker.timer.is_queued() || taker.context.is_none() {
        return None;
    }
    if local.current != running.thread || local.has_to_choose() {
        return None;
    }
    if !local.queue.pass_on(&mut giver.scheduling, &mut taker.scheduling) {
        return None;
    }
    if let Some(mut context) = taker.context.take() {
        let (_, [_, tag, a, b, c, d]) = running.context.call();
        context.set_message(badge, [tag | flag, a, b, c, d]);
        giver.context = Some(core::mem::replace(&mut running.context, context));
    }
    running.thread = next;
    local.current = next;
    taker.state = State::Running;
    taker.cpu = giver.cpu;
    Some(())
}

/// Two different threads and an endpoint, to change.
#[inline(always)]
fn meeting(
    objects: &mut Objects<Entry>,
    a: Handle,
    b: Handle,
    endpoint: Handle,
) -> Option<(&mut Thread, &mut Thread, &mut Endpoint)> {
    match objects
        .get_three_mut(a, b, endpoint)?
        .map(|entry| &mut entry.object)
    {
        [Object::Thread(a), Object::Thread(b), Object::Endpoint(endpoint)] => Some((a, b, endpoint)),
        _ => None,
    }
}
