//! The system-call instruction, and instructions that a program must not execute, on x86_64.

use core::arch::{asm, global_asm};

use abi::ARGUMENTS;

// The argument is in the register of the first argument, and the stack is as after a call: nothing to do.
global_asm!(
    ".section .text.start, \"ax\"",
    ".global _start",
    "_start:",
    "jmp program_main"
);

/// Makes a system call.
///
/// # Safety
/// As for [`crate::raw`].
#[inline]
pub(crate) unsafe fn system_call(number: u64, arguments: [u64; ARGUMENTS]) -> [u64; ARGUMENTS] {
    let [a, mut b, mut c, mut d, mut e, mut f] = arguments;
    let result;
    // SAFETY: the caller vouches for the arguments; the kernel changes these registers alone.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a, inlateout("rsi") b, inlateout("rdx") c, inlateout("r10") d, inlateout("r8") e, inlateout("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    [result, b, c, d, e, f]
}

/// Executes an instruction that no CPU has.
pub fn illegal_instruction() {
    // SAFETY: the kernel ends the program here.
    unsafe { asm!("ud2", options(nomem, nostack)) };
}

/// Executes an instruction that only the kernel may execute.
pub fn privileged_instruction() {
    // SAFETY: the kernel ends the program here.
    unsafe { asm!("mov rax, cr3", out("rax") _, options(nomem, nostack)) };
}
