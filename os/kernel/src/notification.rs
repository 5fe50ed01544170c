//! Notifications: bits that are set from anywhere and taken by who waits.

use abi::{Error, Tag};
use kcore::capability::{Kind, Rights};
use kcore::objects::Handle;

use crate::queue::Queue;
use crate::state::{Kernel, Outcome};
use crate::thread::State;

/// A notification.
#[derive(Debug)]
pub(crate) struct Notification {
    /// What has been signalled and not been taken.
    pub(crate) bits: u64,
    /// Who waits for it.
    pub(crate) queue: Queue,
    /// The thread that it is bound to.
    pub(crate) bound: Handle,
}

impl Notification {
    /// Nothing has been signalled.
    pub(crate) const fn new() -> Self {
        Self {
            bits: 0,
            queue: Queue::EMPTY,
            bound: Handle::NONE,
        }
    }
}

impl Kernel {
    /// Sets bits of a notification. Who waits for it gets them all.
    pub(crate) fn signal(&mut self, cpu: usize, handle: Handle, bits: u64) {
        let Some(notification) = self.objects.notification_mut(handle) else {
            return;
        };
        notification.bits |= bits & (u64::MAX >> 1);
        let (waiting, bound) = (notification.queue.first(), notification.bound);
        if let Some(thread) = waiting {
            let bits = core::mem::take(&mut notification.bits);
            self.leave_queue(thread);
            self.wake(cpu, thread, Ok(bits));
            return;
        }
        if self
            .objects
            .thread(bound)
            .is_some_and(|thread| thread.state == State::Receiving)
        {
            let bits = self.take_bits(handle);
            self.leave_queue(bound);
            self.wake_with_message(cpu, bound, 0, [Tag::NOTIFICATION, bits, 0, 0, 0]);
        }
    }

    /// Takes the bits of a notification.
    pub(crate) fn take_bits(&mut self, handle: Handle) -> u64 {
        self.objects
            .notification_mut(handle)
            .map_or(0, |notification| core::mem::take(&mut notification.bits))
    }

    /// The call `signal`.
    pub(crate) fn call_signal(&mut self, cpu: usize, me: Handle, slot: u64) -> Result<Outcome, Error> {
        let capability = self.capability(me, slot, Kind::Notification, Rights::WRITE)?;
        self.signal(cpu, capability.object, capability.badge);
        Ok(Outcome::Done(0))
    }

    /// The call `wait`.
    pub(crate) fn call_wait(
        &mut self,
        cpu: usize,
        me: Handle,
        slot: u64,
        timeout: u64,
    ) -> Result<Outcome, Error> {
        let handle = self
            .capability(me, slot, Kind::Notification, Rights::READ)?
            .object;
        let notification = self.objects.notification_mut(handle).ok_or(Error::NotFound)?;
        if notification.bits != 0 {
            return Ok(Outcome::Done(core::mem::take(&mut notification.bits)));
        }
        if timeout == 0 {
            return Err(Error::TimedOut);
        }
        let queue = notification.queue;
        let queue = queue.with(&mut self.objects, me);
        if let Some(notification) = self.objects.notification_mut(handle) {
            notification.queue = queue;
        }
        self.block(cpu, me, State::Waiting, handle, timeout);
        Ok(Outcome::Blocked)
    }
}
