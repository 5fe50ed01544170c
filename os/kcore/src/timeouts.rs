//! Who is to be woken when.

use crate::heap_queue::{HeapQueue, Nodes};

/// The latest deadline in nanoseconds since boot: 292 years. Anything later means that, which is "never".
pub const NEVER: u64 = i64::MAX as u64;

/// The deadlines of sleepers. Takes no memory of its own: the links are in the sleepers' [`Node`](crate::heap_queue::Node)s.
#[derive(Debug, Default)]
pub struct Timeouts {
    queue: HeapQueue,
}

impl Timeouts {
    /// No deadlines.
    pub const fn new() -> Self {
        Self {
            queue: HeapQueue::new(),
        }
    }

    /// Sets the deadline of `id`, in nanoseconds since boot, instead of one that it may have.
    pub fn set(&mut self, nodes: &mut impl Nodes, id: u32, deadline: u64) {
        self.queue.insert(nodes, id, deadline.min(NEVER));
    }

    /// Forgets the deadline of `id`; `false` when it had none.
    pub fn cancel(&mut self, nodes: &mut impl Nodes, id: u32) -> bool {
        self.queue.remove(nodes, id)
    }

    /// The earliest deadline: when the timer has to ring.
    #[inline]
    pub fn next_deadline(&self, nodes: &impl Nodes) -> Option<u64> {
        self.queue.peek(nodes).map(|(_, deadline)| deadline)
    }

    /// Takes out one whose deadline is not after `now`: earliest first, equal ones in the order in which they were set.
    pub fn pop_expired(&mut self, nodes: &mut impl Nodes, now: u64) -> Option<u32> {
        if self.next_deadline(nodes)? > now {
            return None;
        }
        self.queue.pop(nodes)
    }

    /// How many deadlines there are.
    pub const fn len(&self) -> u32 {
        self.queue.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
