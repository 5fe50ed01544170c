//! The book-keeping of processes, without the kernel.
//!
//! [`Table`] is a state machine: requests are answered at once or parked, and what the kernel has to do comes out as
//! [`Effect`]s. Whoever owns it tells it when a process has ended.
//!
//! What always holds:
//!
//! - No request makes it panic. Processes, children of one parent, and parked requests are bounded by [`Limits`];
//!   a process counts until its end was fetched.
//! - Every process but the first has a parent, which is alive or the first process.
//! - A number is not used again while a process or a group has it, nor before all others had their turn.
//! - The end of a process is told exactly once.
//! - A process is destroyed by one effect at most, and a process that has ended gets none.
//! - The first process cannot be killed or stopped.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod signals;
mod table;
mod wait;

pub use signals::{Effect, Reading, Signal, Target};
pub use table::{Error, Fate, Group, Info, Limits, MAX_NAME, Pid, Spawn, State, Table};
pub use wait::{Child, Completed, Outcome, Status, Ticket, Wait};
