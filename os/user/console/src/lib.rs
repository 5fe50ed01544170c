//! The console server's parts that do not need the kernel: how the serial port is programmed, what messages mean, and who
//! waits for input.
//!
//! What always holds:
//!
//! - No message and no byte makes it panic, and none makes it touch memory that its sender has not given.
//! - It waits for the port no longer than [`PATIENCE`] looks at it for each byte, and looks for input between two bytes of
//!   output: a port that is stuck does not keep it from serving.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod service;
mod uart;

pub use service::Service;
pub use uart::{Kind, PATIENCE, Registers, Uart};
