//! Which thread runs where, and until when.

use abi::Error;
use abi::layout::USER_END;
use hal::timer;
use kcore::heap_queue;
use kcore::objects::Handle;
use kcore::scheduler::{self, Class, RunQueue, Scheduling, Threads};
use kcore::timeouts::{NEVER, Timeouts};

use crate::object::ObjectTable;
use crate::state::{Kernel, Outcome};
use crate::thread::{Caller, State};

/// Scheduling parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameters {
    pub(crate) class: Class,
    /// The CPUs that may run a thread.
    pub(crate) cpus: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            class: Class::DEFAULT,
            cpus: u64::MAX,
        }
    }
}

/// What the kernel knows of a CPU.
#[derive(Debug)]
pub(crate) struct Cpu {
    /// The thread that runs.
    pub(crate) current: Handle,
    /// The address space that is active.
    pub(crate) space: Handle,
    /// Whether another thread may have to run.
    pub(crate) reschedule: bool,
    /// Whether the thread that runs gives up the rest of its slice then.
    pub(crate) yields: bool,
    /// Whether the timer may have to ring at another time.
    rearm: bool,
    /// Whether it takes part.
    pub(crate) online: bool,
    idle: bool,
    pub(crate) queue: RunQueue,
    timeouts: Timeouts,
    /// Since when the time that passes is nobody's yet.
    since: u64,
    /// What the timer is set to.
    armed: u64,
    idle_since: u64,
    idle_time: u64,
}

impl Cpu {
    /// A CPU that is off.
    pub(crate) fn new(number: usize) -> Self {
        Self {
            current: Handle::NONE,
            space: Handle::NONE,
            reschedule: false,
            yields: false,
            rearm: false,
            online: false,
            idle: false,
            queue: RunQueue::new(number as u32),
            timeouts: Timeouts::new(),
            since: 0,
            armed: u64::MAX,
            idle_since: 0,
            idle_time: 0,
        }
    }

    /// Whether another thread may have to run than the one that does.
    #[inline]
    pub(crate) fn has_to_choose(&self) -> bool {
        self.reschedule || self.rearm || self.current.is_none()
    }
}

impl Threads for ObjectTable {
    #[inline]
    fn scheduling(&self, id: u32) -> &Scheduling {
        match self.thread_at(id) {
            Some(thread) => &thread.scheduling,
            None => unreachable!("thread {id} ended while it was in a run queue"),
        }
    }

    #[inline]
    fn scheduling_mut(&mut self, id: u32) -> &mut Scheduling {
        match self.thread_at_mut(id) {
            Some(thread) => &mut thread.scheduling,
            None => unreachable!("thread {id} ended while it was in a run queue"),
        }
    }
}

impl heap_queue::Nodes for ObjectTable {
    fn node(&self, id: u32) -> &heap_queue::Node {
        match self.thread_at(id) {
            Some(thread) => &thread.timer,
            None => unreachable!("thread {id} ended while it had a time limit"),
        }
    }

    fn node_mut(&mut self, id: u32) -> &mut heap_queue::Node {
        match self.thread_at_mut(id) {
            Some(thread) => &mut thread.timer,
            None => unreachable!("thread {id} ended while it had a time limit"),
        }
    }
}

impl Kernel {
    /// Lets a thread of the state Running wait, for `timeout` nanoseconds at most.
    pub(crate) fn block(&mut self, cpu: usize, me: Handle, state: State, at: Handle, timeout: u64) {
        self.begin_waiting(cpu, me, state, at, timeout);
        self.cpus[cpu].queue_out(&mut self.objects, me);
    }

