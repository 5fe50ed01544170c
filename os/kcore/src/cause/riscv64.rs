//! riscv64 causes. Source: RISC-V Privileged Architecture, "Supervisor Cause (scause) Register".

use abi::Fault;

use super::{Cause, access, plain};

/// What `scause` means, with the value of `stval`.
pub const fn riscv64(scause: u64, stval: u64) -> Cause {
    if scause >> 63 != 0 {
        return Cause::Interrupt;
    }
    match scause {
        // Misaligned, access fault, page fault of an instruction fetch.
        0 | 1 | 12 => access(Fault::BadJump, stval),
        2 => plain(Fault::IllegalInstruction),
        3 => plain(Fault::Breakpoint),
        4 | 6 => Cause::Fault {
            fault: Fault::Alignment,
            address: Some(stval),
        },
        5 | 13 => access(Fault::BadRead, stval),
        7 | 15 => access(Fault::BadWrite, stval),
        8 => Cause::SystemCall,
        _ => plain(Fault::Other),
    }
}
