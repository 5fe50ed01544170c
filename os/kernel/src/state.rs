//! The kernel's state, and what a CPU does: it serves what happened, chooses a thread, and runs it until something happens.

use abi::{Error, encode_result};
use hal::cpu::MAX_CPUS;
use hal::sync::Mutex;
use hal::{Event, FpuState, timer};
use kcore::objects::{Handle, Objects};

use crate::conversation::converse;
use crate::ipc::Payload;
use crate::object::ObjectTable;
use crate::schedule::Cpu;
use crate::thread::{Running, State};

/// What became of a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is done, with this result.
    Done(u64),
    /// It received a message: badge, tag and words.
    Message(u64, Payload),
    /// Its result is in the registers already.
    Answered,
    /// The thread waits; whoever wakes it writes the result.
    Blocked,
    /// It is to be made once more, after others had their turn.
    Retry,
}

/// Interrupt numbers that a notification can be bound to are below this.
pub(crate) const MAX_INTERRUPTS: usize = 256;

/// Everything that the kernel knows.
pub(crate) struct Kernel {
    pub(crate) objects: ObjectTable,
    pub(crate) cpus: [Cpu; MAX_CPUS],
    /// Notification and bits for each interrupt.
    pub(crate) interrupts: [(Handle, u64); MAX_INTERRUPTS],
    /// The object that ends next.
    pub(crate) first_doomed: Handle,
    /// Bytes of usable memory that the machine has.
    pub(crate) memory: u64,
    /// Times that a CPU went from one thread to another.
    pub(crate) switches: u64,
}

/// The one kernel. Whoever holds it is in the kernel; all others run programs, idle, or wait for it.
pub(crate) static KERNEL: Mutex<Option<Kernel>> = Mutex::new(None);

impl Kernel {
    /// A kernel without threads.
    pub(crate) fn new(memory: u64, objects: usize) -> Self {
        Self {
            objects: ObjectTable(Objects::with_capacity(objects)),
            cpus: core::array::from_fn(Cpu::new),
            interrupts: [(Handle::NONE, 0); MAX_INTERRUPTS],
            first_doomed: Handle::NONE,
            memory,
            switches: 0,
        }
    }

    /// Hands it to all CPUs.
    pub(crate) fn publish(self) {
        *KERNEL.lock() = Some(self);
    }

    /// A CPU takes part from now on.
    pub(crate) fn join(cpu: usize) {
        if let Some(kernel) = KERNEL.lock().as_mut() {
            kernel.bring_on(cpu);
        }
    }

    /// Deals with what ended the running of a thread, or the idling of a CPU.
    fn serve(&mut self, cpu: usize, event: Event) {
        let current = self.cpus[cpu].current;
        match event {
            Event::Call => self.system_call(cpu, current),
            Event::Timer => self.timer(cpu),
            Event::Kick => {}
            Event::Device(number) => self.interrupt(cpu, number),
            Event::FpuFirstUse => self.enable_fpu(current),
            Event::Fault { fault, address } => self.fault(cpu, current, fault, address),
        }
    }

    fn system_call(&mut self, cpu: usize, me: Handle) {
        let Some(context) = self.objects.thread(me).and_then(|thread| thread.context.as_ref()) else {
            return;
        };
        let (number, arguments) = context.call();
        let outcome = self.dispatch(cpu, me, number, arguments);
        if matches!(outcome, Ok(Outcome::Answered | Outcome::Blocked)) {
            return;
        }
        let Some(context) = self
            .objects
            .thread_mut(me)
            .and_then(|thread| thread.context.as_mut())
        else {
            return;
        };
        match outcome {
            Ok(Outcome::Done(value)) => context.set_result(encode_result(Ok(value))),
            Ok(Outcome::Message(badge, payload)) => context.set_message(badge, payload),
            Ok(Outcome::Answered | Outcome::Blocked) => {}
            Ok(Outcome::Retry) => {
                context.retry();
                self.cpus[cpu].reschedule = true;
            }
            Err(error) => context.set_result(encode_result(Err(error))),
        }
    }

    /// A device has interrupted: whoever drives it is told.
    fn interrupt(&mut self, cpu: usize, number: u32) {
        match self.interrupts.get(number as usize) {
            Some(&(notification, bits)) if self.objects.is_alive(notification) => {
                self.signal(cpu, notification, bits);
            }
            _ => hal::interrupts::disable(number),
        }
    }

