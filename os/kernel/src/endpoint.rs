//! Endpoints: where threads meet to pass messages.

use kcore::objects::Handle;

use crate::queue::Queue;

/// What the threads in an endpoint's queue do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// They wait to send.
    Senders,
    /// They wait to receive.
    Receivers,
}

/// An endpoint. Senders and receivers never wait at the same time.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) queue: Queue,
    pub(crate) waiting: Waiting,
    /// Who received here last: it inherits the priority of who waits to send.
    pub(crate) server: Handle,
}

impl Endpoint {
    /// Nobody waits.
    pub(crate) const fn new() -> Self {
        Self {
            queue: Queue::EMPTY,
            waiting: Waiting::Senders,
            server: Handle::NONE,
        }
    }

    /// Who waits first to receive.
    #[inline]
    pub(crate) fn receiver(&self) -> Option<Handle> {
        match self.waiting {
            Waiting::Receivers => self.queue.first(),
            Waiting::Senders => None,
        }
    }

    /// Who waits first to send.
    #[inline]
    pub(crate) fn sender(&self) -> Option<Handle> {
        match self.waiting {
            Waiting::Senders => self.queue.first(),
            Waiting::Receivers => None,
        }
    }
}
