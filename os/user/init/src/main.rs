//! The first process, and `poweroff`, which asks it to bring the system down.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod first;
#[cfg(target_os = "none")]
mod poweroff;
#[cfg(target_os = "none")]
mod requests;

#[cfg(target_os = "none")]
rt::main!(run);

#[cfg(target_os = "none")]
fn run(mut args: rt::Args) -> u32 {
    let name = args.next().unwrap_or_default();
    match name.rsplit('/').next() {
        Some("poweroff") => poweroff::run(args),
        _ if rt::process::id() == requests::FIRST => first::run(),
        _ => {
            rt::eprintln!("init: this is the first process, which the system starts; see poweroff");
            2
        }
    }
}

/// There is no system to be the first process of here; the library's tests run what does not need one.
#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("init: this program is for bare metal");
    std::process::exit(1);
}
