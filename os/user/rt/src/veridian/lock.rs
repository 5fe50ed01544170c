//! Mutual exclusion.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// Set when the program has panicked, and reports it.
static PANICKING: AtomicBool = AtomicBool::new(false);

/// From now on no lock is waited for: who panics may have it itself. Returns whether that was so already.
pub(super) fn set_panicking() -> bool {
    PANICKING.swap(true, Ordering::Relaxed)
}

/// A value that one thread at a time has. Not to be taken again by who has it.
#[derive(Debug)]
pub(super) struct Lock<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the value is used only between `taken` having been set and being cleared again, by one thread; it may be another
// one than the one that made it, hence `Send`.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub(super) const fn new(value: T) -> Self {
        Self {
            taken: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for the value and uses it. `None` when somebody has it and the program has panicked.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        while self.taken.swap(true, Ordering::Acquire) {
            if PANICKING.load(Ordering::Relaxed) {
                return None;
            }
            let _others_may_run = syscall::yield_now();
        }
        // SAFETY: `taken` was clear and is set now, and is cleared only below, after `f` has returned; so this is the only
        // reference. When `f` panics, it stays set: nothing unwinds.
        let result = f(unsafe { &mut *self.value.get() });
        self.taken.store(false, Ordering::Release);
        Some(result)
    }
}
