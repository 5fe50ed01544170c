//! Where things lie in a user program's address space: the same numbers on every architecture.
//!
//! Everything fits the 256 GiB lower half of riscv64's Sv39, the smallest of the three.

/// Size of a page in bytes.
pub const PAGE_SIZE: u64 = 4096;

/// Lowest address that a program's segment may use. What lies below stays unmapped, so that null pointers fault.
pub const USER_START: u64 = 0x1_0000;

/// First address behind user space.
pub const USER_END: u64 = 1 << 38;

/// First address behind the stack of a program, and the initial stack pointer.
pub const STACK_TOP: u64 = USER_END - (1 << 30);

/// Size of the stack in bytes.
pub const STACK_SIZE: u64 = 64 << 10;

/// Size of the hole below the stack in bytes; touching it counts as [`Fault::StackOverflow`](crate::Fault).
pub const STACK_GUARD: u64 = 64 << 10;

/// First address behind what a program's segments may use: they end where the stack's guard begins.
pub const SEGMENTS_END: u64 = STACK_TOP - STACK_SIZE - STACK_GUARD;

/// Where the first program finds [`RootInfo`](crate::start::RootInfo).
pub const ROOT_INFO: u64 = USER_START;

/// Where the initrd is mapped for the first program.
pub const INITRD: u64 = 1 << 37;
