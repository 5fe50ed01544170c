//! The floating-point registers themselves. The compiler uses none on these targets, so values stay from one function to
//! the next.

use core::arch::asm;

/// The halves of xmm0 to xmm15, or d0 to d31, or f0 to f31.
pub(crate) type Values = [u64; 32];

/// Reads all registers.
pub(crate) fn read(values: &mut Values) {
    // SAFETY: there is room for all of them.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "movups [{p} + 16 * \\n], xmm\\n",
            ".endr",
            p = in(reg) values,
            options(nostack, preserves_flags),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            ".arch_extension fp",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
            "str d\\n, [{p}, #(8 * \\n)]",
            ".endr",
            p = in(reg) values,
            options(nostack, preserves_flags),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "riscv64")]
    unsafe {
        asm!(
            ".option push",
            ".option arch, +d",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
            "fsd f\\n, 8 * \\n({p})",
            ".endr",
            ".option pop",
            p = in(reg) values,
            options(nostack),
        );
    }
}

/// Writes all registers.
pub(crate) fn write(values: &Values) {
    // SAFETY: nothing else in the program uses the registers.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "movups xmm\\n, [{p} + 16 * \\n]",
            ".endr",
            p = in(reg) values,
            options(nostack, preserves_flags, readonly),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            ".arch_extension fp",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
            "ldr d\\n, [{p}, #(8 * \\n)]",
            ".endr",
            p = in(reg) values,
            options(nostack, preserves_flags, readonly),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "riscv64")]
    unsafe {
        asm!(
            ".option push",
            ".option arch, +d",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
            "fld f\\n, 8 * \\n({p})",
            ".endr",
            ".option pop",
            p = in(reg) values,
            options(nostack, readonly),
        );
    }
}
