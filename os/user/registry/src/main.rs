//! The registry of names.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod server;

/// There is no system to be its registry here; the library's tests run what does not need one.
#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("registry: this program is for bare metal");
    std::process::exit(1);
}
