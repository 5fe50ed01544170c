//! Entry and end of a program on bare metal.

/// Makes a function of type `fn(u64) -> u32` the program's main function: it gets the argument with which it was started,
/// and returns the exit code.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn program_main(argument: u64) -> ! {
            let main: fn(u64) -> u32 = $main;
            $crate::prepare(argument);
            $crate::end(main(argument))
        }
    };
}

/// Ends the program: whoever started it is told.
pub fn end(code: u32) -> ! {
    let tag = abi::Tag::new(protocol::process::EXIT);
    // Who has said too much has to wait before it may say this.
    while syscall::call(abi::start::slot::PARENT, tag.0, u64::from(code), 0, 0, 0)
        .is_err_and(|error| error == abi::Error::RateLimited)
    {
        let _woken = syscall::sleep(1_000_000);
    }
    loop {
        let _refused = syscall::exit_thread();
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    crate::sys::panicked(info)
}
