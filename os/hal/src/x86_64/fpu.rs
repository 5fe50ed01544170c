//! x87 and SSE registers. Source: Intel SDM volume 1, section 10.5 "FXSAVE and FXRSTOR Instructions"; volume 3A, chapter
//! 15. Wider vectors stay off: CR4 does not enable the instructions that would save them.

use core::arch::asm;

/// The image of FXSAVE.
#[repr(C, align(16))]
pub(crate) struct FpuRegisters([u8; 512]);

/// All exceptions masked, rounding to nearest: the x87 control word at byte 0, MXCSR at byte 24.
pub(super) const START: FpuRegisters = {
    let mut image = [0; 512];
    [image[0], image[1]] = 0x037f_u16.to_le_bytes();
    [image[24], image[25]] = 0x1f80_u16.to_le_bytes();
    FpuRegisters(image)
};

/// Switches the instructions on, or makes them trap.
pub(super) fn enable(on: bool) {
    const TASK_SWITCHED: u64 = 1 << 3;
    // SAFETY: the kernel is compiled without these instructions.
    unsafe {
        if on {
            asm!("clts", options(nomem, nostack, preserves_flags));
        } else {
            asm!(
                "mov {scratch}, cr0",
                "or {scratch}, {bit}",
                "mov cr0, {scratch}",
                scratch = out(reg) _,
                bit = const TASK_SWITCHED,
                options(nomem, nostack),
            );
        }
    }
}

/// Saves the registers.
pub(super) fn save(registers: &mut FpuRegisters) {
    // SAFETY: the image is as long and as aligned as the instruction wants, which is switched on.
    unsafe { asm!("fxsave64 [{}]", in(reg) registers, options(nostack, preserves_flags)) };
}

/// Loads the registers.
pub(super) fn load(registers: &FpuRegisters) {
    // SAFETY: as for `save`; an image is `START` or what was saved, so no reserved bit is set.
    unsafe { asm!("fxrstor64 [{}]", in(reg) registers, options(nostack, preserves_flags, readonly)) };
}
