//! The released image's first program: says which system this is, and asks for power-off.
#![no_std]
#![no_main]

use abi::Identity;
use abi::start::slot;

rt::program!(main);

/// Status of a power-off after a failure.
const FAILURE: u64 = 1;

fn main(_argument: u64) -> u32 {
    let mut buffer = [0; abi::IDENTITY_LEN];
    let status = match identity(&mut buffer) {
        Ok(identity) => {
            rt::println!("{identity}");
            0
        }
        Err(reason) => {
            rt::println!("init: {reason}");
            FAILURE
        }
    };
    let refused = syscall::power_off(slot::MACHINE, status);
    rt::println!("init: power-off refused: {refused}");
    1
}

fn identity(buffer: &mut [u8]) -> Result<Identity<'_>, &'static str> {
    let len = syscall::system_info(buffer).map_err(|_| "system_info failed")?;
    let text = usize::try_from(len)
        .ok()
        .and_then(|len| buffer.get(..len))
        .ok_or("system_info returned too much")?;
    let text = core::str::from_utf8(text).map_err(|_| "system_info returned no UTF-8")?;
    Identity::parse(text).map_err(|_| "system_info lacks a key")
}
