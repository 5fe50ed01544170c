//! The file server's parts that do not need the kernel: what messages mean, who waits for an answer, and the tree.
//!
//! [`Service`] takes a request as it came and gives the reply, or none while the request waits. What it asks of the
//! kernel is behind [`Kernel`](clients::Kernel), so that tests on the host run all of it.
//!
//! What always holds:
//!
//! - No message makes it panic, and none makes it touch memory that its sender has not given.
//! - It calls nobody: whatever a client does, the next request is served. A request that needs to know the processes waits
//!   until the process server, asked with a signal, has told.
//! - After [`GONE`](protocol::files::GONE) nothing of the process is left: no handle, no buffer, no parked request.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod answer;
mod processes;
mod request;
mod service;
mod subtree;
mod tree;

pub use processes::Processes;
pub use service::Service;
pub use subtree::Subtree;
pub use tree::{CONSOLE_DEVICE, Room, TreeError, tree};
