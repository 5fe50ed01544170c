//! Messages: sending, receiving, calling and replying.
//!
//! A call passes the CPU to the receiver at once, and its reply passes it back: neither goes through a run queue. The time
//! counts as the caller's, whose turn it is, and the receiver inherits the caller's priority until it has replied.

use abi::layout::USER_END;
use abi::{Error, Fault, Tag, WORDS};
use kcore::capability::{Kind, Rights, SlotRef, Slots, tree};
use kcore::objects::Handle;

use crate::endpoint::Waiting;
use crate::state::{Kernel, Outcome};
use crate::thread::{Caller, Outgoing, State};

/// Nothing times out.
pub(crate) const FOREVER: u64 = u64::MAX;

/// Result registers behind the status: tag and words.
pub(crate) type Payload = [u64; 1 + WORDS];

impl Kernel {
    /// The calls `send`, `call` and `call_timeout`.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "the registers of one call")]
    pub(crate) fn call_send(
        &mut self,
        cpu: usize,
        me: Handle,
        slot: u64,
        tag: u64,
        words: [u64; WORDS],
        is_call: bool,
        timeout: u64,
    ) -> Result<Outcome, Error> {
        let capability = self.capability(me, slot, Kind::Endpoint, Rights::WRITE)?;
        if !Tag(tag).may_be_sent() {
            return Err(Error::BadArgument);
        }
        if Tag(tag).has_capability() {
            if !capability.rights.contains(Rights::GRANT) {
                return Err(Error::NotPermitted);
            }
            self.held_slot(me, words[WORDS - 1])?;
        }
        let outgoing = Outgoing {
            badge: capability.badge,
            tag,
            words,
            is_call,
            is_fault: false,
        };
        self.send(cpu, me, capability.object, outgoing, timeout)
    }

    /// Sends a message of a thread that has been running: delivers it, or lets the thread wait.
    #[inline]
    fn send(
        &mut self,
        cpu: usize,
        me: Handle,
        endpoint: Handle,
        outgoing: Outgoing,
        timeout: u64,
    ) -> Result<Outcome, Error> {
        let mut endpoint = endpoint;
        let mut place = self.objects.endpoint(endpoint).ok_or(Error::NotFound)?;
        if place.is_gate() {
            endpoint = self.pass_gate(endpoint, outgoing.is_fault)?;
            place = self.objects.endpoint(endpoint).ok_or(Error::PeerGone)?;
        }
        let Some(receiver) = place.receiver() else {
            return self.queue_sender(cpu, me, endpoint, outgoing, timeout);
        };
        self.leave_queue(receiver);
        self.deliver(me, receiver, &outgoing);
        if !outgoing.is_call {
            self.make_ready(cpu, receiver);
            return Ok(Outcome::Done(0));
        }
        self.block_for(cpu, me, State::Calling, Handle::NONE, timeout, receiver);
        Ok(Outcome::Blocked)
    }

    fn queue_sender(
        &mut self,
        cpu: usize,
        me: Handle,
        endpoint: Handle,
        outgoing: Outgoing,
        timeout: u64,
    ) -> Result<Outcome, Error> {
        if timeout == 0 {
            return Err(Error::TimedOut);
        }
        if let Some(thread) = self.objects.thread_mut(me) {
            thread.outgoing = outgoing;
        }
        let server = self
            .objects
            .endpoint(endpoint)
            .map_or(Handle::NONE, |endpoint| endpoint.server);
        self.enqueue(endpoint, me, Waiting::Senders);
        self.block(cpu, me, State::Sending, endpoint, timeout);
        self.lend_priority(cpu, me, server);
        Ok(Outcome::Blocked)
    }

    /// Adds a thread to the queue of an endpoint.
    fn enqueue(&mut self, handle: Handle, thread: Handle, waiting: Waiting) {
        let Some(queue) = self.objects.endpoint(handle).map(|endpoint| endpoint.queue) else {
            return;
        };
        let queue = queue.with(&mut self.objects, thread);
        if let Some(endpoint) = self.objects.endpoint_mut(handle) {
            endpoint.queue = queue;
            endpoint.waiting = waiting;
        }
    }

