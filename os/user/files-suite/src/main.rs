//! Tests of the file server: starts it, and then itself again in several parts as its clients. Ends the machine as a
//! failure when anything is wrong.
#![no_std]
#![no_main]

mod client;
mod load;
mod parent;
mod parts;

use abi::start::{kind, slot};

rt::program!(main);

fn main(argument: u64) -> u32 {
    let is_first =
        syscall::capability_identify(slot::UNTYPED).is_ok_and(|found| found % 256 == kind::UNTYPED);
    if !is_first {
        return parts::run(argument);
    }
    let status = match parent::run(argument) {
        Ok(()) => {
            rt::println!("files-suite: all parts passed");
            0
        }
        Err(failure) => {
            rt::println!("files-suite: FAILED: {failure}");
            1
        }
    };
    let refused = syscall::power_off(slot::MACHINE, status);
    rt::println!("files-suite: power-off refused: {refused}");
    1
}
