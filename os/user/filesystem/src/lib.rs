//! Files, directories, devices and pipes behind one tree of names.
//!
//! [`Server`] is a state machine: a request is answered at once, or parked until a later one completes it. It knows
//! neither threads nor messages; whoever owns it moves requests in and answers out.
//!
//! What always holds:
//!
//! - No request makes it panic, whatever its handles, lengths, flags and bytes are.
//! - A path never leads above the root: `..` of the root is the root.
//! - What a client keeps here is bounded by [`Limits`]: handles, pipes, parked requests. A parked write holds at most
//!   [`ATOMIC`] bytes, a pipe at most [`CAPACITY`]. What files hold is bounded by the quota of the file system.
//! - A file lives as long as it has a name or an open handle, a pipe as long as it has an end.
//! - Requests parked on one end of a pipe complete in the order in which they came.
//! - After [`Server::client_gone`] nothing of the client is left: no handle, no parked request, no completion.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod device;
mod error;
mod flags;
mod mount;
mod path;
mod pipe;
mod process;
mod ram;
mod request;
mod server;
mod system;
mod tar;

pub use device::{DevFs, Entropy};
pub use error::{Error, Result};
pub use flags::Flags;
pub use mount::MountError;
pub use path::{MAX_NAME, MAX_PATH};
pub use pipe::{ATOMIC, CAPACITY};
pub use process::{Facts, Memory, ProcFs, Process, Uptime};
pub use ram::{Quota, RamFs};
pub use request::{Path, Request, Whence};
pub use server::{Client, Completed, Handle, Limits, Outcome, Server, Ticket};
pub use system::{Entry, FileSystem, Kind, Listing, NodeId, Stat};
pub use tar::{BadArchive, TarFs};
