//! Services by name: the registry says which program is behind one.
//!
//! A program that was [allowed to](crate::process::Command::provides) registers a name and serves; others look it up, and
//! call. A name ends with its program, and can be registered anew then. Registering, serving and calling are there on bare
//! metal alone.
//!
//! ```ignore
//! let mut service = rt::names::register("clock")?;
//! loop {
//!     service.serve(|request| Answer::words([request.words[0] + 1, 0, 0, 0]))?;
//! }
//!
//! let clock = rt::names::wait_for("clock", Duration::from_secs(2))?;
//! let answer = clock.call(0, [41, 0, 0, 0])?;
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use crate::io::Result;
use crate::sys;

#[cfg(target_os = "none")]
pub use sys::names::{Answer, Connection, Request, Service, look_up, register, wait_for};

/// A registered name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// The process that has it.
    pub owner: u32,
}

/// The names that are registered, sorted.
///
/// # Errors
/// `Unsupported` when there is no registry.
pub fn list() -> Result<Vec<Entry>> {
    let mut entries = sys::list_names()?;
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}
