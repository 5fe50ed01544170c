//! Entry point, system-call instruction, and instructions that a program must not execute, on x86_64.

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
/// The arguments are those of the call: addresses are of memory that the kernel may read, or write where it writes.
pub(crate) unsafe fn system_call(number: u64, arguments: [u64; ARGUMENTS]) -> u64 {
    let [a, b, c, d, e, f] = arguments;
    let result;
    // SAFETY: the caller vouches for the arguments; the kernel changes rax, rcx and r11 alone.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
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
