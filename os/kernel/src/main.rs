//! The kernel: boot order, objects, messages, scheduling, system calls.
//!
//! What needs hardware is in `hal`, what needs none is in `kcore`; here is what the two are used for.
//!
//! A CPU in the kernel holds the one lock around [`state::Kernel`], serves what happened, chooses a thread and runs it
//! until something happens. Objects refer to each other by handles that are checked at each use. After boot nothing is
//! allocated but what programs hand in memory for, so programs cannot use the kernel's up.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod capabilities;
mod control;
mod conversation;
mod dispatch;
mod ending;
mod endpoint;
mod gate;
mod ipc;
mod machine;
mod mapping;
mod notification;
mod object;
mod panic;
mod queue;
mod root;
mod schedule;
mod state;
mod thread;

use hal::{Boot, println};
use kcore::tar::Archive;

use object::Entry;
use state::Kernel;

/// How long the timer's interrupt may be late at boot, in nanoseconds.
const TIMER_LIMIT: u64 = 5_000_000_000;

hal::entry!(main, secondary);

fn main(boot: Boot) -> ! {
    let stamp = hal::stamp::Stamp::read();
    match stamp.identity() {
        Ok(identity) => println!("kernel: this is {identity}"),
        Err(error) => panic!("{error}"),
    }
    let free: u64 = boot.free.iter().map(hal::memory::Memory::len).sum();
    println!(
        "kernel: {} MiB of memory, {} MiB free, {} KiB of heap, CPU {}",
        boot.memory >> 20,
        free >> 20,
        boot.heap >> 10,
        boot.cpu
    );
    match hal::check_protection() {
        Ok(count) => println!("kernel: memory protection holds: {count} forbidden accesses refused"),
        Err(access) => panic!("memory protection: {access} was not refused"),
    }
    if !hal::timer::check(TIMER_LIMIT) {
        panic!("timer: no interrupt within {} ms", TIMER_LIMIT / 1_000_000);
    }
    println!(
        "kernel: the timer rings when it should (the CPU counts with {} Hz)",
        hal::timer::frequency()
    );
    check_initrd(boot.initrd);
    let mut kernel = Kernel::new(boot.memory, capacity(boot.heap));
    kernel.bring_on(0);
    if let Err(error) = root::start(&mut kernel, boot.free, boot.initrd) {
        panic!("/{} cannot be started: {error}", root::ROOT);
    }
    kernel.publish();
    for cpu in 1..hal::cpu::count() {
        if let Err(error) = hal::cpu::start(cpu) {
            println!("kernel: CPU {cpu} does not start: {error}");
        }
    }
    println!("kernel: {} CPUs", hal::cpu::count());
    state::run(0)
}

/// Where the other CPUs enter the kernel.
fn secondary(cpu: usize) -> ! {
    Kernel::join(cpu);
    state::run(cpu)
}

/// How many objects there may be: half of the heap is for them, as one block, which is a power of two.
fn capacity(heap: usize) -> usize {
    let block = (heap / 2).checked_ilog2().map_or(0, |bits| 1 << bits);
    (block / size_of::<(Entry, u64)>()).min(mapping::MAX_OBJECTS)
}

/// Reads the whole initrd once, so that no later look into it fails.
fn check_initrd(bytes: &'static [u8]) {
    if bytes.is_empty() {
        panic!("no initrd: the loader reads it from \\veridian\\initrd.tar, QEMU takes it with -initrd");
    }
    match Archive::new(bytes).check() {
        Ok(files) => println!("kernel: initrd with {files} files, {} KiB", bytes.len() >> 10),
        Err(error) => panic!("{error}"),
    }
}
