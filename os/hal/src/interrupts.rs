//! Interrupts of devices. They arrive at the CPU that boots, as [`Event::Device`](crate::Event): once, and not again
//! before they have been completed.
//!
//! A number is what firmware uses: a global system interrupt on x86_64, an interrupt identifier of the GIC on aarch64,
//! a source of the PLIC on riscv64.

use crate::Architecture;
use crate::arch::Machine;

/// Lets the interrupt with this number arrive. Returns whether the machine has it, for a device and not for the kernel.
pub fn enable(number: u32) -> bool {
    Machine::enable_interrupt(number)
}

/// Keeps the interrupt with this number away; nothing when there is none.
pub fn disable(number: u32) {
    Machine::disable_interrupt(number);
}

/// Says that the device has been served: its interrupt may come again. Nothing when it is not enabled.
pub fn complete(number: u32) {
    Machine::complete_interrupt(number);
}
