//! Registers of the CPU that runs, for the end of the kernel.

use core::arch::asm;

const COUNT: usize = 12;

/// Their names, in the order in which [`read`] has them.
const NAMES: [&str; COUNT] = [
    "rsp", "rbp", "rbx", "r12", "r13", "r14", "r15", "rfl", "cr0", "cr2", "cr3", "cr4",
];

/// The registers that a function hands on to those it calls, and those that say how memory is seen and where the last
/// page fault was.
#[inline(never)]
pub(super) fn read() -> [(&'static str, u64); COUNT] {
    let mut values = [0; COUNT];
    // One instruction after the other in one piece: in between, the compiler would use the registers itself.
    // SAFETY: writes the array; reading the registers changes nothing.
    unsafe {
        asm!(
            "mov [rdi], rsp",
            "mov [rdi + 8], rbp",
            "mov [rdi + 16], rbx",
            "mov [rdi + 24], r12",
            "mov [rdi + 32], r13",
            "mov [rdi + 40], r14",
            "mov [rdi + 48], r15",
            "pushfq",
            "pop [rdi + 56]",
            "mov rax, cr0",
            "mov [rdi + 64], rax",
            "mov rax, cr2",
            "mov [rdi + 72], rax",
            "mov rax, cr3",
            "mov [rdi + 80], rax",
            "mov rax, cr4",
            "mov [rdi + 88], rax",
            in("rdi") values.as_mut_ptr(),
            out("rax") _,
            options(preserves_flags),
        );
    }
    core::array::from_fn(|index| (NAMES[index], values[index]))
}
