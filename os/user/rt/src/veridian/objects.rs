//! Kernel objects of the program's own: memory that they are made of, and slots for their capabilities.

use core::sync::atomic::{AtomicU32, Ordering};

use protocol::{UNTYPED_SIZES, process, slot};

use super::client;
use crate::io::{ErrorKind, Result};
use crate::translate::call_error_kind;

/// Slot of what the one who started the program gave it, see [`Command::capability`](crate::process::Command::capability).
pub const INHERITED: u64 = slot::INHERITED;

/// A bit for each slot from [`slot::OWN`] on that is taken.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// A slot of this program's table, empty until something is put there. What is in it is deleted when this is dropped.
#[derive(Debug, PartialEq, Eq)]
pub struct Slot(u64);

impl Slot {
    /// Takes an empty slot.
    ///
    /// # Errors
    /// `TooMany`: a program has 32.
    pub fn take() -> Result<Self> {
        let mut taken = TAKEN.load(Ordering::Relaxed);
        loop {
            let free = taken.trailing_ones();
            let slot = slot::OWN + u64::from(free);
            if slot >= slot::OWN_END {
                return Err(ErrorKind::TooMany.into());
            }
            match TAKEN.compare_exchange(taken, taken | 1 << free, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(Self(slot)),
                Err(now) => taken = now,
            }
        }
    }

    /// Its number, for system calls.
    pub const fn number(&self) -> u64 {
        self.0
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // It may be empty.
        let _empty = syscall::capability_delete(0, self.0);
        TAKEN.fetch_and(!(1 << (self.0 - slot::OWN)), Ordering::Relaxed);
    }
}

/// Memory of which kernel objects are made. They end when this is dropped; the memory itself stays the program's.
#[derive(Debug)]
pub struct Memory {
    slot: Option<Slot>,
    size: u64,
}

/// Memory that is not in use, by its size: for so many pieces there are places.
static UNUSED: super::lock::Lock<[[u64; 8]; UNTYPED_SIZES.len()]> =
    super::lock::Lock::new([[0; 8]; UNTYPED_SIZES.len()]);

impl Memory {
    /// Memory of at least so many bytes, which are 2 MiB at most.
    ///
    /// # Errors
    /// `InvalidInput` for more, `TooMany`, `OutOfMemory`; `PermissionDenied` when the program may not switch the machine
    /// off, since with objects of its own it could keep others from running.
    pub fn new(bytes: u64) -> Result<Self> {
        let class = UNTYPED_SIZES.iter().position(|&size| size >= bytes);
        let class = class.ok_or(ErrorKind::InvalidInput)?;
        let size = UNTYPED_SIZES[class];
        let unused = UNUSED.with(|unused| {
            unused[class]
                .iter_mut()
                .find(|slot| **slot != 0)
                .map(core::mem::take)
        });
        if let Some(slot) = unused.flatten() {
            return Ok(Self {
                slot: Some(Slot(slot)),
                size,
            });
        }
        let slot = Slot::take()?;
        client::ask_processes(process::UNTYPED, [size, slot.number(), 0])?;
        Ok(Self {
            slot: Some(slot),
            size,
        })
    }

    /// Makes an object: `kind` and `size` are those of the system call `retype`.
    ///
    /// # Errors
    /// `OutOfMemory`, `TooMany`.
    pub fn make(&self, kind: u64, size: u64) -> Result<Slot> {
        let at = Slot::take()?;
        let untyped = self.slot.as_ref().map_or(0, Slot::number);
        syscall::retype(untyped, kind, size, 1, 0, at.number()).map_err(call_error_kind)?;
        Ok(at)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else {
            return;
        };
        if syscall::capability_revoke(0, slot.number()).is_err() {
            return;
        }
        let class = UNTYPED_SIZES
            .iter()
            .position(|&size| size == self.size)
            .unwrap_or(0);
        let number = slot.number();
        let kept = UNUSED.with(|unused| {
            let place = unused[class].iter_mut().find(|place| **place == 0);
            place.map(|place| *place = number).is_some()
        });
        if kept == Some(true) {
            // The slot is the piece's from now on.
            core::mem::forget(slot);
        }
    }
}
