//! Clocks.

pub use core::time::Duration;

use crate::sys;

/// Time since boot. Never goes back.
pub fn now() -> Duration {
    sys::now()
}

/// Time since 1970-01-01 00:00 UTC without leap seconds; `None` when the machine has no clock.
pub fn unix_now() -> Option<Duration> {
    sys::unix_now()
}

/// Waits for at least this long.
pub fn sleep(time: Duration) {
    sys::sleep(time);
}
