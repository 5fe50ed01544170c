//! Floating-point and SIMD registers. Source: Arm ARM (DDI 0487), `CPACR_EL1`, `FPCR`, `FPSR`.

use core::arch::asm;

/// v0 to v31, FPCR and FPSR.
#[repr(C, align(16))]
pub(crate) struct FpuRegisters {
    vectors: [u128; 32],
    control: u64,
    status: u64,
}

/// No traps, rounding to nearest.
pub(super) const START: FpuRegisters = FpuRegisters {
    vectors: [0; 32],
    control: 0,
    status: 0,
};

/// Switches the instructions on, or makes them trap.
pub(super) fn enable(on: bool) {
    const NO_TRAPS: u64 = 3 << 20;
    let value = if on { NO_TRAPS } else { 0 };
    // SAFETY: the kernel is compiled without these instructions.
    unsafe { asm!("msr cpacr_el1, {}", "isb", in(reg) value, options(nomem, nostack, preserves_flags)) };
}

/// Saves the registers.
pub(super) fn save(registers: &mut FpuRegisters) {
    // SAFETY: there is room for everything that is stored; the instructions are switched on.
    unsafe {
        asm!(
            ".arch_extension fp",
            ".arch_extension simd",
            "stp q0, q1, [{p}]",
            "stp q2, q3, [{p}, #32]",
            "stp q4, q5, [{p}, #64]",
            "stp q6, q7, [{p}, #96]",
            "stp q8, q9, [{p}, #128]",
            "stp q10, q11, [{p}, #160]",
            "stp q12, q13, [{p}, #192]",
            "stp q14, q15, [{p}, #224]",
            "stp q16, q17, [{p}, #256]",
            "stp q18, q19, [{p}, #288]",
            "stp q20, q21, [{p}, #320]",
            "stp q22, q23, [{p}, #352]",
            "stp q24, q25, [{p}, #384]",
            "stp q26, q27, [{p}, #416]",
            "stp q28, q29, [{p}, #448]",
            "stp q30, q31, [{p}, #480]",
            "mrs {control}, fpcr",
            "mrs {status}, fpsr",
            p = in(reg) &raw mut registers.vectors,
            control = out(reg) registers.control,
            status = out(reg) registers.status,
            options(nostack, preserves_flags),
        );
    }
}

/// Loads the registers.
pub(super) fn load(registers: &FpuRegisters) {
    // SAFETY: only registers that the kernel does not use change; the instructions are switched on.
    unsafe {
        asm!(
            ".arch_extension fp",
            ".arch_extension simd",
            "ldp q0, q1, [{p}]",
            "ldp q2, q3, [{p}, #32]",
            "ldp q4, q5, [{p}, #64]",
            "ldp q6, q7, [{p}, #96]",
            "ldp q8, q9, [{p}, #128]",
            "ldp q10, q11, [{p}, #160]",
            "ldp q12, q13, [{p}, #192]",
            "ldp q14, q15, [{p}, #224]",
            "ldp q16, q17, [{p}, #256]",
            "ldp q18, q19, [{p}, #288]",
            "ldp q20, q21, [{p}, #320]",
            "ldp q22, q23, [{p}, #352]",
            "ldp q24, q25, [{p}, #384]",
            "ldp q26, q27, [{p}, #416]",
            "ldp q28, q29, [{p}, #448]",
            "ldp q30, q31, [{p}, #480]",
            "msr fpcr, {control}",
            "msr fpsr, {status}",
            p = in(reg) &raw const registers.vectors,
            control = in(reg) registers.control,
            status = in(reg) registers.status,
            options(nostack, preserves_flags, readonly),
        );
    }
}