    /// As [`Self::block`], and passes the CPU on to a thread that has just got what it waited for.
    #[inline]
    pub(crate) fn block_for(
        &mut self,
        cpu: usize,
        me: Handle,
        state: State,
        at: Handle,
        timeout: u64,
        next: Handle,
    ) {
        self.begin_waiting(cpu, me, state, at, timeout);
        let local = &mut self.cpus[cpu];
        let goes_on = local.current == me
            && self.objects.thread(next).is_some_and(|thread| !thread.suspended)
            && local.queue.hand_over(&mut self.objects, me.index, next.index);
        if !goes_on {
            local.queue_out(&mut self.objects, me);
            // Whoever waits for it lends it its priority.
            self.lend_priority(cpu, me, next);
            self.make_ready(cpu, next);
            return;
        }
        local.current = next;
        self.switches += 1;
        if let Some(thread) = self.objects.thread_mut(next) {
            thread.state = State::Running;
            thread.cpu = cpu;
        }
    }

    #[inline]
    fn begin_waiting(&mut self, cpu: usize, me: Handle, state: State, at: Handle, timeout: u64) {
        let Some(thread) = self.objects.thread_mut(me) else {
            return;
        };
        thread.state = state;
        thread.waits_at = at;
        if timeout == u64::MAX {
            return;
        }
        thread.timer_cpu = cpu;
        let deadline = timer::now().saturating_add(timeout).min(NEVER);
        let local = &mut self.cpus[cpu];
        local.timeouts.set(&mut self.objects, me.index, deadline);
        local.rearm = true;
    }

    /// Forgets the time limit of a thread's waiting.
    #[inline]
    pub(crate) fn forget_timeout(&mut self, handle: Handle) {
        let Some(thread) = self.objects.thread(handle) else {
            return;
        };
        if thread.timer.is_queued() {
            let cpu = thread.timer_cpu;
            self.cpus[cpu].timeouts.cancel(&mut self.objects, handle.index);
        }
    }

    /// Lets a thread that waits for nothing any more have a CPU.
    pub(crate) fn make_ready(&mut self, cpu: usize, handle: Handle) {
        let Some(thread) = self.objects.thread_mut(handle) else {
            return;
        };
        thread.state = State::Ready;
        if thread.suspended {
            return;
        }
        let affinity = thread.parameters.cpus;
        let last = thread.scheduling.cpu();
        let loads = self.loads();
        let online = self.online();
        // Without a CPU that it may use, it gets any: a thread that nobody runs could not even be ended by itself.
        let chosen = scheduler::choose_cpu(&loads, online, affinity, last)
            .or_else(|| scheduler::choose_cpu(&loads, online, u64::MAX, last))
            .map_or(0, |chosen| chosen as usize);
        let target = &mut self.cpus[chosen];
        if !target.queue.enqueue(&mut self.objects, handle.index) {
            return;
        }
        let current = target.current;
        let preempts = current.is_none()
            || target
                .queue
                .should_preempt(&self.objects, current.index, handle.index);
        target.rearm = true;
        target.reschedule |= preempts;
        if chosen != cpu && (preempts || target.queue.ready() == 1) {
            hal::cpu::kick(chosen);
        }
    }

    /// Stops a thread for good: it is in no queue any more.
    pub(crate) fn stop(&mut self, cpu: usize, handle: Handle) {
        self.leave_queue(handle);
        let Some(thread) = self.objects.thread_mut(handle) else {
            return;
        };
        thread.state = State::Stopped;
        thread.outgoing.is_fault = false;
        self.return_priority(handle);
        let Some(thread) = self.objects.thread_mut(handle) else {
            return;
        };
        let caller = core::mem::replace(&mut thread.caller, Caller::NONE);
        let queue = thread.scheduling.cpu() as usize;
        self.cpus[queue].queue_out(&mut self.objects, handle);
        self.fail_caller(cpu, caller);
    }

    /// Stops a thread where it is, until it is told to go on.
    pub(crate) fn suspend(&mut self, cpu: usize, handle: Handle) {
        let Some(thread) = self.objects.thread_mut(handle) else {
            return;
        };
        thread.suspended = true;
        let (state, on, queue) = (thread.state, thread.cpu, thread.scheduling.cpu() as usize);
        match state {
            State::Running if on != cpu => self.call_in(on),
            State::Running => self.cpus[cpu].reschedule = true,
            State::Ready => {
                self.cpus[queue].queue_out(&mut self.objects, handle);
            }
            _ => {}
        }
    }

