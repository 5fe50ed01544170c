//! Variables, current directory.

use alloc::string::String;
use alloc::vec::Vec;

use crate::io::Result;
use crate::sys;

/// The value of a variable.
pub fn var(name: &str) -> Option<String> {
    sys::var(name)
}

/// Sets a variable, for this program and those it starts.
pub fn set_var(name: &str, value: &str) {
    sys::set_var(name, value);
}

/// Removes a variable.
pub fn remove_var(name: &str) {
    sys::remove_var(name);
}

/// Every variable and its value, by name.
pub fn vars() -> Vec<(String, String)> {
    sys::vars()
}

/// The current directory: an absolute path.
///
/// # Errors
/// `NotFound` when it is gone.
pub fn current_dir() -> Result<String> {
    sys::current_dir()
}

/// Changes the current directory, of this program and those it starts from now on.
///
/// # Errors
/// `NotFound`, `NotADirectory`, `PermissionDenied`.
pub fn set_current_dir(path: &str) -> Result<()> {
    sys::set_current_dir(path)
}

/// The path of the running program.
///
/// # Errors
/// `NotFound` when it is gone, `Unsupported` when nobody knows.
pub fn current_exe() -> Result<String> {
    sys::current_exe()
}
