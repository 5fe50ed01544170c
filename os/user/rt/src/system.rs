//! The system as a whole.

use alloc::string::String;
use core::time::Duration;

use crate::io::Result;
use crate::sys;

/// What the system says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Name of the system.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Commit it was built from; empty when unknown.
    pub commit: String,
    /// Identity of the image; empty when unknown.
    pub image_id: String,
    /// Architecture of the machine.
    pub arch: String,
    /// Time since boot.
    pub uptime: Duration,
    /// Memory of the machine in bytes.
    pub memory_total: u64,
    /// How much of that is not in use, in bytes.
    pub memory_free: u64,
    /// CPUs that run.
    pub cpus: u32,
}

/// What the system says about itself.
///
/// # Errors
/// `Unsupported` when nobody answers.
pub fn info() -> Result<Info> {
    sys::info()
}

/// Switches the machine off; 0 means that all went well. Returns when it is refused.
///
/// # Errors
/// `PermissionDenied`, `Unsupported`.
pub fn power_off(status: u32) -> Result<()> {
    sys::power_off(status)
}
