//! The runtime of user programs: a subset of std with std's names and meanings, entry point, printing, panic handler.
//!
//! On bare metal it stands on the system's servers (`veridian/`), elsewhere on std (`host/`), so that the same program is
//! an ordinary one that the host's tests run; threads, channels and kernel objects are there on bare metal alone. Paths, arguments and variables are UTF-8.
//!
//! A program is a crate with `#![cfg_attr(target_os = "none", no_std, no_main)]`, a build script that passes this crate's
//! linker script `program.ld`, and [`main!`] with its main function. One that needs neither heap nor servers may be
//! `#![no_std]`, `#![no_main]`, with [`program!`].
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(not(target_os = "none"), forbid(unsafe_code))]

#[doc(hidden)]
pub extern crate alloc;

mod args;
pub mod env;
pub mod fs;
#[cfg(any(target_os = "none", test))]
mod gather;
#[cfg(any(target_os = "none", test))]
mod heap;
pub mod io;
pub mod names;
#[cfg(any(target_os = "none", test))]
mod path;
mod print;
pub mod process;
pub mod system;
pub mod terminal;
pub mod time;
#[cfg(any(target_os = "none", test))]
mod translate;

#[cfg(not(target_os = "none"))]
#[path = "host/mod.rs"]
mod sys;
#[cfg(target_os = "none")]
#[path = "veridian/mod.rs"]
mod sys;

#[cfg(target_os = "none")]
mod console;
#[cfg(target_os = "none")]
mod entry;

pub use args::Args;
#[cfg(target_os = "none")]
pub use console::Console;
#[cfg(target_os = "none")]
pub use entry::end;
#[doc(hidden)]
pub use print::{write_stderr, write_stdout};
#[cfg(target_os = "none")]
#[doc(hidden)]
pub use sys::prepare;
#[doc(hidden)]
pub use sys::start;
#[cfg(target_os = "none")]
pub use sys::{channel, objects, thread};

/// Exit code of a program that panics.
pub const PANIC_CODE: u32 = 101;

/// Makes a function of type `fn(rt::Args) -> u32` the program's main function: it gets the arguments, the program's name
/// first, and returns the exit code.
///
/// On the host it defines `main`, so the function has another name, or lies in another module.
#[cfg(target_os = "none")]
#[macro_export]
macro_rules! main {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn program_main(argument: u64) -> ! {
            $crate::prepare(argument);
            $crate::start($main, argument)
        }
    };
}

/// Makes a function of type `fn(rt::Args) -> u32` the program's main function: it gets the arguments, the program's name
/// first, and returns the exit code.
///
/// On the host it defines `main`, so the function has another name, or lies in another module.
#[cfg(not(target_os = "none"))]
#[macro_export]
macro_rules! main {
    ($main:path) => {
        fn main() {
            $crate::start($main)
        }
    };
}
