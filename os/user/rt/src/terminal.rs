//! The terminal behind standard input.

use crate::io::Result;
use crate::sys;

/// What the terminal does with input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Lines, edited and echoed by the system; Ctrl-C and Ctrl-Z are signals to the foreground group.
    Cooked,
    /// Every byte at once, without echo and signals; Enter is a line feed. Output is as in `Cooked`: a line feed starts a
    /// new line.
    Raw,
}

pub use Mode::{Cooked, Raw};

/// Chooses the mode.
///
/// # Errors
/// `Unsupported` when it is no terminal.
pub fn set_mode(mode: Mode) -> Result<()> {
    sys::set_mode(mode)
}

/// Rows and columns.
///
/// # Errors
/// `Unsupported` when it is no terminal, or does not know.
pub fn size() -> Result<(u16, u16)> {
    sys::size()
}
