//! Registers of the CPU that runs, for the end of the kernel.

use core::arch::asm;

const COUNT: usize = 20;

/// Their names, in the order in which [`read`] has them.
const NAMES: [&str; COUNT] = [
    "sp", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sctlr",
    "ttbr0", "ttbr1", "elr", "spsr", "esr", "far",
];

/// The registers that a function hands on to those it calls, and those that say how memory is seen and what the last
/// exception was.
#[inline(never)]
pub(super) fn read() -> [(&'static str, u64); COUNT] {
    let mut values = [0; COUNT];
    // One instruction after the other in one piece: in between, the compiler would use the registers itself.
    // SAFETY: writes the array; reading the registers changes nothing.
    unsafe {
        asm!(
            "mov x1, sp",
            "stp x1, x19, [x0]",
            "stp x20, x21, [x0, 16]",
            "stp x22, x23, [x0, 32]",
            "stp x24, x25, [x0, 48]",
            "stp x26, x27, [x0, 64]",
            "stp x28, x29, [x0, 80]",
            "mrs x1, sctlr_el1",
            "stp x30, x1, [x0, 96]",
            "mrs x1, ttbr0_el1",
            "mrs x2, ttbr1_el1",
            "stp x1, x2, [x0, 112]",
            "mrs x1, elr_el1",
            "mrs x2, spsr_el1",
            "stp x1, x2, [x0, 128]",
            "mrs x1, esr_el1",
            "mrs x2, far_el1",
            "stp x1, x2, [x0, 144]",
            in("x0") values.as_mut_ptr(),
            out("x1") _,
            out("x2") _,
            options(nostack, preserves_flags),
        );
    }
    core::array::from_fn(|index| (NAMES[index], values[index]))
}
