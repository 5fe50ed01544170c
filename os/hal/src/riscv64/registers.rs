//! Registers of the CPU that runs, for the end of the kernel.

use core::arch::asm;

const COUNT: usize = 20;

/// Their names, in the order in which [`read`] has them.
const NAMES: [&str; COUNT] = [
    "ra", "sp", "tp", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "sstatus",
    "satp", "sepc", "scause", "stval",
];

/// The registers that a function hands on to those it calls, and those that say how memory is seen and what the last
/// trap was.
#[inline(never)]
pub(super) fn read() -> [(&'static str, u64); COUNT] {
    let mut values = [0; COUNT];
    // One instruction after the other in one piece: in between, the compiler would use the registers itself.
    // SAFETY: writes the array; reading the registers changes nothing.
    unsafe {
        asm!(
            "sd ra, 0(a0)",
            "sd sp, 8(a0)",
            "sd tp, 16(a0)",
            "sd s0, 24(a0)",
            "sd s1, 32(a0)",
            "sd s2, 40(a0)",
            "sd s3, 48(a0)",
            "sd s4, 56(a0)",
            "sd s5, 64(a0)",
            "sd s6, 72(a0)",
            "sd s7, 80(a0)",
            "sd s8, 88(a0)",
            "sd s9, 96(a0)",
            "sd s10, 104(a0)",
            "sd s11, 112(a0)",
            "csrr a1, sstatus",
            "sd a1, 120(a0)",
            "csrr a1, satp",
            "sd a1, 128(a0)",
            "csrr a1, sepc",
            "sd a1, 136(a0)",
            "csrr a1, scause",
            "sd a1, 144(a0)",
            "csrr a1, stval",
            "sd a1, 152(a0)",
            in("a0") values.as_mut_ptr(),
            out("a1") _,
            options(nostack, preserves_flags),
        );
    }
    core::array::from_fn(|index| (NAMES[index], values[index]))
}
