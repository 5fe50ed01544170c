//! Control registers, single instructions and firmware calls. Source: RISC-V Privileged Architecture; RISC-V Supervisor
//! Binary Interface Specification 1.0.

use core::arch::asm;

use crate::cpu::Local;
use crate::tlb::MAX_PAGES;

/// `satp`: Sv39.
const SV39: u64 = 8 << 60;

/// `sstatus`: floating point and vectors (two bits each), access to programs' pages, making executable pages readable.
const UNITS: u64 = 3 << 13 | 3 << 9;
const PERMIT_USER_MEMORY: u64 = 1 << 18;
const EXECUTABLE_IS_READABLE: u64 = 1 << 19;

/// Switches floating point off until a program is given a state, and keeps the kernel from using programs' pages.
pub(super) fn enable_protection() {
    // SAFETY: takes rights away only. Programs may not read the counters.
    unsafe {
        asm!(
            "csrc sstatus, {bits}",
            "csrw scounteren, zero",
            bits = in(reg) UNITS | PERMIT_USER_MEMORY | EXECUTABLE_IS_READABLE,
            options(nostack),
        );
    }
}

/// The value of `satp` for tables.
pub(super) fn satp(root: u64) -> u64 {
    SV39 | root >> 12
}

/// Switches page tables and forgets all translations.
///
/// # Safety
/// The tables map the kernel where it is now.
pub(super) unsafe fn set_root(root: u64) {
    // SAFETY: the caller vouches for the tables. The first fence makes fresh entries visible to the table walker.
    unsafe { asm!("sfence.vma", "csrw satp, {}", "sfence.vma", in(reg) satp(root), options(nostack)) };
}

/// Makes earlier writes visible to this hart's instruction fetches.
pub(super) fn publish_code() {
    // SAFETY: a fence changes no memory.
    unsafe { asm!("fence.i", options(nostack)) };
}

/// The time counter.
pub(super) fn counter() -> u64 {
    let value;
    // SAFETY: reading the counter changes nothing.
    unsafe { asm!("rdtime {}", out(reg) value, options(nomem, nostack)) };
    value
}

/// State of the CPU that runs.
#[inline]
pub(super) fn local() -> &'static Local {
    let local: *const Local;
    // SAFETY: the register holds the address of a static from the first instruction in Rust on.
    unsafe {
        asm!("mv {}, tp", out(reg) local, options(pure, nomem, nostack, preserves_flags));
        &*local
    }
}

/// Sleeps until an interrupt is there. Masked ones count, so none is slept through.
pub(super) fn wait_for_interrupt() {
    // SAFETY: the CPU just waits.
    unsafe { asm!("wfi", options(nostack)) };
}

/// Forgets the translations of some pages, whosever they are.
pub(super) fn forget(first_page: u64, pages: u64) {
    // SAFETY: at worst they are looked up again.
    unsafe {
        if pages > MAX_PAGES {
            asm!("sfence.vma", options(nostack));
        } else {
            for page in 0..pages {
                asm!("sfence.vma {}", in(reg) first_page.wrapping_add(page << 12), options(nostack));
            }
        }
    }
}

/// The frame pointer of the caller.
#[inline(always)]
pub(super) fn frame_pointer() -> u64 {
    let frame;
    // SAFETY: reading the register changes nothing.
    unsafe { asm!("mv {}, s0", out(reg) frame, options(nomem, nostack)) };
    frame
}

/// There is no generator that the kernel may use: the register of extension Zkr belongs to firmware.
pub(super) fn random() -> Option<u64> {
    None
}

/// Does nothing for ever.
pub(super) fn halt() -> ! {
    loop {
        // SAFETY: the CPU just waits.
        unsafe { asm!("csrci sstatus, 2", "wfi", options(nomem, nostack)) };
    }
}

/// Calls firmware. Returns its error number, 0 for success.
///
/// # Safety
/// The call does nothing to memory that is in use.
pub(super) unsafe fn firmware(extension: u64, function: u64, arguments: [u64; 4]) -> i64 {
    let error;
    // SAFETY: the caller vouches for the call; firmware keeps all registers but a0 and a1.
    unsafe {
        asm!(
            "ecall",
            in("a7") extension,
            in("a6") function,
            inlateout("a0") arguments[0] => error,
            inlateout("a1") arguments[1] => _,
            in("a2") arguments[2],
            in("a3") arguments[3],
            options(nostack),
        );
    }
    error
}

/// Root of the active tables.
pub(super) fn active_root() -> u64 {
    let satp: u64;
    // SAFETY: reading the register changes nothing.
    unsafe { asm!("csrr {}, satp", out(reg) satp, options(nomem, nostack)) };
    satp << 20 >> 8
}

/// See `Architecture::go_on`.
///
/// # Safety
/// As there.
pub(super) unsafe fn go_on(target: u64, argument: u64, distance: u64) -> ! {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "add sp, sp, a2",
            "li s0, 0",
            "li ra, 0",
            "jr a1",
            in("a2") distance,
            in("a1") target,
            in("a0") argument,
            options(noreturn),
        )
    }
}
