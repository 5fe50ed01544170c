//! Tests of the kernel, as its first program.
#![no_std]
#![no_main]

use core::fmt::{self, Write};

use abi::start::slot;

struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        syscall::debug_write(slot::MACHINE, text.as_bytes())
            .map(|_| ())
            .map_err(|_| fmt::Error)
    }
}

macro_rules! println {
    ($($argument:tt)*) => {{ let _ = writeln!(Console, $($argument)*); }};
}

#[unsafe(no_mangle)]
extern "C" fn program_main(argument: u64) -> ! {
    println!("kernel-suite: hello, argument {argument:#x}");
    let refused = syscall::power_off(slot::MACHINE, 0);
    println!("kernel-suite: power-off refused: {refused}");
    loop {}
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    println!("kernel-suite: {info}");
    let _ = syscall::power_off(slot::MACHINE, 1);
    loop {}
}
