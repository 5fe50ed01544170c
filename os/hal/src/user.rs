//! Running programs.

use core::fmt;

use abi::Fault;
use abi::layout::PAGE_SIZE;
use kcore::cause::Cause;

use crate::arch::Machine;
use crate::{Architecture, image, probe, timer};

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

    /// Goes on at another instruction.
    fn set_instruction(&mut self, address: u64);
}

/// A program's registers while it does not run. Displays as a register dump.
pub struct Context(<Machine as Architecture>::Registers);

/// Why a program stopped running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The timer's interrupt came: another program may have its turn.
    Tick,
    /// Another interrupt came, and has been served.
    Interrupt,
    /// It made a system call.
    Call,
    /// It did what it may not do.
    Fault {
        /// What it did.
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

    /// Runs the program until it stops.
    ///
    /// # Safety
    /// The program's address space is active.
    pub(crate) unsafe fn run(&mut self) -> Event {
        // SAFETY: the caller has activated the address space.
        match unsafe { Machine::enter_user(&mut self.0) } {
            Cause::Interrupt if serve_interrupt() => Event::Tick,
            Cause::Interrupt => Event::Interrupt,
            Cause::SystemCall => Event::Call,
            Cause::Fault { fault, address } => Event::Fault { fault, address },
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

/// Serves an interrupt; returns whether it was the timer's.
pub(crate) fn serve_interrupt() -> bool {
    let is_timer = Machine::serve_interrupt();
    if is_timer {
        timer::tick();
    }
    is_timer
}

/// An exception in the kernel itself. An interrupt is served, and a fault that was to be expected is skipped; anything
/// else is the end.
pub(crate) fn kernel_trap(cause: Cause, registers: &mut impl RegisterFile) {
    match cause {
        Cause::Interrupt => {
            serve_interrupt();
        }
        Cause::SystemCall => panic!("the kernel made a system call\n{registers}"),
        Cause::Fault { fault, address } => match (probe::recovery(), address) {
            (Some(recovery), _) => registers.set_instruction(recovery),
            (None, Some(address)) if address & !(PAGE_SIZE - 1) == image::stack_guard() => {
                panic!("the kernel's stack is used up: {fault} at {address:#x}\n{registers}")
            }
            (None, Some(address)) => panic!("fault in the kernel: {fault} at {address:#x}\n{registers}"),
            (None, None) => panic!("fault in the kernel: {fault}\n{registers}"),
        },
    }
}