    /// Lets a thread go on that was stopped.
    pub(crate) fn resume(&mut self, cpu: usize, handle: Handle) {
        let Some(thread) = self.objects.thread_mut(handle) else {
            return;
        };
        let was_suspended = core::mem::replace(&mut thread.suspended, false);
        match thread.state {
            State::Ready if was_suspended => self.make_ready(cpu, handle),
            State::Faulted => self.make_ready(cpu, handle),
            _ => {}
        }
    }

    /// Lends the priority of a waiting thread to the one that it waits for.
    pub(crate) fn lend_priority(&mut self, cpu: usize, from: Handle, to: Handle) {
        let Some(lent) = self
            .objects
            .thread(from)
            .map(|thread| thread.scheduling.effective())
        else {
            return;
        };
        let Some(thread) = self.objects.thread(to) else {
            return;
        };
        let has = thread.scheduling.effective();
        if has.max(lent) == has {
            return;
        }
        let queue = thread.scheduling.cpu() as usize;
        self.cpus[queue]
            .queue
            .inherit(&mut self.objects, to.index, Some(lent));
        self.look_again(cpu, queue);
    }

    /// A thread has done what another one waited for: what that had lent goes back.
    #[inline]
    pub(crate) fn return_priority(&mut self, handle: Handle) {
        let Some(thread) = self.objects.thread(handle) else {
            return;
        };
        if thread.scheduling.inherited().is_some() {
            let queue = thread.scheduling.cpu() as usize;
            self.cpus[queue]
                .queue
                .inherit(&mut self.objects, handle.index, None);
            self.cpus[queue].reschedule = true;
        }
    }

    /// Makes a CPU choose anew.
    fn look_again(&mut self, cpu: usize, which: usize) {
        self.cpus[which].reschedule = true;
        if which != cpu {
            hal::cpu::kick(which);
        }
    }

    /// Gives a thread scheduling parameters.
    pub(crate) fn set_parameters(&mut self, cpu: usize, handle: Handle, parameters: Parameters) {
        let Some(thread) = self.objects.thread_mut(handle) else {
            return;
        };
        thread.parameters = parameters;
        thread.scheduling.affinity = parameters.cpus;
        let queue = thread.scheduling.cpu() as usize;
        let state = thread.state;
        self.cpus[queue]
            .queue
            .set_class(&mut self.objects, handle.index, parameters.class);
        if state == State::Ready && self.cpus[queue].queue_out(&mut self.objects, handle) {
            self.make_ready(cpu, handle);
        }
        self.look_again(cpu, queue);
    }

    /// The timer of this CPU has rung.
    pub(crate) fn timer(&mut self, cpu: usize) {
        self.cpus[cpu].armed = u64::MAX;
        let now = timer::now();
        while let Some(id) = self.cpus[cpu].timeouts.pop_expired(&mut self.objects, now) {
            if let Some(handle) = self.objects.0.handle_at(id) {
                self.time_is_up(cpu, handle);
            }
        }
        self.cpus[cpu].reschedule = true;
    }

    fn time_is_up(&mut self, cpu: usize, handle: Handle) {
        let Some(thread) = self.objects.thread(handle) else {
            return;
        };
        let result = match thread.state {
            State::Sleeping => Ok(0),
            State::Sending | State::Receiving | State::Waiting | State::Calling => Err(Error::TimedOut),
            _ => return,
        };
        self.leave_queue(handle);
        self.wake(cpu, handle, result);
    }

    /// Chooses the thread that this CPU runs: `current`, or none.
    #[inline]
    pub(crate) fn choose(&mut self, cpu: usize) {
        if self.cpus[cpu].has_to_choose() {
            self.choose_anew(cpu);
        }
    }