    /// Writes a message into the registers of a thread that waits for one.
    #[inline]
    fn deliver(&mut self, sender: Handle, receiver: Handle, outgoing: &Outgoing) {
        let mut tag = outgoing.tag & u64::from(u32::MAX);
        let mut words = outgoing.words;
        if outgoing.tag & Tag::CAPABILITY != 0 {
            match self.transfer(sender, receiver, outgoing.tag, words[WORDS - 1]) {
                Some(slot) => {
                    tag |= Tag::CAPABILITY;
                    words[WORDS - 1] = slot;
                }
                None => words[WORDS - 1] = 0,
            }
        }
        let mut caller = Caller::NONE;
        if outgoing.is_call {
            tag |= Tag::CALL;
            if let Some(sender_thread) = self.objects.thread_mut(sender) {
                sender_thread.calls += 1;
                caller = Caller {
                    thread: sender,
                    call: sender_thread.calls,
                };
            }
        }
        if outgoing.is_fault {
            tag |= Tag::FAULT;
        }
        let [a, b, c, d] = words;
        let Some(thread) = self.objects.thread_mut(receiver) else {
            return;
        };
        thread.caller = caller;
        if let Some(context) = &mut thread.context {
            context.set_message(outgoing.badge, [tag, a, b, c, d]);
        }
    }

    /// Copies or moves a capability from a sender's slot to where the receiver wants one. Returns that slot.
    fn transfer(&mut self, sender: Handle, receiver: Handle, tag: u64, slot: u64) -> Option<u64> {
        let from = self.held_slot(sender, slot).ok()?;
        let thread = self.objects.thread(receiver)?;
        let index = thread.receive_slot;
        if index == 0 || !self.objects.is_alive(thread.table) {
            return None;
        }
        let to = SlotRef {
            table: thread.table.index,
            index,
        };
        if tag & Tag::MOVE != 0 {
            if self.objects.slot(to).is_none_or(|slot| !slot.is_empty()) {
                return None;
            }
            self.unmap_slot(from);
            tree::move_(&mut self.objects, from, to).ok()?;
        } else {
            let capability = *self.objects.slot(from)?.capability();
            if capability.kind == Kind::Reply {
                return None;
            }
            tree::copy(&mut self.objects, from, to, Rights::ALL).ok()?;
            self.objects.retain(capability.object);
        }
        Some(u64::from(index))
    }

    /// The call `receive`.
    pub(crate) fn call_receive(
        &mut self,
        cpu: usize,
        me: Handle,
        slot: u64,
        timeout: u64,
    ) -> Result<Outcome, Error> {
        let endpoint = self.capability(me, slot, Kind::Endpoint, Rights::READ)?.object;
        self.drop_caller(cpu, me);
        self.receive(cpu, me, endpoint, timeout, None)
    }

    /// Receives a message or a notification, or waits for one and passes the CPU on to a thread that is ready.
    #[inline]
    fn receive(
        &mut self,
        cpu: usize,
        me: Handle,
        endpoint: Handle,
        timeout: u64,
        next: Option<Handle>,
    ) -> Result<Outcome, Error> {
        let bound = self
            .objects
            .thread(me)
            .map_or(Handle::NONE, |thread| thread.notification);
        if !bound.is_none() {
            let bits = self.take_bits(bound);
            if bits != 0 {
                return Ok(Outcome::Message(0, [Tag::NOTIFICATION, bits, 0, 0, 0]));
            }
        }
        let Some(place) = self.objects.endpoint_mut(endpoint) else {
            return Err(Error::NotFound);
        };
        if place.is_gate() {
            return Err(Error::WrongKind);
        }
        place.server = me;
        if let Some(sender) = place.sender() {
            self.receive_from(cpu, me, sender);
            return Ok(Outcome::Answered);
        }
        if timeout == 0 {
            return Err(Error::TimedOut);
        }
        self.enqueue(endpoint, me, Waiting::Receivers);
        match next {
            Some(next) => self.block_for(cpu, me, State::Receiving, endpoint, timeout, next),
            None => self.block(cpu, me, State::Receiving, endpoint, timeout),
        }
        Ok(Outcome::Blocked)
    }

