//! The system-call instruction, and instructions that a program must not execute, on riscv64.

use core::arch::{asm, global_asm};

use abi::ARGUMENTS;

// The argument is in the register of the first argument already.
global_asm!(
    ".section .text.start, \"ax\"",
    ".global _start",
    "_start:",
    "tail program_main"
);

/// Makes a system call.
///
/// # Safety
/// As for [`crate::raw`].
#[inline]
pub(crate) unsafe fn system_call(number: u64, arguments: [u64; ARGUMENTS]) -> [u64; ARGUMENTS] {
    let [mut a, mut b, mut c, mut d, mut e, mut f] = arguments;
    // SAFETY: the caller vouches for the arguments; the kernel changes these registers alone.
    unsafe {
        asm!(
            "ecall",
            in("a7") number,
            inlateout("a0") a, inlateout("a1") b, inlateout("a2") c, inlateout("a3") d, inlateout("a4") e, inlateout("a5") f,
            options(nostack),
        );
    }
    [a, b, c, d, e, f]
}

/// Executes an instruction that no CPU has.
pub fn illegal_instruction() {
    // SAFETY: the kernel ends the program here.
    unsafe { asm!("unimp", options(nomem, nostack)) };
}

/// Executes an instruction that only the kernel may execute.
pub fn privileged_instruction() {
    // SAFETY: the kernel ends the program here.
    unsafe { asm!("csrr {}, satp", out(reg) _, options(nomem, nostack)) };
}