    fn choose_anew(&mut self, cpu: usize) {
        let now = timer::now();
        self.account(cpu, now);
        let local = &mut self.cpus[cpu];
        local.rearm = false;
        let current = local.current;
        let yields = core::mem::take(&mut local.yields);
        if !current.is_none() && core::mem::take(&mut local.reschedule) {
            if yields {
                local.queue.yield_now(&mut self.objects, current.index);
            } else {
                local.queue.put_back(&mut self.objects, current.index);
            }
            local.current = Handle::NONE;
            if let Some(thread) = self.objects.thread_mut(current) {
                thread.state = State::Ready;
                let stays = thread.scheduling.may_run_on(cpu as u32);
                if thread.suspended {
                    local.queue.dequeue(&mut self.objects, current.index);
                } else if !stays {
                    // The CPUs that it may use have changed while it ran.
                    local.queue.dequeue(&mut self.objects, current.index);
                    self.make_ready(cpu, current);
                }
            }
        }
        let local = &mut self.cpus[cpu];
        local.reschedule = false;
        if local.current.is_none() {
            if local.queue.ready() == 0 {
                self.steal(cpu);
            }
            let local = &mut self.cpus[cpu];
            let picked = local
                .queue
                .pick(&mut self.objects)
                .and_then(|id| self.objects.0.handle_at(id));
            if let Some(picked) = picked {
                local.current = picked;
                self.switches += u64::from(picked != current);
                if let Some(thread) = self.objects.thread_mut(picked) {
                    thread.state = State::Running;
                    thread.cpu = cpu;
                }
            }
        }
        self.arm(cpu, now);
    }

    /// Sets the timer to when this CPU has to come into the kernel next.
    fn arm(&mut self, cpu: usize, now: u64) {
        let local = &mut self.cpus[cpu];
        let mut next = local.timeouts.next_deadline(&self.objects).unwrap_or(u64::MAX);
        if !local.current.is_none() && local.queue.ready() > 0 {
            let left = local.queue.slice_left(&self.objects, local.current.index);
            next = next.min(now.saturating_add(left));
        }
        if next != local.armed {
            local.armed = next;
            timer::arm(next);
        }
    }

    /// Counts the time since the last time as the current thread's.
    fn account(&mut self, cpu: usize, now: u64) {
        let local = &mut self.cpus[cpu];
        let elapsed = now.saturating_sub(core::mem::replace(&mut local.since, now));
        let current = local.current;
        if current.is_none() {
            return;
        }
        local.queue.account(&mut self.objects, current.index, elapsed);
        if let Some(thread) = self.objects.thread_mut(current) {
            thread.time += elapsed;
        }
    }

    /// Takes a thread over from the CPU with most to do, when this one has nothing.
    fn steal(&mut self, cpu: usize) {
        let loads = self.loads();
        let mine = loads[cpu];
        let candidates =
            (0..self.cpus.len()).filter(|&other| other != cpu && self.cpus[other].queue.ready() > 0);
        let Some(from) = candidates.max_by_key(|&other| loads[other]) else {
            return;
        };
        let gap = loads[from].saturating_sub(mine).max(1);
        let Some(id) = self.cpus[from].queue.movable(&self.objects, cpu as u32, gap) else {
            return;
        };
        if self.cpus[from].queue.dequeue(&mut self.objects, id) {
            self.cpus[cpu].queue.enqueue(&mut self.objects, id);
        }
    }

    fn loads(&self) -> [u64; hal::cpu::MAX_CPUS] {
        core::array::from_fn(|cpu| self.cpus[cpu].queue.load())
    }

    fn online(&self) -> u64 {
        let bits = self.cpus.iter().enumerate().filter(|(_, cpu)| cpu.online);
        bits.fold(0, |mask, (number, _)| mask | 1 << number)
    }

    /// The CPUs that the machine has, as bits.
    pub(crate) fn cpus_that_exist(&self) -> u64 {
        (1 << hal::cpu::count()) - 1
    }

