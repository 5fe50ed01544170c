//! Why the CPU left a program: each architecture's cause registers, read into one vocabulary.

mod aarch64;
mod riscv64;
mod x86_64;

pub use aarch64::aarch64;
pub use riscv64::riscv64;
pub use x86_64::x86_64;

use abi::Fault;
use abi::layout::{PAGE_SIZE, STACK_GUARD};

/// Why the CPU left a program, or interrupted the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A device wants attention; the interrupt controller knows which.
    Interrupt,
    /// The program made a system call.
    SystemCall,
    /// The program did what it may not do.
    Fault {
        /// What it did.
        fault: Fault,
        /// The address that it used, when the CPU says so.
        address: Option<u64>,
    },
}

/// A fault without an address.
const fn plain(fault: Fault) -> Cause {
    Cause::Fault { fault, address: None }
}

/// A memory access to `address` that was refused.
const fn access(fault: Fault, address: u64) -> Cause {
    Cause::Fault {
        fault,
        address: Some(address),
    }
}

impl Cause {
    /// The cause, when the program's stack pointer is known: touching what lies below it, or the rest of its page, which is not
    /// there then either, is how a stack ends.
    #[must_use]
    pub const fn with_stack(self, stack_pointer: u64) -> Self {
        let Self::Fault {
            fault: Fault::BadRead | Fault::BadWrite,
            address: Some(address),
        } = self
        else {
            return self;
        };
        let (from, to) = (
            stack_pointer.saturating_sub(STACK_GUARD),
            stack_pointer | (PAGE_SIZE - 1),
        );
        if from <= address && address <= to {
            return access(Fault::StackOverflow, address);
        }
        self
    }
}
