//! The end of the kernel.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use hal::println;
use hal::stamp::Stamp;
use kcore::symbols::Symbols;

static PANICS: AtomicBool = AtomicBool::new(false);

/// Says what happened and to which system, and ends the machine with the status of a failure.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let (halted, running) = hal::power::stop_other_cpus();
    if PANICS.swap(true, Ordering::Relaxed) {
        // Reporting the first panic led to a second one.
        hal::power::give_up();
    }
    println!("\nkernel panic: {}", info.message());
    if let Some(location) = info.location() {
        println!("kernel panic: at {location}");
    }
    let cpu = hal::cpu::current();
    match running {
        0 => println!("kernel panic: on CPU {cpu}; other CPUs halted: {halted}"),
        _ => println!("kernel panic: on CPU {cpu}; other CPUs halted: {halted}, not halted: {running}"),
    }
    // After a fault those of the instruction that caused it are in the message.
    println!("{}", hal::registers());
    println!(
        "kernel panic: its addresses are those for which it was linked; it lies {:#x} higher, physical memory at {:#x}",
        hal::image_offset(),
        hal::physical_map()
    );
    print_callers();
    match Stamp::read().identity() {
        Ok(identity) => println!("kernel panic: this is {identity}"),
        Err(error) => println!("kernel panic: {error}"),
    }
    hal::power::off(false)
}

/// Who called whom, by name where the image has a table of its functions.
fn print_callers() {
    let symbols = match Symbols::parse(hal::symbols()) {
        Ok(symbols) => Some(symbols),
        Err(error) => {
            println!("kernel panic: the callers have no names: {error}");
            None
        }
    };
    hal::backtrace(|address| {
        // Where a call returns to can be behind the end of the function that makes it, when the call never does.
        let call = hal::link_address(address.wrapping_sub(1));
        let symbol = call.and_then(|call| symbols?.find(call));
        let address = call.map_or(address, |call| call + 1);
        match symbol {
            Some(symbol) => println!(
                "kernel panic: called from {address:#018x} {}+{:#x}",
                symbol.name,
                symbol.offset + 1
            ),
            None => println!("kernel panic: called from {address:#018x}"),
        }
    });
}
