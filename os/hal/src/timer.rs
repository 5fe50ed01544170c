//! Time, and one interrupt at a time that was asked for. There is no periodic one.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::Architecture;
use crate::arch::Machine;

const NANOSECONDS: u64 = 1_000_000_000;

/// The counter's value at boot, and its frequency in Hz.
static START: AtomicU64 = AtomicU64::new(0);
static FREQUENCY: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds in a count, and counts in a nanosecond, in units of 2^-32.
static SCALE: AtomicU64 = AtomicU64::new(0);
static INVERSE: AtomicU64 = AtomicU64::new(0);

/// `count * scale / 2^32`, without overflow on the way.
fn scaled(count: u64, scale: &AtomicU64) -> u64 {
    let product = u128::from(count) * u128::from(scale.load(Ordering::Relaxed));
    u64::try_from(product >> 32).unwrap_or(u64::MAX)
}

/// Measures the clock. On the CPU that boots, before everything else here.
///
/// # Errors
/// Says what about the hardware does not work.
pub(crate) fn init() -> Result<(), &'static str> {
    let frequency = Machine::init_clock()?;
    if !(1000..64 * NANOSECONDS).contains(&frequency) {
        return Err("the CPU's counter claims a frequency that no machine has");
    }
    FREQUENCY.store(frequency, Ordering::Relaxed);
    SCALE.store((NANOSECONDS << 32).div_ceil(frequency), Ordering::Relaxed);
    let inverse = (u128::from(frequency) << 32) / u128::from(NANOSECONDS);
    INVERSE.store(u64::try_from(inverse).unwrap_or(u64::MAX), Ordering::Relaxed);
    START.store(Machine::counter(), Ordering::Relaxed);
    Ok(())
}

/// Nanoseconds since boot; never less than before, on any CPU.
pub fn now() -> u64 {
    let counts = Machine::counter().saturating_sub(START.load(Ordering::Relaxed));
    scaled(counts, &SCALE)
}

/// Frequency of the CPU's counter in Hz.
pub fn frequency() -> u64 {
    FREQUENCY.load(Ordering::Relaxed)
}

/// Makes this CPU's timer interrupt at `deadline` (as [`now`] counts) instead of when it would have: at once when that
/// time is past, never for `u64::MAX`. Where the hardware cannot look that far ahead it interrupts early; and an interrupt
/// that was on its way already still comes. Whoever gets [`Event::Timer`](crate::Event) therefore looks at the time.
pub fn arm(deadline: u64) {
    if deadline == u64::MAX {
        Machine::arm_timer(None);
        return;
    }
    // From now on and not from boot, so that a rounding error does not grow with the time the machine has been up.
    let counts = scaled(deadline.saturating_sub(now()), &INVERSE);
    Machine::arm_timer(Some(counts.saturating_add(1)));
}

/// Arms the timer a few times and waits for its interrupt, `limit` nanoseconds each time at most. Returns whether it
/// came, and never early.
pub fn check(limit: u64) -> bool {
    const DELAY: u64 = 1_000_000;
    let comes = |_| {
        let deadline = now() + DELAY;
        arm(deadline);
        while now() < deadline + limit {
            if let Some(crate::Event::Timer) = Machine::take_interrupt(false) {
                return now() >= deadline;
            }
        }
        false
    };
    (0..3).all(comes)
}