    /// Takes the message of a thread that waits to send.
    fn receive_from(&mut self, cpu: usize, me: Handle, sender: Handle) {
        let Some(outgoing) = self.objects.thread(sender).map(|thread| thread.outgoing) else {
            return;
        };
        self.leave_endpoint(sender);
        self.deliver(sender, me, &outgoing);
        if outgoing.is_call {
            // Its time limit stays.
            if let Some(thread) = self.objects.thread_mut(sender) {
                thread.state = State::Calling;
                thread.waits_at = Handle::NONE;
            }
            self.lend_priority(cpu, sender, me);
        } else {
            self.wake(cpu, sender, Ok(0));
        }
    }

    /// The call `reply_receive`.
    #[inline]
    pub(crate) fn call_reply_receive(
        &mut self,
        cpu: usize,
        me: Handle,
        slot: u64,
        tag: u64,
        words: [u64; WORDS],
    ) -> Result<Outcome, Error> {
        let endpoint = self.capability(me, slot, Kind::Endpoint, Rights::READ)?.object;
        if !Tag(tag).may_be_sent() {
            return Err(Error::BadArgument);
        }
        let caller = self.take_caller(me);
        let answered = self.answer(me, caller, tag, words);
        let outcome = self.receive(cpu, me, endpoint, FOREVER, answered);
        if let Some(thread) = answered
            && !matches!(outcome, Ok(Outcome::Blocked))
        {
            self.make_ready(cpu, thread);
        }
        outcome
    }

    /// The call `reply`.
    pub(crate) fn call_reply(
        &mut self,
        cpu: usize,
        me: Handle,
        slot: u64,
        tag: u64,
        words: [u64; WORDS],
    ) -> Result<Outcome, Error> {
        if !Tag(tag).may_be_sent() {
            return Err(Error::BadArgument);
        }
        let caller = if slot == 0 {
            self.take_caller(me)
        } else {
            let capability = self.capability(me, slot, Kind::Reply, Rights::NONE)?;
            let at = self.held_slot(me, slot)?;
            tree::delete(&mut self.objects, at)?;
            Caller {
                thread: capability.object,
                call: capability.badge,
            }
        };
        let thread = self.answer(me, caller, tag, words).ok_or(Error::PeerGone)?;
        self.make_ready(cpu, thread);
        Ok(Outcome::Done(0))
    }

    /// Takes the right to reply from a thread, and with it what it inherited.
    #[inline]
    fn take_caller(&mut self, me: Handle) -> Caller {
        let Some(thread) = self.objects.thread_mut(me) else {
            return Caller::NONE;
        };
        core::mem::replace(&mut thread.caller, Caller::NONE)
    }

    /// Writes a reply into the registers of who called. Returns that thread, which is to be made ready.
    #[inline]
    fn answer(&mut self, me: Handle, caller: Caller, tag: u64, words: [u64; WORDS]) -> Option<Handle> {
        self.return_priority(me);
        let thread = self.objects.thread_mut(caller.thread)?;
        if thread.state != State::Calling || thread.calls != caller.call {
            return None;
        }
        if core::mem::take(&mut thread.outgoing.is_fault) {
            // It goes on where it faulted, with its registers as they were.
            self.forget_timeout(caller.thread);
            return Some(caller.thread);
        }
        let mut tag = tag;
        let mut words = words;
        if tag & Tag::CAPABILITY != 0 {
            let slot = self.transfer(me, caller.thread, tag, words[WORDS - 1]);
            tag &= u64::from(u32::MAX);
            if slot.is_some() {
                tag |= Tag::CAPABILITY;
            }
            words[WORDS - 1] = slot.unwrap_or(0);
        }
        self.forget_timeout(caller.thread);
        let thread = self.objects.thread_mut(caller.thread)?;
        let [a, b, c, d] = words;
        if let Some(context) = &mut thread.context {
            context.set_message(0, [tag, a, b, c, d]);
        }
        Some(caller.thread)
    }

    /// Tells who waits for a thread's reply that none will come.
    fn drop_caller(&mut self, cpu: usize, me: Handle) {
        let caller = self.take_caller(me);
        // Also what a sender lent whom no reply goes to.
        self.return_priority(me);
        self.fail_caller(cpu, caller);
    }

