//! Values in memory that was handed in for them.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use crate::memory::{Memory, Region};
use crate::phys;

/// A value in a piece of memory that was made for it. Like a `Box`, but the memory has to be asked back: dropping it drops
/// the value and loses the memory until the machine starts anew. It is as long as a pointer, so that it is moved quickly.
pub struct Stored<T> {
    pointer: NonNull<T>,
}

// SAFETY: the value is owned, as in a `Box`.
unsafe impl<T: Send> Send for Stored<T> {}

/// Alignment of everything that is stored: a cache line.
const ALIGN: u64 = 64;

/// How many bytes so many values take.
const fn room<T>(count: usize) -> Option<u64> {
    const { assert!(align_of::<T>() as u64 <= ALIGN) };
    let size = if size_of::<T>() == 0 {
        1
    } else {
        size_of::<T>() as u64
    };
    match size.checked_mul(count as u64) {
        Some(size) => size.checked_next_multiple_of(ALIGN),
        None => None,
    }
}

/// Takes memory for so many values.
fn take<T>(region: &mut Region, count: usize) -> Option<Memory> {
    if region.is_device() {
        return None;
    }
    region.take(room::<T>(count)?, ALIGN)
}

impl<T> Stored<T> {
    /// Takes memory for a value and puts it there; `None` when too little is left.
    pub fn new(region: &mut Region, value: T) -> Option<Self> {
        let memory = take::<T>(region, 1)?;
        let pointer = NonNull::new(phys::pointer::<T>(memory.start()))?;
        // SAFETY: the memory is mapped, ours, large enough and aligned.
        unsafe { pointer.write(value) };
        Some(Self { pointer })
    }

    /// Drops the value and gives the memory back.
    pub fn into_memory(self) -> Memory {
        let this = ManuallyDrop::new(self);
        let start = phys::address(this.pointer.as_ptr());
        let len = const { room::<T>(1).unwrap() };
        // SAFETY: `this` is not used any more, so the value is dropped once, and the memory that `new` took, which was so
        // long and no device's, is claimed once.
        unsafe {
            this.pointer.drop_in_place();
            Memory::claim(start, len, false)
        }
    }
}

impl<T> Deref for Stored<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the value was put there by `new`, and the memory is ours.
        unsafe { self.pointer.as_ref() }
    }
}

impl<T> DerefMut for Stored<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as for `deref`; `self` is borrowed exclusively.
        unsafe { self.pointer.as_mut() }
    }
}

impl<T> Drop for Stored<T> {
    fn drop(&mut self) {
        // SAFETY: the value is dropped once: `into_memory` does not run this.
        unsafe { self.pointer.drop_in_place() };
    }
}

impl<T: fmt::Debug> fmt::Debug for Stored<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(out)
    }
}

/// Many values of one type, one behind the other, in memory that was handed in.
pub struct Array<T> {
    pointer: NonNull<T>,
    len: usize,
    memory: ManuallyDrop<Memory>,
}

// SAFETY: as for `Stored`.
unsafe impl<T: Send> Send for Array<T> {}

impl<T: Copy> Array<T> {
    /// Takes memory for `len` copies of a value; `None` when too little is left.
    pub fn new(region: &mut Region, len: usize, value: T) -> Option<Self> {
        let memory = take::<T>(region, len)?;
        let pointer = NonNull::new(phys::pointer::<T>(memory.start()))?;
        for index in 0..len {
            // SAFETY: the memory is mapped, ours, aligned, and large enough for `len` values.
            unsafe { pointer.add(index).write(value) };
        }
        Some(Self {
            pointer,
            len,
            memory: ManuallyDrop::new(memory),
        })
    }

    /// Gives the memory back.
    pub fn into_memory(self) -> Memory {
        ManuallyDrop::into_inner(self.memory)
    }
}

impl<T> Deref for Array<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: `new` put `len` values there, and the memory is ours.
        unsafe { core::slice::from_raw_parts(self.pointer.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Array<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`; `self` is borrowed exclusively.
        unsafe { core::slice::from_raw_parts_mut(self.pointer.as_ptr(), self.len) }
    }
}

impl<T> fmt::Debug for Array<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} values at {:p}", self.len, self.pointer)
    }
}
