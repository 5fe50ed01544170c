//! The console server.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod registers;
#[cfg(target_os = "none")]
mod server;

/// There are neither messages nor a serial port here; the library's tests run what does not need them.
#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("console: this program is for bare metal");
    std::process::exit(1);
}
