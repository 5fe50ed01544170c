//! The kernel: boot order, processes, system calls.
//!
//! What needs hardware is in `hal`, what needs none is in `kcore`; here is what the two are used for.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod loader;
mod panic;
mod processes;
mod system_call;

use hal::timer::{self, Timer};
use hal::{Boot, println};
use kcore::tar::Archive;

use processes::Processes;

/// Timer interrupts per second.
const TICK_HZ: u32 = 100;

/// How many ticks have to come at boot, and how long that may take.
const TICKS_AT_BOOT: u64 = 3;
const TICK_LIMIT_MS: u64 = 5000;

/// Name of the first program in the initrd.
const INIT: &str = "init";

hal::entry!(main);

fn main(boot: Boot) -> ! {
    let stamp = hal::stamp::Stamp::read();
    match stamp.identity() {
        Ok(identity) => println!("kernel: this is {identity}"),
        Err(error) => panic!("{error}"),
    }
    println!(
        "kernel: {} MiB of memory, {} MiB free, {} KiB of heap, CPU {}",
        boot.memory >> 20,
        boot.frames.free() >> 20,
        boot.heap >> 10,
        boot.cpu
    );
    match hal::check_protection() {
        Ok(count) => println!("kernel: memory protection holds: {count} forbidden accesses refused"),
        Err(access) => panic!("memory protection: {access} was not refused"),
    }
    start_timer();
    let initrd = check_initrd(boot.initrd);
    let mut processes = Processes::new(boot.frames, initrd);
    match processes.spawn(INIT, 0, None) {
        Ok(id) => println!("kernel: /{INIT} is process {id}"),
        Err(error) => panic!("/{INIT} cannot be started: {error}"),
    }
    processes.run()
}

/// Starts the timer, and goes on only when it has been seen to tick.
fn start_timer() {
    let timer = Timer::start(TICK_HZ).unwrap_or_else(|error| panic!("timer: {error}"));
    if !timer.wait(TICKS_AT_BOOT, TICK_LIMIT_MS) {
        panic!(
            "timer: {} interrupts in {TICK_LIMIT_MS} ms, expected {TICKS_AT_BOOT}",
            timer::ticks()
        );
    }
    println!(
        "kernel: the timer ticks ({TICK_HZ} Hz; the CPU counts with {} Hz)",
        timer.counter_frequency()
    );
}

/// Reads the whole initrd once, so that no later look into it fails.
fn check_initrd(bytes: &'static [u8]) -> Archive<'static> {
    if bytes.is_empty() {
        panic!("no initrd: the loader reads it from \\veridian\\initrd.tar, QEMU takes it with -initrd");
    }
    let archive = Archive::new(bytes);
    match archive.check() {
        Ok(files) => println!("kernel: initrd with {files} files, {} KiB", bytes.len() >> 10),
        Err(error) => panic!("{error}"),
    }
    archive
}
