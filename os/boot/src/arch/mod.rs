//! What differs from one architecture to another. Each module has the same items:
//!
//! - `NAME`, `MACHINE` (the kernel's ELF machine number), `Paging` (the page-table format);
//! - `check`: is the processor in a state from which the kernel can be entered? No later step fails for such a
//!   reason;
//! - `boot_cpu`: the number for `BootInfo::boot_cpu`;
//! - `counter`: a number that grows with time, from the processor;
//! - `sync_code`: makes instructions that were written as data visible to instruction fetches;
//! - `enter`: exchanges the page tables and jumps to the kernel.

use crate::error::Error;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "riscv64")]
mod riscv64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::*;
#[cfg(target_arch = "riscv64")]
pub(crate) use riscv64::*;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::*;

/// Address of the page that holds the code of `enter`: it runs from its own physical address before and after
/// the exchange, so the new page tables must map it there.
pub(crate) fn enter_page() -> Result<u64, Error> {
    let (start, end) = enter_code();
    if start / boot_core::PAGE == (end - 1) / boot_core::PAGE {
        Ok(start / boot_core::PAGE * boot_core::PAGE)
    } else {
        Err(Error::SwitchSpansPages { start, end })
    }
}
