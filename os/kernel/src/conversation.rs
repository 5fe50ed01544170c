//! The short way of a conversation: a call to a server that waits, and its reply to a client that waits, without
//! capabilities, time limits and lent priorities. It does what `ipc` would do, with each object looked up once. Whatever
//! is not as it usually is goes the long way, before anything has changed.

use abi::{Tag, WORDS};
use kcore::capability::{Kind, Rights};
use kcore::objects::Handle;

use crate::endpoint::Waiting;
use crate::object::{Entry, Object};
use crate::queue::Queue;
use crate::state::Kernel;
use crate::thread::{Caller, State, Thread};

impl Kernel {
    /// The call `call`. Returns whether it was done.
    #[inline]
    pub(crate) fn quick_call(
        &mut self,
        cpu: usize,
        me: Handle,
        slot: u64,
        tag: u64,
        words: [u64; WORDS],
    ) -> bool {
        if tag > u64::from(u32::MAX) {
            return false;
        }
        let Ok(capability) = self.capability(me, slot, Kind::Endpoint, Rights::WRITE) else {
            return false;
        };
        let Some(endpoint) = self.objects.endpoint(capability.object) else {
            return false;
        };
        if endpoint.waiting != Waiting::Receivers {
            return false;
        }
        let Some(receiver) = endpoint.queue.only() else {
            return false;
        };
        let Some((client, server)) = two_threads(&mut self.objects.0, me, receiver) else {
            return false;
        };
        let local = &mut self.cpus[cpu];
        if server.suspended || server.timer.is_queued() || server.context.is_none() {
            return false;
        }
        if local.current != me
            || !local
                .queue
                .pass_on(&mut client.scheduling, &mut server.scheduling)
        {
            return false;
        }
        client.calls += 1;
        client.state = State::Calling;
        client.waits_at = Handle::NONE;
        server.caller = Caller {
            thread: me,
            call: client.calls,
        };
        server.waits_at = Handle::NONE;
        start(server, cpu, capability.badge, tag | Tag::CALL, words);
        local.current = receiver;
        self.switches += 1;
        if let Some(endpoint) = self.objects.endpoint_mut(capability.object) {
            endpoint.queue = Queue::EMPTY;
        }
        true
    }

    /// The call `reply_receive`. Returns whether it was done.
    #[inline]
    pub(crate) fn quick_reply_receive(
        &mut self,
        cpu: usize,
        me: Handle,
        slot: u64,
        tag: u64,
        words: [u64; WORDS],
    ) -> bool {
        if tag > u64::from(u32::MAX) {
            return false;
        }
        let Ok(capability) = self.capability(me, slot, Kind::Endpoint, Rights::READ) else {
            return false;
        };
        let Some(server) = self.objects.thread(me) else {
            return false;
        };
        let caller = server.caller;
        let Some(endpoint) = self.objects.endpoint(capability.object) else {
            return false;
        };
        if !endpoint.queue.is_empty() {
            return false;
        }
        let Some((server, client)) = two_threads(&mut self.objects.0, me, caller.thread) else {
            return false;
        };
        let usual = server.notification.is_none()
            && server.scheduling.inherited().is_none()
            && client.state == State::Calling
            && client.calls == caller.call
            && !client.outgoing.is_fault
            && !client.suspended
            && !client.timer.is_queued()
            && client.context.is_some();
        let local = &mut self.cpus[cpu];
        if !usual
            || local.current != me
            || !local
                .queue
                .pass_on(&mut server.scheduling, &mut client.scheduling)
        {
            return false;
        }
        server.caller = Caller::NONE;
        server.state = State::Receiving;
        server.waits_at = capability.object;
        server.next = Handle::NONE;
        server.previous = Handle::NONE;
        start(client, cpu, 0, tag, words);
        local.current = caller.thread;
        self.switches += 1;
        if let Some(endpoint) = self.objects.endpoint_mut(capability.object) {
            endpoint.queue = Queue::of(me);
            endpoint.waiting = Waiting::Receivers;
            endpoint.server = me;
        }
        true
    }
}

/// Lets a thread run that got a message.
#[inline]
fn start(thread: &mut Thread, cpu: usize, badge: u64, tag: u64, [a, b, c, d]: [u64; WORDS]) {
    thread.state = State::Running;
    thread.cpu = cpu;
    if let Some(context) = &mut thread.context {
        context.set_message(badge, [tag, a, b, c, d]);
    }
}

/// Two different threads, to change.
#[inline]
fn two_threads(
    objects: &mut kcore::objects::Objects<Entry>,
    a: Handle,
    b: Handle,
) -> Option<(&mut Thread, &mut Thread)> {
    let (a, b) = objects.get_pair_mut(a, b)?;
    match (&mut a.object, &mut b.object) {
        (Object::Thread(a), Object::Thread(b)) => Some((a, b)),
        _ => None,
    }
}