    /// The CPU takes part from now on.
    pub(crate) fn bring_on(&mut self, cpu: usize) {
        let local = &mut self.cpus[cpu];
        local.online = true;
        local.armed = u64::MAX;
        local.since = timer::now();
    }

    /// The call `cpu_control`.
    pub(crate) fn call_cpu_control(&mut self, cpu: usize, which: u64, on: u64) -> Result<Outcome, Error> {
        let which = usize::try_from(which).map_err(|_| Error::BadArgument)?;
        if which == 0 || which >= hal::cpu::count() || on > 1 {
            return Err(Error::BadArgument);
        }
        match (on == 1, self.cpus[which].online) {
            (true, false) => hal::cpu::start(which).map_err(|_| Error::Busy)?,
            (false, true) if which == cpu => return Err(Error::Busy),
            (false, true) => {
                self.cpus[which].online = false;
                self.call_in(which);
            }
            _ => {}
        }
        Ok(Outcome::Done(0))
    }

    /// Gives everything away that a CPU has which goes off.
    pub(crate) fn give_up_cpu(&mut self, cpu: usize) {
        let now = timer::now();
        self.account(cpu, now);
        let current = core::mem::replace(&mut self.cpus[cpu].current, Handle::NONE);
        if !current.is_none() {
            self.cpus[cpu].queue.dequeue(&mut self.objects, current.index);
            self.make_ready(cpu, current);
        }
        while let Some(id) = self.cpus[cpu].queue.pick(&mut self.objects) {
            self.cpus[cpu].queue.dequeue(&mut self.objects, id);
            if let Some(handle) = self.objects.0.handle_at(id) {
                self.make_ready(cpu, handle);
            }
        }
        // Time limits go to the first CPU, which is never off.
        while let Some(deadline) = self.cpus[cpu].timeouts.next_deadline(&self.objects) {
            let Some(id) = self.cpus[cpu].timeouts.pop_expired(&mut self.objects, u64::MAX) else {
                break;
            };
            self.cpus[0].timeouts.set(&mut self.objects, id, deadline);
            if let Some(thread) = self.objects.thread_at_mut(id) {
                thread.timer_cpu = 0;
            }
        }
        self.cpus[0].rearm = true;
        hal::cpu::kick(0);
    }

    /// The CPU has nothing to do.
    pub(crate) fn begin_idling(&mut self, cpu: usize, now: u64) {
        let local = &mut self.cpus[cpu];
        local.idle = true;
        local.idle_since = now;
    }

    /// The CPU has been woken.
    pub(crate) fn end_idling(&mut self, cpu: usize) {
        let local = &mut self.cpus[cpu];
        if core::mem::take(&mut local.idle) {
            local.idle_time += timer::now().saturating_sub(local.idle_since);
        }
    }

    /// Nanoseconds that all CPUs together have idled.
    pub(crate) fn idle_time(&self, now: u64) -> u64 {
        self.cpus
            .iter()
            .map(|cpu| {
                cpu.idle_time
                    + if cpu.idle {
                        now.saturating_sub(cpu.idle_since)
                    } else {
                        0
                    }
            })
            .sum()
    }

    /// The call `thread_pointer`.
    pub(crate) fn call_thread_pointer(&mut self, me: Handle, address: u64) -> Result<Outcome, Error> {
        if address >= USER_END {
            return Err(Error::BadAddress);
        }
        if let Some(context) = self
            .objects
            .thread_mut(me)
            .and_then(|thread| thread.context.as_mut())
        {
            context.set_thread_pointer(address);
        }
        Ok(Outcome::Done(0))
    }
}

impl Cpu {
    /// Takes a thread out of the queue, running or ready. Returns whether it was there.
    fn queue_out(&mut self, objects: &mut ObjectTable, handle: Handle) -> bool {
        if self.current == handle {
            self.current = Handle::NONE;
        }
        self.queue.dequeue(objects, handle.index)
    }
}
