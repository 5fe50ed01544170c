//! The kernel's console: the serial port, one byte after the other.

use core::fmt;

use crate::Architecture;
use crate::arch::Machine;

/// Writes to the serial port. Lines end with carriage return and line feed, as terminals want it.
#[derive(Clone, Copy, Debug)]
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                Machine::write_console(b'\r');
            }
            Machine::write_console(byte);
        }
        Ok(())
    }
}

/// Prints a line to the console, formatted as by `format!`.
#[macro_export]
macro_rules! println {
    ($($argument:tt)*) => {{
        use ::core::fmt::Write as _;
        // The console takes everything.
        let _ = ::core::writeln!($crate::console::Console, $($argument)*);
    }};
}