    /// Gives a thread what it needs for floating point, from its first such instruction on.
    fn enable_fpu(&mut self, me: Handle) {
        if let Some(registers) = self
            .objects
            .thread_mut(me)
            .and_then(|thread| thread.context.as_mut())
        {
            registers.fpu.get_or_insert_with(FpuState::new);
        }
    }

    /// Changes the result registers of a thread that waits, and lets it go on.
    pub(crate) fn wake(&mut self, cpu: usize, thread: Handle, result: Result<u64, Error>) {
        if let Some(context) = self
            .objects
            .thread_mut(thread)
            .and_then(|thread| thread.context.as_mut())
        {
            context.set_result(encode_result(result));
        }
        self.make_ready(cpu, thread);
    }

    /// As [`Self::wake`], with a message.
    pub(crate) fn wake_with_message(&mut self, cpu: usize, thread: Handle, badge: u64, payload: Payload) {
        if let Some(context) = self
            .objects
            .thread_mut(thread)
            .and_then(|thread| thread.context.as_mut())
        {
            context.set_message(badge, payload);
        }
        self.make_ready(cpu, thread);
    }

    /// Gives a thread its registers back.
    #[inline]
    fn put_context(&mut self, running: Running) {
        match self.objects.thread_mut(running.thread) {
            Some(thread) => thread.context = Some(running.context),
            // A thread does not end while its registers are out: see `end_thread`.
            None => unreachable!("a running thread has ended"),
        }
    }
}

/// What a CPU does next.
enum Next {
    Run(Running),
    Idle,
    Stop,
}

/// Runs threads on this CPU, for ever.
pub(crate) fn run(cpu: usize) -> ! {
    let mut running: Option<Running> = None;
    let mut event = Event::Kick;
    loop {
        let next = {
            let mut guard = KERNEL.lock();
            let Some(kernel) = guard.as_mut() else {
                unreachable!("a CPU runs before there is a kernel");
            };
            match running.take() {
                Some(running) => kernel.put_context(running),
                None => kernel.end_idling(cpu),
            }
            kernel.serve(cpu, event);
            kernel.next(cpu)
        };
        event = match next {
            Next::Run(mut next) => {
                let event = converse(cpu, &mut next);
                running = Some(next);
                event
            }
            Next::Idle => hal::cpu::wait(),
            Next::Stop => hal::cpu::stop(),
        };
    }
}

impl Kernel {
    /// Chooses what the CPU does next.
    #[inline]
    fn next(&mut self, cpu: usize) -> Next {
        if !self.cpus[cpu].online {
            self.give_up_cpu(cpu);
            self.leave_space(cpu);
            return Next::Stop;
        }
        for _ in 0..=self.objects.0.len() {
            self.choose(cpu);
            let current = self.cpus[cpu].current;
            if current.is_none() {
                break;
            }
            let Some(thread) = self.objects.thread_mut(current) else {
                self.cpus[cpu].current = Handle::NONE;
                continue;
            };
            debug_assert_eq!(thread.state, State::Running);
            let space = thread.space;
            let Some(context) = thread.context.take() else {
                continue;
            };
            let running = Running {
                thread: current,
                context,
            };
            if space == self.cpus[cpu].space || self.enter_space(cpu, space) {
                return Next::Run(running);
            }
            // Nothing is left that it could run in.
            self.put_context(running);
            self.block(cpu, current, State::Faulted, Handle::NONE, u64::MAX);
        }
        // While nobody needs the CPU, it does what was put off.
        while !self.drain(cpu, 256) && self.cpus[cpu].space != Handle::NONE {
            self.leave_space(cpu);
        }
        self.leave_space(cpu);
        self.begin_idling(cpu, timer::now());
        Next::Idle
    }

    /// Goes over to an address space. Returns whether there is one.
    #[inline]
    pub(crate) fn enter_space(&mut self, cpu: usize, handle: Handle) -> bool {
        let (Some(local), Some(space)) = (self.cpus.get_mut(cpu), self.objects.living_space(handle)) else {
            return false;
        };
        space.enter(cpu, self.objects.space(local.space));
        local.space = handle;
        true
    }

    /// Leaves the address space that the CPU has active.
    pub(crate) fn leave_space(&mut self, cpu: usize) {
        let active = core::mem::replace(&mut self.cpus[cpu].space, Handle::NONE);
        if let Some(space) = self.objects.space(active) {
            space.leave(cpu);
        }
    }

    /// Makes another CPU come into the kernel.
    pub(crate) fn call_in(&mut self, cpu: usize) {
        self.cpus[cpu].reschedule = true;
        hal::cpu::kick(cpu);
    }
}
