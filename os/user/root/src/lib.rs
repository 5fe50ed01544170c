//! What the first program does with all that it gets: memory and slots in pieces of one size, and programs started from
//! the initrd.
//!
//! A program consists of [`Chunks`](memory::Chunks): all its objects are made of them, so revoking them ends it, whatever
//! it has done, and they can be used anew.
#![no_std]

extern crate alloc;

pub mod addresses;
pub mod child;
pub mod memory;
pub mod slots;

use abi::start::{ROOT_INFO_WORDS, RootInfo};
use kcore::tar::Archive;

pub use addresses::Addresses;
pub use child::{Child, Gift, Limit, Program, SpawnError, TABLE_SLOTS};
pub use memory::Chunks;
pub use slots::Slots;

/// Reads what the kernel tells the first program.
///
/// # Safety
/// `argument` is the argument of the first program.
pub unsafe fn info(argument: u64) -> RootInfo {
    let words = core::ptr::with_exposed_provenance::<[u64; ROOT_INFO_WORDS]>(argument as usize);
    // SAFETY: the caller's promise: the kernel has mapped a page with the record there.
    RootInfo::from_words(unsafe { words.read() })
}

/// The initrd.
///
/// # Safety
/// The record is the one that the kernel gave this program.
pub unsafe fn initrd(info: &RootInfo) -> Archive<'static> {
    let start = core::ptr::with_exposed_provenance::<u8>(info.initrd as usize);
    // SAFETY: the caller's promise: the kernel has mapped the initrd there, for ever, and nobody writes to it.
    Archive::new(unsafe { core::slice::from_raw_parts(start, info.initrd_len as usize) })
}
