//! Printing macros.

use core::fmt;

use crate::sys;

/// Exit code of a program whose standard output takes nothing any more, as if it had been killed for that.
const OUTPUT_CLOSED: u32 = 141;

/// Prints to standard output, formatted as by `format!`. A program whose output cannot be written ends with code 141.
#[macro_export]
macro_rules! print {
    ($($argument:tt)*) => { $crate::write_stdout(::core::format_args!($($argument)*)) };
}

/// Prints a line to standard output, formatted as by `format!`; see [`print!`].
#[macro_export]
macro_rules! println {
    () => { $crate::write_stdout(::core::format_args!("\n")) };
    ($($argument:tt)+) => {
        $crate::write_stdout(::core::format_args!("{}\n", ::core::format_args!($($argument)+)))
    };
}

/// Prints to standard error, formatted as by `format!`. There is nowhere to report a failure.
#[macro_export]
macro_rules! eprint {
    ($($argument:tt)*) => { $crate::write_stderr(::core::format_args!($($argument)*)) };
}

/// Prints a line to standard error, formatted as by `format!`; see [`eprint!`].
#[macro_export]
macro_rules! eprintln {
    () => { $crate::write_stderr(::core::format_args!("\n")) };
    ($($argument:tt)+) => {
        $crate::write_stderr(::core::format_args!("{}\n", ::core::format_args!($($argument)+)))
    };
}

/// What `print!` does.
#[doc(hidden)]
pub fn write_stdout(text: fmt::Arguments<'_>) {
    if sys::print(text).is_err() {
        crate::process::exit(OUTPUT_CLOSED);
    }
}

/// What `eprint!` does.
#[doc(hidden)]
pub fn write_stderr(text: fmt::Arguments<'_>) {
    let _nowhere_to_report = sys::print_error(text);
}
