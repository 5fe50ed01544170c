//! The timer, which belongs to firmware. Source: RISC-V SBI Specification 1.0, chapter 6 "Timer Extension".

use core::sync::atomic::{AtomicU64, Ordering};

use kcore::fdt::{Fdt, number};

use super::cpu;
use crate::device_tree;

const TIME_EXTENSION: u64 = 0x5449_4d45;
const SET_TIMER: u64 = 0;

/// Frequency of the counter; 0 while it is unknown.
static FREQUENCY: AtomicU64 = AtomicU64::new(0);

/// Counts between two interrupts.
static PERIOD: AtomicU64 = AtomicU64::new(0);

/// Learns the frequency of the counter, which only the device tree knows.
pub(super) fn use_device_tree(tree: &Fdt<'_>) {
    let frequency = device_tree::property(tree, "cpus", "timebase-frequency").and_then(number);
    FREQUENCY.store(frequency.unwrap_or(0), Ordering::Relaxed);
}

/// Starts the interrupt. Returns the frequency of the counter.
pub(super) fn start(hz: u32) -> Result<u64, &'static str> {
    let frequency = FREQUENCY.load(Ordering::Relaxed);
    if frequency < u64::from(hz) {
        return Err("no device tree says how fast the time counter counts (/cpus, timebase-frequency)");
    }
    PERIOD.store(frequency / u64::from(hz.max(1)), Ordering::Relaxed);
    if set_next() != 0 {
        return Err("the firmware has no SBI timer extension");
    }
    Ok(frequency)
}

/// Sets the time of the next interrupt, one period from now; that also takes the present one back.
pub(super) fn rearm() {
    // It worked when the timer was started.
    set_next();
}

fn set_next() -> i64 {
    let next = cpu::counter() + PERIOD.load(Ordering::Relaxed);
    // SAFETY: sets the timer of this hart.
    unsafe { cpu::firmware(TIME_EXTENSION, SET_TIMER, [next, 0]) }
}
