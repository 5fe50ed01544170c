//! The kernel's algorithms without hardware: nothing here touches a register, a device or memory that it was not given.
//!
//! That is what makes it testable on the host, where property tests feed arbitrary bytes to every parser and compare
//! every allocator with a naive model. The page-table formats of all three architectures are compiled everywhere.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod acpi;
pub mod bits;
pub mod buddy;
pub mod bytes;
pub mod capability;
pub mod cause;
pub mod elf;
pub mod fdt;
pub mod heap;
pub mod heap_queue;
pub mod memory_map;
pub mod multiboot2;
pub mod objects;
pub mod paging;
pub mod placement;
pub mod random;
pub mod scheduler;
pub mod symbols;
pub mod tar;
pub mod timeouts;
pub mod token_bucket;
pub mod user_range;
