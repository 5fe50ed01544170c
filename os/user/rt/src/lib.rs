//! The runtime of user programs: entry point, system calls, printing, panic handler.
//!
//! A program is a crate with `#![no_std]`, `#![no_main]`, a build script that passes this crate's linker script
//! `program.ld`, and [`program!`] with its main function. It has no heap.
#![no_std]

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
mod arch;
mod call;
mod console;

pub use arch::{illegal_instruction, privileged_instruction};
pub use call::*;
pub use console::Console;

/// Exit code of a program that panics.
pub const PANIC_CODE: u32 = 101;

/// Makes a function of type `fn(u64) -> u32` the program's main function: it gets the argument of `spawn` and returns
/// the exit code.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn program_main(argument: u64) -> ! {
            let main: fn(u64) -> u32 = $main;
            $crate::end(main(argument))
        }
    };
}

/// Prints a line to the kernel's console, formatted as by `format!`.
#[macro_export]
macro_rules! println {
    ($($argument:tt)*) => {{
        use ::core::fmt::Write as _;
        let mut console = $crate::Console::default();
        // There is nowhere to report that the console takes nothing.
        let _ = ::core::writeln!(console, $($argument)*);
    }};
}

/// Ends the program.
pub fn end(code: u32) -> ! {
    loop {
        // It is refused for codes of 2^32 and above only.
        let _refused = exit(u64::from(code));
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    println!("panic: {info}");
    end(PANIC_CODE)
}
