//! The file server.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod facts;
#[cfg(target_os = "none")]
mod server;

/// There are neither messages nor an initrd here; the library's tests run what does not need them.
#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("files: this program is for bare metal");
    std::process::exit(1);
}
