//! The size of a user program's address space and of what is in it: the same numbers on every architecture. Where things
//! lie in it is chosen at random when a program is started (`kcore::placement`).
//!
//! Everything fits the 256 GiB lower half of riscv64's Sv39, the smallest of the three.

/// Size of a page in bytes.
pub const PAGE_SIZE: u64 = 4096;

/// Lowest address that may be mapped. What lies below stays unmapped, so that null pointers fault.
pub const USER_START: u64 = 0x1_0000;

/// First address behind user space.
pub const USER_END: u64 = 1 << 38;

/// Size of the stack that a program begins with, in bytes.
pub const STACK_SIZE: u64 = 64 << 10;

/// How far below its stack pointer, in bytes, a program's access to memory that is not there counts as
/// [`Fault::StackOverflow`](crate::Fault); what starts programs leaves a hole of that size below the stack.
pub const STACK_GUARD: u64 = 64 << 10;

/// Most bytes of address space that a program's image may take.
pub const MAX_IMAGE: u64 = 1 << 30;

/// Lowest address at which a program finds what it is told: the argument of its main function. A smaller argument is just a
/// number.
pub const RECORDS: u64 = 1 << 30;
