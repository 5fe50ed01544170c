//! Endpoints: where threads meet to pass messages.

use kcore::objects::Handle;
use kcore::token_bucket::TokenBucket;

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
    /// Of a gate: the endpoint that messages go on to. Its own queue stays empty.
    pub(crate) target: Handle,
    /// Of a gate: how many messages go on.
    pub(crate) limit: TokenBucket,
}

// An endpoint costs a cache line.
const _: () = assert!(size_of::<Endpoint>() <= 64);

impl Endpoint {
    /// Nobody waits.
    pub(crate) const fn new() -> Self {
        Self {
            queue: Queue::EMPTY,
            waiting: Waiting::Senders,
            server: Handle::NONE,
            target: Handle::NONE,
            limit: TokenBucket::new(0, 0, 0),
        }
    }

    /// Whether messages go on from here.
    #[inline]
    pub(crate) fn is_gate(&self) -> bool {
        !self.target.is_none()
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
