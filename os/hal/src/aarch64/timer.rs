//! The generic timer: the virtual timer of EL1. Source: Arm ARM (DDI 0487), chapter D12.

use core::arch::asm;

use super::cpu::{counter, read_register};

/// Its interrupt, which the Arm base system architecture fixes: private interrupt 11.
pub(super) const INTERRUPT: u32 = 16 + 11;

/// Frequency of the counter in Hz.
pub(super) fn frequency() -> Result<u64, &'static str> {
    match read_register!("cntfrq_el0") {
        0 => Err("firmware has not set the frequency of the generic timer (CNTFRQ_EL0)"),
        frequency => Ok(frequency),
    }
}

/// Sets this CPU's timer up, disarmed.
pub(super) fn init() {
    arm(None);
}

/// See `Architecture::arm_timer`. The interrupt is there as long as the time is past, so serving it disarms the timer.
pub(super) fn arm(counts: Option<u64>) {
    let (enable, deadline) = match counts {
        Some(counts) => (1_u64, counter().saturating_add(counts)),
        None => (0, u64::MAX),
    };
    // SAFETY: sets the timer of this CPU, whose interrupt has a handler.
    unsafe {
        asm!(
            "msr cntv_cval_el0, {deadline}",
            "msr cntv_ctl_el0, {enable}",
            "isb",
            deadline = in(reg) deadline,
            enable = in(reg) enable,
            options(nomem, nostack, preserves_flags),
        );
    }
}
