//! The periodic interrupt.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::Architecture;
use crate::arch::Machine;

static TICKS: AtomicU64 = AtomicU64::new(0);

/// How many timer interrupts have been taken since boot.
pub fn ticks() -> u64 {
    TICKS.load(Ordering::Relaxed)
}

/// Counts one. For the interrupt handler.
pub(crate) fn tick() {
    TICKS.fetch_add(1, Ordering::Relaxed);
}

/// A running timer.
#[derive(Clone, Copy, Debug)]
pub struct Timer {
    frequency: u64,
}

impl Timer {
    /// Starts an interrupt `hz` times a second.
    ///
    /// # Errors
    /// Says what about the hardware does not work.
    pub fn start(hz: u32) -> Result<Self, &'static str> {
        Ok(Self {
            frequency: Machine::start_timer(hz)?,
        })
    }

    /// Takes interrupts until `count` ticks have come, or `limit_ms` milliseconds have passed on the CPU's own counter.
    /// Returns whether the ticks have come.
    pub fn wait(self, count: u64, limit_ms: u64) -> bool {
        let target = ticks() + count;
        let start = Machine::counter();
        let limit = self.frequency.saturating_mul(limit_ms) / 1000;
        while ticks() < target {
            if Machine::counter().wrapping_sub(start) > limit {
                return false;
            }
            Machine::take_interrupts();
        }
        true
    }

    /// Frequency of the CPU's counter in Hz.
    pub fn counter_frequency(self) -> u64 {
        self.frequency
    }
}
