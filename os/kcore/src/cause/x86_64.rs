//! x86_64 exceptions. Source: Intel SDM volume 3A, chapter 7 "Interrupt and Exception Handling".

use abi::Fault;

use super::{Cause, access, plain};

/// First vector that is no exception.
const INTERRUPTS: u64 = 32;

/// What a vector means, with its error code and the value of `CR2`. System calls don't come through a vector.
pub const fn x86_64(vector: u64, error: u64, cr2: u64) -> Cause {
    match vector {
        0 | 16 | 19 => plain(Fault::Arithmetic),
        1 | 3 => plain(Fault::Breakpoint),
        // Invalid opcode; and device not available: the kernel enables neither x87 nor SSE for programs.
        6 | 7 => plain(Fault::IllegalInstruction),
        // Segment and stack-segment faults, general protection: a privileged instruction, or a non-canonical address.
        10..=13 => plain(Fault::Protection),
        // Error code: bit 1 is a write, bit 4 an instruction fetch.
        14 if error & 1 << 4 != 0 => access(Fault::BadJump, cr2),
        14 if error & 1 << 1 != 0 => access(Fault::BadWrite, cr2),
        14 => access(Fault::BadRead, cr2),
        // Double fault, which programs cannot cause: the address is that of the first fault when that was a page fault.
        8 => Cause::Fault {
            fault: Fault::Other,
            address: Some(cr2),
        },
        17 => plain(Fault::Alignment),
        INTERRUPTS..=255 => Cause::Interrupt,
        _ => plain(Fault::Other),
    }
}
