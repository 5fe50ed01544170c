//! One CPU's run queue.

use super::fair::{self, FairQueue};
use super::lists::{FAIR, Lists};
use super::{Class, Place, REAL_TIME_LOAD, Scheduling, Threads};
use crate::heap_queue::is_before;

/// How many threads [`RunQueue::movable`] looks at: it has to end soon, whatever programs do.
const LOOK_AT: usize = 32;

/// The threads that one CPU runs: those that wait for it, and those that were picked and have not left.
///
/// A thread is in one queue at a time. Calls that do not fit where the thread is change nothing and return `false`.
#[derive(Debug)]
pub struct RunQueue {
    cpu: u32,
    lists: Lists,
    fair: FairQueue,
    /// How many threads of real-time classes there are.
    real_time: u64,
    ready: u32,
}

impl RunQueue {
    /// The empty queue of this CPU.
    pub const fn new(cpu: u32) -> Self {
        Self {
            cpu,
            lists: Lists::new(),
            fair: FairQueue::new(cpu),
            real_time: 0,
            ready: 0,
        }
    }

    /// How many threads wait for their turn.
    pub const fn ready(&self) -> u32 {
        self.ready
    }

    /// How much there is to do: the weights of all its threads, the running one included.
    pub const fn load(&self) -> u64 {
        self.fair.weight() + self.real_time * REAL_TIME_LOAD
    }

    /// Takes a thread in that is in no queue: a new one, one that has got what it waited for, or one from another CPU.
    pub fn enqueue(&mut self, threads: &mut impl Threads, id: u32) -> bool {
        let thread = threads.scheduling_mut(id);
        if thread.place != Place::Out {
            return false;
        }
        thread.cpu = self.cpu;
        thread.place = Place::Ready;
        self.join(thread);
        self.wait(threads, id, false);
        true
    }

    /// Picks the thread to run next; it stays in the queue as running.
    pub fn pick(&mut self, threads: &mut impl Threads) -> Option<u32> {
        let id = match self.lists.highest() {
            Some(level) => self.lists.head(level),
            None => self.fair.first(threads),
        }?;
        self.wait_no_longer(threads, id);
        threads.scheduling_mut(id).place = Place::Running;
        Some(id)
    }

    /// Puts a thread that was picked back among the waiting ones: before others of its class when its slice is not used
    /// up, else behind them with a new one.
    pub fn put_back(&mut self, threads: &mut impl Threads, id: u32) -> bool {
        self.wait_again(threads, id, false)
    }

    /// Puts a thread back that gives up the rest of its slice.
    pub fn yield_now(&mut self, threads: &mut impl Threads, id: u32) -> bool {
        self.wait_again(threads, id, true)
    }

    /// Takes a thread out, waiting or running: it blocks, ends, or goes to another CPU.
    pub fn dequeue(&mut self, threads: &mut impl Threads, id: u32) -> bool {
        let thread = threads.scheduling(id);
        if !self.has(thread) {
            return false;
        }
        if thread.place == Place::Ready {
            self.wait_no_longer(threads, id);
        }
        let thread = threads.scheduling_mut(id);
        self.leave(thread);
        thread.place = Place::Out;
        true
    }

    /// Accounts for the running thread's having run for `elapsed` nanoseconds since it was picked or accounted for.
    pub fn account(&mut self, threads: &mut impl Threads, id: u32, elapsed: u64) -> bool {
        let thread = threads.scheduling_mut(id);
        if !self.has(thread) || thread.place != Place::Running {
            return false;
        }
        thread.used = thread.used.saturating_add(elapsed);
        if matches!(thread.effective(), Class::Fair { .. }) {
            self.fair.account(thread, elapsed);
        }
        true
    }

    /// Lets `to`, which is in no queue, run instead of `from`, which runs: for what is left of the slice, with all that
    /// `from` has in its class; the two change places. So it takes no time worth counting, and nobody else loses. `false`,
    /// and nothing changes, when they do not compete alike or `to` may not run here.
    #[inline]
    pub fn hand_over(&mut self, threads: &mut impl Threads, from: u32, to: u32) -> bool {
        let taker = threads.scheduling(to);
        if taker.place != Place::Out || !taker.may_run_on(self.cpu) {
            return false;
        }
        let (class, fair, used) = (taker.effective(), taker.fair, taker.used);
        let giver = threads.scheduling_mut(from);
        if giver.place != Place::Running || giver.cpu != self.cpu || giver.effective() != class {
            return false;
        }
        let standing = core::mem::replace(&mut giver.fair, fair);
        let time = core::mem::replace(&mut giver.used, used);
        giver.place = Place::Out;
        let taker = threads.scheduling_mut(to);
        taker.fair = standing;
        taker.used = time;
        taker.place = Place::Running;
        taker.cpu = self.cpu;
        true
    }

    /// [`Self::hand_over`], for two threads that are at hand.
    #[inline(always)]
    pub fn pass_on(&self, giver: &mut Scheduling, taker: &mut Scheduling) -> bool {
        if taker.place != Place::Out || !taker.may_run_on(self.cpu) {
            return false;
        }
        if giver.place != Place::Running || giver.cpu != self.cpu || !giver.competes_like(taker) {
            return false;
        }
        giver.fair.exchange(&mut taker.fair);
        (giver.used, taker.used) = (taker.used, giver.used);
        giver.place = Place::Out;
        taker.place = Place::Running;
        taker.cpu = self.cpu;
        true
    }

