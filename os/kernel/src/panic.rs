//! The end of the kernel.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use hal::println;
use hal::stamp::Stamp;

static PANICS: AtomicBool = AtomicBool::new(false);

/// Says what happened and to which system, and ends the machine with the status of a failure.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hal::power::stop_other_cpus();
    if PANICS.swap(true, Ordering::Relaxed) {
        // Reporting the first panic led to a second one.
        hal::power::give_up();
    }
    println!("\nkernel panic: {}", info.message());
    if let Some(location) = info.location() {
        println!("kernel panic: at {location}");
    }
    hal::backtrace(|address| println!("kernel panic: called from {address:#018x}"));
    match Stamp::read().identity() {
        Ok(identity) => println!("kernel panic: this is {identity}"),
        Err(error) => println!("kernel panic: {error}"),
    }
    hal::power::off(false)
}
