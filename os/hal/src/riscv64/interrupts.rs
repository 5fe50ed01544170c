//! Interrupts of the hart itself. Devices, which have a controller of their own, stay silent.

use core::arch::asm;

use super::{timer, trap};

/// The timer's bit in `sie`, and its number in `scause`.
const TIMER: u64 = 5;

/// Enables the timer's interrupt alone.
pub(super) fn init() {
    // SAFETY: the interrupt has a handler.
    unsafe { asm!("csrw sie, {}", in(reg) 1_u64 << TIMER, options(nomem, nostack)) };
}

/// Serves the interrupt that was taken.
pub(super) fn serve() -> bool {
    let is_timer = trap::taken_interrupt() == TIMER;
    if is_timer {
        timer::rearm();
    }
    is_timer
}
