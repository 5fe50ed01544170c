//! The fair class of one queue: virtual time, and who is first by virtual deadline.
//!
//! A thread's virtual runtime grows by what it runs, times 1024 by weight, so that equal virtual runtimes are fair
//! shares. Whose slice would be over first in virtual time comes first: its deadline is its virtual runtime at the
//! slice's start plus the slice.
//!
//! The queue's virtual time is where newcomers start. It goes on as an ideal machine would share itself out, and is at
//! least the weighted mean of the members' runtimes. The mean alone would fall back when one leaves that has just run, and
//! a stream of short-lived threads would never let an older one's turn come. It cannot run away from those who wait: once
//! it has passed a thread's deadline, all newcomers come behind that thread.

use super::thread::{Deadlines, Scheduling};
use super::{Class, DEFAULT_WEIGHT, SLICE, Threads, slice_of};
use crate::heap_queue::{HeapQueue, is_before};

/// What a thread may be ahead when it joins, in nanoseconds of its running time. More is forgiven.
const MAX_LEAD: u64 = 16 * SLICE;
/// No single account is above this, in nanoseconds, so that sums stay in range: a machine may have been suspended.
const MAX_ELAPSED: u64 = 1_000_000_000;

/// `time` nanoseconds of running as virtual time, rounded up.
const fn virtual_time(time: u64, weight: u32) -> u64 {
    (time * DEFAULT_WEIGHT as u64).div_ceil(weight as u64)
}

#[derive(Debug)]
pub(super) struct FairQueue {
    cpu: u32,
    /// Virtual time.
    now: u64,
    /// The mean of the members' virtual runtimes is `base + offset / weight`; members wait or run.
    base: u64,
    offset: i64,
    weight: u64,
    deadlines: HeapQueue,
}

impl FairQueue {
    pub(super) const fn new(cpu: u32) -> Self {
        Self {
            cpu,
            now: 0,
            base: 0,
            offset: 0,
            weight: 0,
            deadlines: HeapQueue::new(),
        }
    }

    /// The weight of all members.
    pub(super) const fn weight(&self) -> u64 {
        self.weight
    }

    /// Makes a thread a member. It keeps its virtual runtime if it was a member here before, else its lead; but at most
    /// one slice of credit, which lets it run soon after it has waited for something.
    pub(super) fn join(&mut self, thread: &mut Scheduling, weight: u32) {
        let fair = &mut thread.fair;
        let lead = if fair.weight == weight && fair.cpu == self.cpu {
            fair.runtime.wrapping_sub(self.now) as i64
        } else {
            fair.lead / i64::from(weight)
        };
        let credit = virtual_time(slice_of(weight), weight) as i64;
        let lead = lead.clamp(-credit, virtual_time(MAX_LEAD, weight) as i64);
        fair.runtime = self.now.wrapping_add_signed(lead);
        (fair.weight, fair.cpu) = (weight, self.cpu);
        self.weight += u64::from(weight);
        self.offset += self.share(fair.runtime, weight);
        self.settle();
        start_slice(thread);
    }

    /// Ends a thread's membership.
    pub(super) fn leave(&mut self, thread: &mut Scheduling) {
        let fair = &mut thread.fair;
        let weight = i64::from(fair.weight);
        fair.lead = (fair.runtime.wrapping_sub(self.now) as i64).saturating_mul(weight);
        self.weight -= u64::from(fair.weight);
        self.offset -= self.share(fair.runtime, fair.weight);
        self.settle();
    }

    /// Accounts for a member's having run. Its slice may be over by that.
    pub(super) fn account(&mut self, thread: &mut Scheduling, elapsed: u64) {
        let elapsed = elapsed.min(MAX_ELAPSED);
        let fair = &mut thread.fair;
        let virtual_elapsed = virtual_time(elapsed, fair.weight);
        fair.runtime = fair.runtime.wrapping_add(virtual_elapsed);
        self.offset += virtual_elapsed as i64 * i64::from(fair.weight);
        let passed = elapsed * u64::from(DEFAULT_WEIGHT) / self.weight;
        self.now = self.now.wrapping_add(passed);
        self.settle();
    }

    /// Lets a member wait for its turn.
    pub(super) fn insert(&mut self, threads: &mut impl Threads, id: u32) {
        let deadline = threads.scheduling(id).fair.deadline;
        self.deadlines.insert(&mut Deadlines(threads), id, deadline);
    }

    /// A member waits no longer.
    pub(super) fn remove(&mut self, threads: &mut impl Threads, id: u32) {
        self.deadlines.remove(&mut Deadlines(threads), id);
    }

    /// Whose turn it is.
    pub(super) fn first(&self, threads: &mut impl Threads) -> Option<u32> {
        self.deadlines.peek(&Deadlines(threads)).map(|(id, _)| id)
    }

    /// What a member adds to `offset`.
    fn share(&self, runtime: u64, weight: u32) -> i64 {
        (runtime.wrapping_sub(self.base) as i64).saturating_mul(i64::from(weight))
    }

    /// Moves `base` to the mean, and virtual time at least there.
    fn settle(&mut self) {
        if self.weight == 0 {
            (self.base, self.offset) = (self.now, 0);
            return;
        }
        let weight = self.weight as i64;
        let mean = self.offset.div_euclid(weight);
        self.base = self.base.wrapping_add_signed(mean);
        self.offset -= mean * weight;
        if is_before(self.now, self.base) {
            self.now = self.base;
        }
    }
}

/// Gives a member a whole slice from now on.
pub(super) fn start_slice(thread: &mut Scheduling) {
    thread.used = 0;
    if matches!(thread.effective(), Class::Fair { .. }) {
        thread.fair.deadline = deadline(thread);
    }
}

/// When a whole slice would be over for a member.
pub(super) const fn deadline(thread: &Scheduling) -> u64 {
    let weight = thread.fair.weight;
    thread
        .fair
        .runtime
        .wrapping_add(virtual_time(slice_of(weight), weight))
}
