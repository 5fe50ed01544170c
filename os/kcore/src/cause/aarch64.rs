//! aarch64 exception syndromes. Source: Arm ARM (DDI 0487), `ESR_EL1`.

use abi::Fault;

use super::{Cause, access, plain};

/// What a synchronous exception means, from `ESR_EL1` and `FAR_EL1`. Interrupts have a vector of their own.
pub const fn aarch64(esr: u64, far: u64) -> Cause {
    let class = esr >> 26 & 0x3f;
    // Instruction and data aborts: the low two bits of the status say the level, the rest what went wrong.
    let is_alignment = esr & 0x3f == 0x21;
    match class {
        0x15 => Cause::SystemCall,
        // Unknown; WFI/WFE; FP and SIMD, which are off; illegal state; trapped system register.
        0x00 | 0x01 | 0x07 | 0x0e | 0x18 | 0x19 => plain(Fault::IllegalInstruction),
        0x20 | 0x21 => access(Fault::BadJump, far),
        0x24 | 0x25 if is_alignment => Cause::Fault {
            fault: Fault::Alignment,
            address: Some(far),
        },
        // Bit 6 (WnR) is a write.
        0x24 | 0x25 if esr & 1 << 6 != 0 => access(Fault::BadWrite, far),
        0x24 | 0x25 => access(Fault::BadRead, far),
        // A program counter that is not a multiple of 4.
        0x22 => access(Fault::BadJump, far),
        0x26 => plain(Fault::Alignment),
        0x28 | 0x2c => plain(Fault::Arithmetic),
        0x30..=0x35 | 0x38 | 0x3c => plain(Fault::Breakpoint),
        _ => plain(Fault::Other),
    }
}