    /// Ends a call that nobody will reply to.
    pub(crate) fn fail_caller(&mut self, cpu: usize, caller: Caller) {
        let Some(thread) = self.objects.thread_mut(caller.thread) else {
            return;
        };
        if thread.state != State::Calling || thread.calls != caller.call {
            return;
        }
        if core::mem::take(&mut thread.outgoing.is_fault) {
            thread.state = State::Faulted;
        } else {
            self.forget_timeout(caller.thread);
            self.wake(cpu, caller.thread, Err(Error::PeerGone));
        }
    }

    /// The call `save_reply`.
    pub(crate) fn call_save_reply(&mut self, me: Handle, slot: u64) -> Result<Outcome, Error> {
        let caller = self
            .objects
            .thread(me)
            .map_or(Caller::NONE, |thread| thread.caller);
        if caller == Caller::NONE {
            return Err(Error::NotFound);
        }
        let at = self.slot_of(me, slot)?;
        let capability = kcore::capability::Capability {
            object: caller.thread,
            kind: Kind::Reply,
            rights: Rights::NONE,
            badge: caller.call,
            extra: 0,
        };
        tree::insert_root(&mut self.objects, at, capability)?;
        self.take_caller(me);
        self.return_priority(me);
        Ok(Outcome::Done(0))
    }

    /// A running thread has done what it may not do: its handler is told, or it stops for good.
    pub(crate) fn fault(&mut self, cpu: usize, me: Handle, fault: Fault, address: Option<u64>) {
        let Some(thread) = self.objects.thread(me) else {
            return;
        };
        let (endpoint, badge) = (thread.faults, thread.faults_badge);
        let (counter, stack) = thread
            .context
            .as_ref()
            .map_or((0, 0), |context| (context.instruction(), context.stack_pointer()));
        let outgoing = Outgoing {
            badge,
            tag: u64::from(fault as u8),
            words: [fault as u64, address.unwrap_or(USER_END), counter, stack],
            is_call: true,
            is_fault: true,
        };
        if let Some(thread) = self.objects.thread_mut(me) {
            thread.outgoing = outgoing;
        }
        if self.send(cpu, me, endpoint, outgoing, FOREVER).is_ok() {
            return;
        }
        if !self.objects.is_alive(me) {
            // It is about to end; what it runs in may have ended before it.
            self.block(cpu, me, State::Faulted, Handle::NONE, FOREVER);
            return;
        }
        let address = address.unwrap_or_default();
        hal::println!(
            "kernel: a thread without a handler stops: {fault} at {address:#x}, program counter {counter:#x}"
        );
        if let Some(thread) = self.objects.thread(me)
            && let Some(context) = &thread.context
        {
            hal::println!("{}", ***context);
        }
        self.block(cpu, me, State::Faulted, Handle::NONE, FOREVER);
    }

    /// Takes a thread out of the queue in which it waits, and forgets its time limit.
    pub(crate) fn leave_queue(&mut self, thread: Handle) {
        self.leave_endpoint(thread);
        self.forget_timeout(thread);
    }

    fn leave_endpoint(&mut self, handle: Handle) {
        let Some(thread) = self.objects.thread_mut(handle) else {
            return;
        };
        let (state, place) = (
            thread.state,
            core::mem::replace(&mut thread.waits_at, Handle::NONE),
        );
        match state {
            State::Sending | State::Receiving => {
                let Some(queue) = self.objects.endpoint(place).map(|endpoint| endpoint.queue) else {
                    return;
                };
                let queue = queue.without(&mut self.objects, handle);
                if let Some(endpoint) = self.objects.endpoint_mut(place) {
                    endpoint.queue = queue;
                }
            }
            State::Waiting => {
                let Some(queue) = self
                    .objects
                    .notification(place)
                    .map(|notification| notification.queue)
                else {
                    return;
                };
                let queue = queue.without(&mut self.objects, handle);
                if let Some(notification) = self.objects.notification_mut(place) {
                    notification.queue = queue;
                }
            }
            _ => {}
        }
    }
}
