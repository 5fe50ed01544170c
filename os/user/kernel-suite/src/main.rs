//! First program of the kernel's test image: tests the kernel through its system calls. Prints one line for each test, and
//! ends the machine as a failure when anything is wrong.
//!
//! A file `kernel-suite.long` in the initrd asks for the long form; a file `kernel-suite.only` names the tests that are run:
//! those whose names begin with its content. A file `kernel-suite.seed` has the seed of the random calls, to repeat them.
#![no_std]
#![no_main]

mod addresses;
mod capabilities;
mod limits;
mod memory;
mod messages;
mod offspring;
mod perf;
mod threads;
mod world;

use abi::start::slot;
use kcore::tar::Archive;

use world::{Test, World};

rt::program!(main);

/// ELF number of this architecture.
const MACHINE: u16 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else {
    243
};

/// Below this an argument is what a child shall do; the first program gets an address.
const CHILD_MODES: u64 = abi::layout::RECORDS;

fn main(argument: u64) -> u32 {
    if argument < CHILD_MODES {
        return child(argument);
    }
    // SAFETY: this is the first program, and the argument is what the kernel started it with.
    let (info, initrd) = unsafe {
        let info = root::info(argument);
        (info, root::initrd(&info))
    };
    addresses::print(argument, &info);
    let wrong = all(&info, initrd);
    rt::println!("kernel-suite: {wrong} wrong");
    let refused = syscall::power_off(slot::MACHINE, u64::from(wrong != 0));
    rt::println!("kernel-suite: power-off refused: {refused}");
    1
}

/// What a child does.
fn child(mode: u64) -> u32 {
    match mode {
        perf::CALLER => perf::call_parent(),
        addresses::TELL => addresses::tell(),
        _ => offspring::child(mode),
    }
}

/// Runs every test. Returns how many found something wrong.
fn all(info: &abi::start::RootInfo, initrd: Archive<'static>) -> u64 {
    let only = initrd
        .find("kernel-suite.only")
        .and_then(|file| core::str::from_utf8(file.data).ok());
    let only = only.unwrap_or_default().trim();
    let mut world = match World::new(info, initrd) {
        Ok(world) => world,
        Err(error) => {
            rt::println!("kernel-suite: no memory to test with: {error}");
            return 1;
        }
    };
    let mut wrong = 0;
    let groups: [&[Test]; 8] = [
        capabilities::TESTS,
        messages::TESTS,
        limits::TESTS,
        memory::TESTS,
        threads::TESTS,
        offspring::TESTS,
        addresses::TESTS,
        perf::TESTS,
    ];
    for (name, test) in groups
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.starts_with(only))
    {
        let mut result = test(&mut world);
        let cleared = world.clear();
        if result.is_ok() {
            result = cleared;
        }
        match result {
            Ok(()) => rt::println!("kernel-suite: {name}: ok"),
            Err(why) => {
                wrong += 1;
                rt::println!("kernel-suite: {name}: WRONG: {why}");
            }
        }
    }
    wrong
}
