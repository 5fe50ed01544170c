//! What programs and servers say to each other: labels of messages, and what their words mean.
#![no_std]
#![forbid(unsafe_code)]

/// Messages of a program to whoever started it, through the endpoint in [`slot::PARENT`](abi::start::slot::PARENT).
pub mod parent {
    /// The program has ended. Word 0: exit code. There is no reply.
    pub const EXIT: u32 = 1;
    /// The program needs memory. Word 0: bytes. Reply: label [`OK`](super::OK), word 0 the address, word 1 the length.
    pub const GROW: u32 = 2;
    /// What is your pid? Reply: label [`OK`](super::OK), word 0 the number.
    pub const IDENTIFY: u32 = 3;
}

/// Label of a reply that says: done.
pub const OK: u32 = 0;

/// Where programs get memory for their heaps.
pub const HEAP: u64 = 1 << 33;

/// First address behind the heap.
pub const HEAP_END: u64 = 1 << 35;
