//! The generic timer: the virtual timer of EL1. Source: Arm ARM (DDI 0487), chapter D12.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use super::cpu::read_register;

/// Its interrupt, which the Arm base system architecture fixes: private interrupt 11.
pub(super) const INTERRUPT: u32 = 16 + 11;

/// Counts between two interrupts.
static PERIOD: AtomicU64 = AtomicU64::new(0);

/// Starts the interrupt. Returns the frequency of the counter.
pub(super) fn start(hz: u32) -> Result<u64, &'static str> {
    let frequency = read_register!("cntfrq_el0");
    if frequency < u64::from(hz) {
        return Err("firmware has not set the frequency of the generic timer (CNTFRQ_EL0)");
    }
    PERIOD.store(frequency / u64::from(hz.max(1)), Ordering::Relaxed);
    rearm();
    // SAFETY: enables the timer of this CPU, whose interrupt has a handler.
    unsafe { asm!("msr cntv_ctl_el0, {}", "isb", in(reg) 1_u64, options(nomem, nostack, preserves_flags)) };
    Ok(frequency)
}

/// Sets the time of the next interrupt, one period from now; that also takes the present one back.
pub(super) fn rearm() {
    let period = PERIOD.load(Ordering::Relaxed);
    // SAFETY: sets the timer of this CPU.
    unsafe { asm!("msr cntv_tval_el0, {}", "isb", in(reg) period, options(nomem, nostack, preserves_flags)) };
}
