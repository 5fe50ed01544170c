//! Running programs.

use core::fmt;

use abi::Fault;
use abi::layout::USER_END;
use kcore::cause::Cause;

use crate::arch::Machine;
use crate::fpu::{self, FpuState};
use crate::{Architecture, cpu, image, probe};

/// The registers of a program, in the vocabulary of the system-call convention.
pub(crate) trait RegisterFile: fmt::Display {
    /// A program that is about to start.
    fn start(entry: u64, stack: u64, argument: u64) -> Self;

    /// Number of the system call that it makes.
    fn call(&self) -> u64;

    /// Arguments of that call.
    fn arguments(&self) -> [u64; abi::ARGUMENTS];

    /// Puts the result where the program expects it.
    fn set_result(&mut self, result: u64);

    /// Puts a status and words into the result registers, the status into the first.
    fn set_message(&mut self, status: u64, words: [u64; MESSAGE_WORDS]);

    /// Changes the first argument.
    fn set_argument(&mut self, argument: u64);

    /// Goes back to the system-call instruction behind which the program is.
    fn retry(&mut self);

    /// Program counter.
    fn instruction(&self) -> u64;

    /// Stack pointer.
    fn stack_pointer(&self) -> u64;

    /// Sets the thread pointer.
    fn set_thread_pointer(&mut self, address: u64);

    /// Whether the fault that stopped the program was its use of floating point, which was off.
    fn wants_fpu(&self) -> bool;

    /// Says whether floating point is on while the program runs, where a register of the program's says that.
    fn set_fpu(&mut self, on: bool);
}

/// How many words a system call can return besides its status.
pub const MESSAGE_WORDS: usize = 5;

/// A program's registers while it does not run. Displays as a register dump.
pub struct Context(<Machine as Architecture>::Registers);

/// Why a program stopped running, or a CPU idling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The time has come that the timer was armed for.
    Timer,
    /// Another CPU wants attention.
    Kick,
    /// The device with this interrupt wants attention. It stays silent until the interrupt is completed.
    Device(u32),
    /// The program made a system call.
    Call,
    /// The program was entered without floating-point state and used floating point: it goes on at the same instruction
    /// when it is given one.
    FpuFirstUse,
    /// The program did what it may not do.
    Fault {
        /// What.
        fault: Fault,
        /// The address that it used, when the CPU says so.
        address: Option<u64>,
    },
}

impl Context {
    /// A program that starts at `entry` with its stack pointer and its one argument.
    pub fn new(entry: u64, stack: u64, argument: u64) -> Self {
        Self(RegisterFile::start(entry, stack, argument))
    }

    /// Number and arguments of the system call that it makes.
    pub fn call(&self) -> (u64, [u64; abi::ARGUMENTS]) {
        (self.0.call(), self.0.arguments())
    }

    /// Answers its system call.
    pub fn set_result(&mut self, result: u64) {
        self.0.set_result(result);
    }

    /// Answers its system call with a status and words.
    pub fn set_message(&mut self, status: u64, words: [u64; MESSAGE_WORDS]) {
        self.0.set_message(status, words);
    }

    /// Makes it make its system call again when it runs next: for a call that was interrupted and not answered.
    pub fn retry(&mut self) {
        self.0.retry();
    }

    /// Address of the instruction at which it goes on.
    pub fn instruction(&self) -> u64 {
        self.0.instruction()
    }

    /// Its stack pointer.
    pub fn stack_pointer(&self) -> u64 {
        self.0.stack_pointer()
    }

    /// Changes the argument of a program that has not run yet, or the first one of its system call.
    pub fn set_argument(&mut self, argument: u64) {
        self.0.set_argument(argument);
    }

    /// Sets the thread pointer: the base of fs, `TPIDR_EL0`, or tp. Returns whether it did: it has to be an address in
    /// user space. On aarch64 and riscv64 programs can set theirs themselves as well.
    pub fn set_thread_pointer(&mut self, address: u64) -> bool {
        let is_in_user_space = address < USER_END;
        if is_in_user_space {
            self.0.set_thread_pointer(address);
        }
        is_in_user_space
    }

    /// Runs the program until it stops, with its floating-point state or with floating point off.
    ///
    /// # Safety
    /// The program's address space is active.
    #[inline(always)]
    pub(crate) unsafe fn run(&mut self, fpu: Option<&mut FpuState>) -> Event {
        if fpu.is_some() || !fpu::is_off(Machine::local()) {
            // SAFETY: the caller's promise.
            return unsafe { self.run_with(fpu) };
        }
        loop {
            // SAFETY: the caller has activated the address space.
            match unsafe { Machine::enter_user(&mut self.0) } {
                Cause::SystemCall => return Event::Call,
                cause => {
                    if let Some(event) = self.event(cause, false) {
                        return event;
                    }
                }
            }
        }
    }

    /// As `run`, when floating-point registers have to be exchanged.
    ///
    /// # Safety
    /// As for `run`.
    #[cold]
    unsafe fn run_with(&mut self, mut fpu: Option<&mut FpuState>) -> Event {
        let has_fpu = fpu.is_some();
        self.0.set_fpu(has_fpu);
        fpu::enter(Machine::local(), fpu.as_deref_mut());
        let event = loop {
            // SAFETY: the caller has activated the address space.
            let cause = unsafe { Machine::enter_user(&mut self.0) };
            if let Some(event) = self.event(cause, has_fpu) {
                break event;
            }
        };
        if let Some(state) = fpu {
            fpu::leave(state);
            self.0.set_fpu(false);
        }
        event
    }

    /// What a cause is to the kernel; `None` when the program goes on.
    #[cold]
    fn event(&self, cause: Cause, has_fpu: bool) -> Option<Event> {
        match cause.with_stack(self.0.stack_pointer()) {
            Cause::SystemCall => Some(Event::Call),
            Cause::Fault { .. } if !has_fpu && self.0.wants_fpu() => Some(Event::FpuFirstUse),
            Cause::Fault { fault, address } => Some(Event::Fault { fault, address }),
            Cause::Interrupt => Machine::serve_interrupt(),
        }
    }
}

impl fmt::Display for Context {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// An exception in the kernel itself. A fault that was to be expected is skipped: it says where the kernel goes on.
/// Anything else is the end.
pub(crate) fn kernel_trap(cause: Cause, registers: &impl fmt::Display) -> Option<u64> {
    match cause {
        Cause::Interrupt => panic!("the kernel was interrupted\n{registers}"),
        Cause::SystemCall => panic!("the kernel made a system call\n{registers}"),
        Cause::Fault { fault, address } => match (probe::recovery(), address) {
            (Some(recovery), _) => Some(recovery),
            (None, Some(address)) if cpu::is_stack_guard(address) => {
                panic!(
                    "the kernel's stack is used up: {fault} at {:#x}\n{registers}",
                    image::shown(address, true)
                )
            }
            (None, Some(address)) => {
                panic!(
                    "fault in the kernel: {fault} at {:#x}\n{registers}",
                    image::shown(address, true)
                )
            }
            (None, None) => panic!("fault in the kernel: {fault}\n{registers}"),
        },
    }
}
