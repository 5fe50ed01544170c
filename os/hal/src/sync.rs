//! State that exists once.

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

use crate::{cpu, power, tlb};

/// A value behind a fair spin lock: CPUs get it in the order in which they asked.
///
/// Interrupts are masked in the kernel, so a CPU that waits for itself would wait for ever; it panics instead. A CPU that
/// waits for another one still answers requests to forget translations, because the other one may wait for that, and
/// halts when it is told to.
pub struct Mutex<T> {
    /// The ticket that the next CPU takes, and the one whose turn it is.
    next: AtomicU32,
    turn: AtomicU32,
    /// Number of the CPU that holds the lock, plus 1; 0 when nobody does.
    holder: AtomicU32,
    value: UnsafeCell<T>,
}

/// The lock as this crate uses it.
pub(crate) type Lock<T> = Mutex<T>;

// SAFETY: `lock` hands out one reference at a time.
unsafe impl<T: Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// A free lock.
    pub const fn new(value: T) -> Self {
        Self {
            next: AtomicU32::new(0),
            turn: AtomicU32::new(0),
            holder: AtomicU32::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock; waits while another CPU has it.
    ///
    /// # Panics
    /// When this CPU has taken it already.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        let this = cpu::current() as u32 + 1;
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        if self.turn.load(Ordering::Acquire) != ticket {
            self.wait(this, ticket);
        }
        self.holder.store(this, Ordering::Relaxed);
        Guard {
            lock: self,
            stays: PhantomData,
        }
    }

    /// Waits until it is a ticket's turn.
    #[cold]
    fn wait(&self, this: u32, ticket: u32) {
        assert!(
            self.holder.load(Ordering::Relaxed) != this,
            "a lock of the kernel was taken twice"
        );
        while self.turn.load(Ordering::Acquire) != ticket {
            tlb::answer();
            power::obey();
            core::hint::spin_loop();
        }
    }

    /// Makes the lock free, whoever has it. The value is as its holder left it: this is only for values that cannot be
    /// half changed, and for when no other CPU runs.
    pub(crate) fn reset(&self) {
        self.holder.store(0, Ordering::Relaxed);
        self.turn
            .store(self.next.load(Ordering::Relaxed), Ordering::Release);
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Mutex")
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

/// The value of a taken lock.
#[derive(Debug)]
pub struct Guard<'a, T> {
    lock: &'a Mutex<T>,
    /// The lock knows its CPU.
    stays: PhantomData<*const T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard holds the lock, so no other reference exists.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        if self.lock.holder.load(Ordering::Relaxed) != cpu::current() as u32 + 1 {
            // It was taken away: see `reset`.
            return;
        }
        self.lock.holder.store(0, Ordering::Relaxed);
        let turn = self.lock.turn.load(Ordering::Relaxed);
        self.lock.turn.store(turn.wrapping_add(1), Ordering::Release);
    }
}
