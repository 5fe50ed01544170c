//! The process server: the first program. It has all memory, starts the other servers and then every program, and deals
//! with their ends.
//!
//! It calls other servers and they never call it, so nobody waits in a circle; they have all their memory from the
//! beginning. The keys that interrupt and stop reach it as bits of a notification.
#![no_std]
#![no_main]

extern crate alloc;

mod as_client;
mod boot;
mod lives;
mod readers;
mod registry;
mod requests;
mod shared;
mod spawn;
mod system;

use abi::start::slot;

rt::program!(main);

/// Status of a power-off after a failure.
pub(crate) const FAILURE: u64 = 1;

fn main(argument: u64) -> u32 {
    match boot::boot(argument) {
        Ok(server) => requests::serve(server),
        Err(error) => {
            rt::println!("process: {error}");
            let refused = syscall::power_off(slot::MACHINE, FAILURE);
            rt::println!("process: power-off refused: {refused}");
            1
        }
    }
}
