//! Why the CPU left a program: each architecture's cause registers, read into one vocabulary.

mod aarch64;
mod riscv64;
mod x86_64;

pub use aarch64::aarch64;
pub use riscv64::riscv64;
pub use x86_64::x86_64;

use abi::Fault;
use abi::layout::{STACK_GUARD, STACK_SIZE, STACK_TOP};

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
    let stack = STACK_TOP - STACK_SIZE;
    let is_data = matches!(fault, Fault::BadRead | Fault::BadWrite);
    if is_data && stack - STACK_GUARD <= address && address < stack {
        return Cause::Fault {
            fault: Fault::StackOverflow,
            address: Some(address),
        };
    }
    Cause::Fault {
        fault,
        address: Some(address),
    }
}