    /// How many nanoseconds a thread may go on if others of its class wait. The timer has to ring after that when
    /// [`Self::ready`] is above 0.
    pub fn slice_left(&self, threads: &impl Threads, id: u32) -> u64 {
        let thread = threads.scheduling(id);
        thread.effective().slice().saturating_sub(thread.used)
    }

    /// Whether `candidate`, which waits in this queue, should run instead of `running` at once.
    pub fn should_preempt(&self, threads: &impl Threads, running: u32, candidate: u32) -> bool {
        let (running, candidate) = (threads.scheduling(running), threads.scheduling(candidate));
        match (running.effective(), candidate.effective()) {
            (Class::RealTime(running), Class::RealTime(candidate)) => candidate > running,
            (Class::RealTime(_), Class::Fair { .. }) => false,
            (Class::Fair { .. }, Class::RealTime(_)) => true,
            (Class::Fair { .. }, Class::Fair { .. }) => {
                let over = running.used >= running.effective().slice();
                let deadline = if over {
                    fair::deadline(running)
                } else {
                    running.fair.deadline
                };
                is_before(candidate.fair.deadline, deadline)
            }
        }
    }

    /// Lends a thread the class of one that waits for it; `None` ends that. The thread's queue, if it is in one, has to
    /// be this one.
    pub fn inherit(&mut self, threads: &mut impl Threads, id: u32, class: Option<Class>) -> bool {
        let own = threads.scheduling(id).own();
        self.change(threads, id, own, class)
    }

    /// Gives a thread another class of its own. The thread's queue, if it is in one, has to be this one.
    pub fn set_class(&mut self, threads: &mut impl Threads, id: u32, class: Class) -> bool {
        let inherited = threads.scheduling(id).inherited();
        self.change(threads, id, class, inherited)
    }

    /// A waiting thread that would better be on the CPU `to`, whose load is `gap` lower: among the first few that may
    /// run there, the one with which the loads come closest.
    pub fn movable(&self, threads: &impl Threads, to: u32, gap: u64) -> Option<u32> {
        // Fair ones first: a waiting real-time thread goes only when nothing else can.
        let mut list = FAIR;
        let mut next = self.lists.head(list);
        let mut best: Option<(u64, u32)> = None;
        for _ in 0..LOOK_AT {
            while next.is_none() && list > 0 {
                list -= 1;
                next = self.lists.head(list);
            }
            let Some(id) = next else { break };
            let thread = threads.scheduling(id);
            let load = thread.load();
            if thread.may_run_on(to) && load < gap {
                let off = (gap / 2).abs_diff(load);
                if best.is_none_or(|(least, _)| off < least) {
                    best = Some((off, id));
                }
            }
            next = Some(thread.next).filter(|&next| next != super::lists::NONE);
        }
        best.map(|(_, id)| id)
    }

    fn has(&self, thread: &Scheduling) -> bool {
        thread.place != Place::Out && thread.cpu == self.cpu
    }

    fn change(&mut self, threads: &mut impl Threads, id: u32, own: Class, inherited: Option<Class>) -> bool {
        let place = threads.scheduling(id).place;
        if place == Place::Out {
            threads.scheduling_mut(id).set_classes(own, inherited);
            return true;
        }
        if !self.has(threads.scheduling(id)) {
            return false;
        }
        let mut changed = *threads.scheduling(id);
        changed.set_classes(own, inherited);
        if changed.effective() == threads.scheduling(id).effective() {
            threads.scheduling_mut(id).set_classes(own, inherited);
            return true;
        }
        if place == Place::Ready {
            self.wait_no_longer(threads, id);
        }
        let thread = threads.scheduling_mut(id);
        self.leave(thread);
        let used = thread.used;
        thread.set_classes(own, inherited);
        self.join(thread);
        // A change of class is no way to a new slice.
        thread.used = used;
        if place == Place::Ready {
            self.wait(threads, id, false);
        }
        true
    }

    fn wait_again(&mut self, threads: &mut impl Threads, id: u32, give_up: bool) -> bool {
        let thread = threads.scheduling_mut(id);
        if !self.has(thread) || thread.place != Place::Running {
            return false;
        }
        let over = give_up || thread.used >= thread.effective().slice();
        if over {
            fair::start_slice(thread);
        }
        thread.place = Place::Ready;
        self.wait(threads, id, !over);
        true
    }

    fn join(&mut self, thread: &mut Scheduling) {
        match thread.effective() {
            Class::RealTime(_) => {
                self.real_time += 1;
                thread.used = 0;
            }
            Class::Fair { weight } => self.fair.join(thread, weight),
        }
    }

    fn leave(&mut self, thread: &mut Scheduling) {
        match thread.effective() {
            Class::RealTime(_) => self.real_time -= 1,
            Class::Fair { .. } => self.fair.leave(thread),
        }
    }

    fn wait(&mut self, threads: &mut impl Threads, id: u32, front: bool) {
        self.ready += 1;
        let list = list_of(threads.scheduling(id));
        self.lists.push(threads, list, id, front);
        if list == FAIR {
            self.fair.insert(threads, id);
        }
    }

    fn wait_no_longer(&mut self, threads: &mut impl Threads, id: u32) {
        self.ready -= 1;
        let list = list_of(threads.scheduling(id));
        self.lists.remove(threads, list, id);
        if list == FAIR {
            self.fair.remove(threads, id);
        }
    }
}

fn list_of(thread: &Scheduling) -> usize {
    match thread.effective() {
        Class::RealTime(level) => usize::from(level),
        Class::Fair { .. } => FAIR,
    }
}
