//! Tests of the first process, as its services: each notes in a file when it starts and when it is asked to end. `check`
//! compares what has happened until everything runs, and asks for power-off; `witness`, which everything comes after, sees
//! the end of all others and says whether it was in order. Ends the machine as a failure when anything is wrong.
#![no_std]
#![no_main]

mod check;
mod names;
mod notes;

use core::time::Duration;

use abi::Tag;
use notes::note;
use protocol::{process, slot};
use rt::alloc::string::String;
use rt::process::Command;
use rt::time::sleep;

rt::main!(run);

fn run(mut args: rt::Args) -> u32 {
    args.next();
    let role = args.next().unwrap_or_default();
    let name = args.next().unwrap_or_else(|| role.clone());
    match role.as_str() {
        "mark" => note('+', &name),
        "serve" => serve(&name),
        "stubborn" => {
            note('+', &name);
            hold();
            loop {
                sleep(Duration::from_secs(1));
            }
        }
        "short" => return short(&name, args.next()),
        "fail" => {
            note('+', &name);
            return 3;
        }
        "orphan" => return orphan(&name),
        "linger" => sleep(Duration::from_millis(50)),
        "powerless" => return powerless(&name),
        "adder" => return names::adder(&name),
        "asker" => return names::asker(&name),
        "unnamed" => return names::unnamed(&name),
        "check" => return check::check(),
        "witness" => {
            serve(&name);
            return check::witness();
        }
        other => {
            rt::println!("init-suite: unknown role {other}");
            return 2;
        }
    }
    0
}

/// Holds the request to end back.
fn hold() {
    let tag = Tag::new(process::HOLD_INTERRUPTS).0;
    // Without it this ends at once, which the tests notice.
    let _ = syscall::call(slot::PROCESS, tag, 2, 0, 0, 0);
}

/// Runs until it is asked to end, and takes a moment to do so.
fn serve(name: &str) {
    hold();
    note('+', name);
    let tag = Tag::new(process::TAKE_INTERRUPT).0;
    while syscall::call(slot::PROCESS, tag, 0, 0, 0, 0).is_ok_and(|reply| reply.words[1] == 0) {
        sleep(Duration::from_millis(50));
    }
    sleep(Duration::from_millis(30));
    note('-', name);
}

/// Ends twice with a status, then serves.
fn short(name: &str, status: Option<String>) -> u32 {
    if notes::count('+', name) < 2 {
        note('+', name);
        return status.and_then(|status| status.parse().ok()).unwrap_or(1);
    }
    serve(name);
    0
}

/// Leaves a process behind that ends later.
fn orphan(name: &str) -> u32 {
    note('+', name);
    match Command::new("/bin/init-suite").arg("linger").spawn() {
        Ok(_) => 0,
        Err(_) => 1,
    }
}

/// Has no say about power.
fn powerless(name: &str) -> u32 {
    let refused = [&[][..], &["-f"]].into_iter().all(|args| {
        let status = Command::new("/bin/poweroff").args(args.iter().copied()).status();
        status.is_ok_and(|status| status.code() == 1)
    });
    if refused && rt::system::power_off(1).is_err() {
        note('+', name);
        0
    } else {
        1
    }
}
