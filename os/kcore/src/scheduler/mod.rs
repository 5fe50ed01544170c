//! Which thread runs next on a CPU, for how long, and which CPU should do it.
//!
//! Each CPU has a [`RunQueue`]: 32 real-time levels, strict and round-robin within a level, above one fair class. What a
//! thread needs for that is in its [`Scheduling`], which the queues reach through [`Threads`]; nothing is allocated.
//! Time comes in as arguments. Moving threads between CPUs is for the caller; [`balance`] and [`choose_cpu`] are pure
//! functions that say when.

mod balance;
mod fair;
mod lists;
mod queue;
mod thread;

pub use balance::{balance, choose_cpu};
pub use queue::RunQueue;
pub use thread::{Class, Place, Scheduling, Threads};

/// How many real-time levels there are. The highest number goes first.
pub const LEVELS: u8 = 32;
/// The weight of an ordinary thread. Shares of the fair class are in the ratio of weights.
pub const DEFAULT_WEIGHT: u32 = 1024;
/// The highest weight; the lowest is 1.
pub const MAX_WEIGHT: u32 = 1024 * 16;
/// How long a thread may run while others of its class wait, in nanoseconds: real-time threads, and fair ones of
/// default weight or above.
pub const SLICE: u64 = 4_000_000;
/// The same for the lightest threads.
pub const MIN_SLICE: u64 = 100_000;
/// What a real-time thread counts in [`RunQueue::load`].
pub const REAL_TIME_LOAD: u64 = MAX_WEIGHT as u64;

/// How long a fair thread of this weight may run in one go, in nanoseconds. Less for light threads: their turn would
/// come late otherwise, because it has to be as far away as their slice is large for their weight.
pub const fn slice_of(weight: u32) -> u64 {
    let slice = SLICE * weight as u64 / DEFAULT_WEIGHT as u64;
    if slice < MIN_SLICE {
        MIN_SLICE
    } else if slice > SLICE {
        SLICE
    } else {
        slice
    }
}
