//! The kernel: boot order, processes, system calls.
//!
//! What needs hardware is in `hal`, what needs none is in `kcore`; here is what the two are used for.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod cpus;
mod loader;
mod panic;
mod processes;
mod system_call;

use hal::{Boot, println, timer};
use kcore::tar::Archive;

use processes::Processes;

/// How late the timer's interrupt may come at boot, in nanoseconds.
const TIMER_LIMIT: u64 = 5_000_000_000;

/// Name of the first program in the initrd.
const INIT: &str = "init";

hal::entry!(main, cpus::secondary);

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
    check_timer();
    match cpus::check() {
        Ok(count) => println!("kernel: {count} CPUs"),
        Err(error) => panic!("{error}"),
    }
    let initrd = check_initrd(boot.initrd);
    let mut processes = Processes::new(boot.frames, initrd);
    match processes.spawn(INIT, 0, None) {
        Ok(id) => println!("kernel: /{INIT} is process {id}"),
        Err(error) => panic!("/{INIT} cannot be started: {error}"),
    }
    processes.run()
}

/// Goes on only when the timer has been seen to interrupt.
fn check_timer() {
    if !timer::check(TIMER_LIMIT) {
        panic!("timer: no interrupt at the time that it was armed for");
    }
    println!(
        "kernel: the timer works (the CPU counts with {} Hz)",
        timer::frequency()
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
