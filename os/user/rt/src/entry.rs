//! Entry and end of a program on bare metal.

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

/// Ends the program.
pub fn end(code: u32) -> ! {
    loop {
        // It is refused for codes of 2^32 and above only.
        let _refused = crate::exit(u64::from(code));
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    crate::eprintln!("panic: {info}");
    end(crate::PANIC_CODE)
}
