//! Queues of waiting threads, linked through the threads themselves.

use kcore::objects::Handle;

use crate::object::ObjectTable;

/// First in, first out; a thread can leave from anywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    head: Handle,
    tail: Handle,
}

impl Queue {
    /// Nobody waits.
    pub(crate) const EMPTY: Self = Self {
        head: Handle::NONE,
        tail: Handle::NONE,
    };

    /// One thread waits.
    #[inline]
    pub(crate) const fn of(thread: Handle) -> Self {
        Self {
            head: thread,
            tail: thread,
        }
    }

    /// Who waits when nobody else does.
    #[inline]
    pub(crate) fn only(&self) -> Option<Handle> {
        (!self.head.is_none() && self.head == self.tail).then_some(self.head)
    }

    /// Who has waited longest.
    #[inline]
    pub(crate) fn first(&self) -> Option<Handle> {
        (!self.head.is_none()).then_some(self.head)
    }

    /// Whether nobody waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// Adds a thread that is in no queue. Returns the queue as it then is; the caller stores it.
    pub(crate) fn with(mut self, objects: &mut ObjectTable, thread: Handle) -> Self {
        if let Some(tail) = objects.thread_mut(self.tail) {
            tail.next = thread;
        } else {
            self.head = thread;
        }
        if let Some(added) = objects.thread_mut(thread) {
            added.previous = self.tail;
            added.next = Handle::NONE;
        }
        self.tail = thread;
        self
    }

    /// Takes out a thread that is in this queue.
    pub(crate) fn without(mut self, objects: &mut ObjectTable, thread: Handle) -> Self {
        let Some(leaving) = objects.thread_mut(thread) else {
            return self;
        };
        let (previous, next) = (leaving.previous, leaving.next);
        leaving.previous = Handle::NONE;
        leaving.next = Handle::NONE;
        match objects.thread_mut(previous) {
            Some(before) => before.next = next,
            None => self.head = next,
        }
        match objects.thread_mut(next) {
            Some(behind) => behind.previous = previous,
            None => self.tail = previous,
        }
        self
    }
}
