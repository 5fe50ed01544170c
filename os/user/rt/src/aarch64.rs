//! Entry point, system-call instruction, and instructions that a program must not execute, on aarch64.

use core::arch::{asm, global_asm};

use abi::ARGUMENTS;

// The argument is in the register of the first argument already.
global_asm!(
    ".section .text.start, \"ax\"",
    ".global _start",
    "_start:",
    "b program_main"
);

/// Makes a system call.
///
/// # Safety
/// The arguments are those of the call: addresses are of memory that the kernel may read, or write where it writes.
pub(crate) unsafe fn system_call(number: u64, arguments: [u64; ARGUMENTS]) -> u64 {
    let [a, b, c, d, e, f] = arguments;
    let result;
    // SAFETY: the caller vouches for the arguments; the kernel changes x0 alone.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack),
        );
    }
    result
}

/// Executes an instruction that no CPU has.
pub fn illegal_instruction() {
    // SAFETY: the kernel ends the program here.
    unsafe { asm!("udf #0", options(nomem, nostack)) };
}

/// Executes an instruction that only the kernel may execute.
pub fn privileged_instruction() {
    // SAFETY: the kernel ends the program here.
    unsafe { asm!("mrs {}, ttbr1_el1", out(reg) _, options(nomem, nostack)) };
}
