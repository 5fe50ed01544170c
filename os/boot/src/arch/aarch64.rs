//! aarch64.

use boot_core::elf::machine;
use core::arch::{asm, global_asm};

use crate::error::Error;

pub(crate) const NAME: &str = "aarch64";
pub(crate) const MACHINE: u16 = machine::AARCH64;
pub(crate) type Paging = boot_core::paging::Aarch64;

/// `TCR_EL1` but for the size of physical addresses: 48-bit virtual addresses (T0SZ, T1SZ = 16), 4 KiB granules
/// (TG0 = 0, TG1 = 2), table walks through inner-shareable write-back memory (IRGN, ORGN = 1, SH = 3).
const TCR: u64 = 16 | 0b11_01_01 << 8 | 16 << 16 | 0b11_01_01 << 24 | 0b10 << 30;

/// `ID_AA64MMFR0_EL1.PARange` for 48 bits. More would need a larger granule or longer descriptors.
const PA_RANGE_48: u64 = 5;

pub(crate) fn check() -> Result<(), Error> {
    let current_el: u64;
    // SAFETY: reads a register that tells the exception level.
    unsafe { asm!("mrs {}, CurrentEL", out(reg) current_el, options(nomem, nostack, preserves_flags)) };
    match current_el >> 2 & 0b11 {
        1 => Ok(()),
        2 => Err(Error::Processor {
            expected: "to be started at exception level 1 (in QEMU: without virtualization=on)",
            found: "exception level 2",
        }),
        _ => Err(Error::Processor {
            expected: "to be started at exception level 1",
            found: "another one",
        }),
    }
}

pub(crate) fn boot_cpu() -> Result<u64, Error> {
    // The kernel reads MPIDR_EL1 itself.
    Ok(0)
}

pub(crate) fn counter() -> u64 {
    let count: u64;
    // SAFETY: every processor of this architecture has the counter, and EL1 and EL2 may read it.
    unsafe { asm!("mrs {}, cntvct_el0", out(reg) count, options(nomem, nostack, preserves_flags)) };
    count
}

pub(crate) fn sync_code(start: u64, len: u64) {
    clean_data_cache(start, len);
    // SAFETY: makes the processor forget instructions that it may have fetched before; changes no memory.
    unsafe {
        asm!(
            "dsb ish",
            "ic ialluis",
            "dsb ish",
            "isb",
            options(nostack, preserves_flags)
        )
    };
}

/// Writes cached data back to memory, where accesses without caches, such as those with the MMU off, find it.
fn clean_data_cache(start: u64, len: u64) {
    let ctr: u64;
    // SAFETY: reads a register that tells the cache line size.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) ctr, options(nomem, nostack, preserves_flags)) };
    let line = 4u64 << (ctr >> 16 & 0xf);
    let mut at = start / line * line;
    while at < start + len {
        // SAFETY: cleaning changes no content; the address lies in memory of the loader, which the firmware
        // has mapped.
        unsafe { asm!("dc cvac, {}", in(reg) at, options(nostack, preserves_flags)) };
        at += line;
    }
    // SAFETY: waits for the cleaning to end.
    unsafe { asm!("dsb sy", options(nostack, preserves_flags)) };
}

// x0 = boot record, x1 = page-table root, x2 = entry point, x3 = MAIR_EL1, x4 = TCR_EL1.
//
// Firmware tables, memory attributes and translation settings are all exchanged at once, which the
// architecture allows only with the MMU off. In between there is no access to data, only instruction fetches,
// and this code has been cleaned to memory before. The kernel's tables serve both halves of the address
// space: the lower half is the identity map, and only the last entry of the root, which no identity address
// reaches, belongs to the upper half.
global_asm!(
    ".section .text.veridian_enter, \"xr\"",
    ".balign 256",
    ".global veridian_enter",
    "veridian_enter:",
    "msr daifset, #15",
    "dsb sy",
    "mrs x5, sctlr_el1",
    "bic x6, x5, #1",
    "msr sctlr_el1, x6",
    "isb",
    "tlbi vmalle1",
    "dsb nsh",
    "msr mair_el1, x3",
    "msr tcr_el1, x4",
    "msr ttbr0_el1, x1",
    "msr ttbr1_el1, x1",
    "isb",
    // MMU, data cache and instruction cache on.
    "mov x6, #0x1005",
    "orr x5, x5, x6",
    "msr sctlr_el1, x5",
    "isb",
    "ic iallu",
    "dsb nsh",
    "isb",
    "br x2",
    ".global veridian_enter_end",
    "veridian_enter_end:",
    ".text",
);

unsafe extern "C" {
    fn veridian_enter(record: u64, root: u64, entry: u64, mair: u64, tcr: u64) -> !;
    safe fn veridian_enter_end();
}

/// First address of `enter`'s code and the one behind it.
pub(super) fn enter_code() -> (u64, u64) {
    (
        veridian_enter as *const () as u64,
        veridian_enter_end as *const () as u64,
    )
}

/// # Safety
///
/// Boot services have ended. `root` is a page-table tree that maps `enter_page` executable and `record`
/// readable at their own addresses, and the kernel's segments at theirs; `entry` is the kernel's entry point.
pub(crate) unsafe fn enter(record: u64, root: u64, entry: u64) -> ! {
    let mmfr0: u64;
    // SAFETY: reads a register that tells the size of physical addresses.
    unsafe { asm!("mrs {}, id_aa64mmfr0_el1", out(reg) mmfr0, options(nomem, nostack, preserves_flags)) };
    let tcr = TCR | (mmfr0 & 0xf).min(PA_RANGE_48) << 32;
    let (start, end) = enter_code();
    clean_data_cache(start, end - start);
    // SAFETY: the caller guarantees that code, tables and entry are in place; `check` has seen exception
    // level 1, whose registers are set, and the attribute indices in the tables are those of `MAIR`.
    unsafe { veridian_enter(record, root, entry, Paging::MAIR, tcr) }
}
