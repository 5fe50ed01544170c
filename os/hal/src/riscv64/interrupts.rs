//! Interrupts of the hart itself. Source: RISC-V Privileged Architecture, "Supervisor Interrupt (sip and sie) Registers";
//! RISC-V SBI Specification 1.0, chapter 7 "IPI Extension".

use core::arch::asm;

use super::{cpu, devices, timer};
use crate::{Event, power};

// Bits of `sip` and `sie`: from another hart, from the timer, from the controller of devices.
const SOFTWARE: u64 = 1 << 1;
pub(super) const TIMER: u64 = 1 << 5;
const EXTERNAL: u64 = 1 << 9;

const IPI_EXTENSION: u64 = 0x73_5049;
const SEND: u64 = 0;

/// Enables all but the timer's, which is enabled while the timer is armed.
pub(super) fn init() {
    // SAFETY: the interrupts have handlers.
    unsafe { asm!("csrw sie, {}", in(reg) SOFTWARE | EXTERNAL, options(nomem, nostack)) };
}

/// Interrupts a hart.
pub(super) fn send(hart: u64) {
    // SAFETY: the hart notes that it was interrupted. The fence makes earlier writes visible to it.
    unsafe {
        asm!("fence", options(nostack));
        cpu::firmware(IPI_EXTENSION, SEND, [1, hart, 0, 0]);
    }
}

/// Serves one of the interrupts that are there.
pub(super) fn serve() -> Option<Event> {
    let (pending, enabled): (u64, u64);
    // SAFETY: reading the registers changes nothing.
    unsafe {
        asm!("csrr {}, sip", "csrr {}, sie", out(reg) pending, out(reg) enabled, options(nomem, nostack));
    }
    let pending = pending & enabled;
    if pending & SOFTWARE != 0 {
        // SAFETY: takes the interrupt back.
        unsafe { asm!("csrc sip, {}", in(reg) SOFTWARE, options(nostack)) };
        power::obey();
        return Some(Event::Kick);
    }
    if pending & EXTERNAL != 0 {
        return devices::claim().map(Event::Device);
    }
    if pending & TIMER != 0 {
        timer::arm(None);
        return Some(Event::Timer);
    }
    None
}
