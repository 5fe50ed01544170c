//! Tests of threads and channels: between threads of this program, and with others, which are this program in a role.

use rt::alloc::format;
use rt::alloc::string::String;
use rt::alloc::vec::Vec;
use rt::channel::{Receiver, Sender, channel};
use rt::io::{ErrorKind, Result};
use rt::process::{Command, ExitStatus, Signal, kill};
use rt::thread;

use crate::foreground;

/// Argument that gives this program a role.
pub(crate) const ROLE: &str = "--role=";

/// A test: what it is about, and what is wrong, if anything.
pub(crate) type Test = (&'static str, fn() -> Result<Option<String>>);

/// All tests.
pub(crate) const TESTS: &[Test] = &[
    ("threads of a program", threads),
    ("channel between threads", between_threads),
    ("channel between programs", between_programs),
    ("sender that is killed", killed_sender),
    ("receiver that is killed", killed_receiver),
    ("ends of channels are limited and come back", many_ends),
    ("an end of the other kind", wrong_kind),
];

/// Messages of a test.
const MESSAGES: u64 = 5000;

/// Most bytes of a message.
const LONGEST: u64 = 300;

/// Ends a test when something is not as it should be.
macro_rules! check {
    ($condition:expr, $($what:tt)+) => {
        if !$condition {
            return Ok(Some(format!($($what)+)));
        }
    };
}

pub(crate) use check;

/// A message: its length and bytes follow from its number.
fn message(number: u64) -> Vec<u8> {
    let len = number * 7 % LONGEST;
    (0..len).map(|index| (number + index) as u8).collect()
}

fn send_all(sender: &mut Sender) -> Result<()> {
    for number in 0..MESSAGES {
        sender.send(&message(number))?;
    }
    Ok(())
}

/// Receives all messages. Says what is wrong with them.
fn receive_all(receiver: &mut Receiver) -> Result<Option<String>> {
    let mut buffer = [0; LONGEST as usize];
    for number in 0..MESSAGES {
        let len = receiver.receive(&mut buffer)?;
        let expected = message(number);
        check!(
            len.is_some_and(|len| buffer[..len] == expected[..]),
            "message {number}: {len:?} bytes, which are not those that were sent"
        );
    }
    let end = receiver.receive(&mut buffer)?;
    check!(end.is_none(), "after the last message there is {end:?}");
    Ok(None)
}

fn threads() -> Result<Option<String>> {
    use core::sync::atomic::{AtomicU64, Ordering};
    static SUM: AtomicU64 = AtomicU64::new(0);
    let before = SUM.load(Ordering::Acquire);
    // More than there is memory for at once: that of threads that have ended is used again.
    for round in 0..20_u64 {
        let mut running = Vec::new();
        for number in 0..4_u64 {
            running.push(thread::spawn(move || {
                SUM.fetch_add(round * 4 + number, Ordering::AcqRel);
            })?);
        }
        running.into_iter().for_each(thread::JoinHandle::join);
    }
    let sum = SUM.load(Ordering::Acquire) - before;
    check!(sum == 79 * 80 / 2, "the threads added {sum}");
    Ok(None)
}

/// Says where this program has its channels, and its threads their stacks. That two boots differ is for whoever compares the
/// printed lines.
pub(crate) fn print_addresses() -> Result<()> {
    let (sender, _receiver) = channel()?;
    let channel = sender.address();
    let thread = thread::spawn(move || {
        let here = 0_u8;
        let stack = (&raw const here).addr();
        rt::println!("system-suite: addresses: channel {channel:#x} thread {stack:#x}");
    })?;
    thread.join();
    Ok(())
}

fn between_threads() -> Result<Option<String>> {
    let (mut sender, mut receiver) = channel()?;
    let other = thread::spawn(move || {
        // The receiver sees whether it was all.
        let _result = send_all(&mut sender);
    })?;
    let found = receive_all(&mut receiver)?;
    other.join();
    Ok(found)
}

/// This program in a role.
pub(crate) fn other(role: &str) -> Command {
    let mut command = Command::new("/bin/system-suite");
    command.arg(format!("{ROLE}{role}"));
    command
}

fn between_programs() -> Result<Option<String>> {
    let (to_sender, to_receiver) = channel()?;
    let (from_sender, mut from_receiver) = channel()?;
    // The other program receives by its end 0 and sends all back by its end 1.
    let mut child = other("back").channel(to_receiver).channel(from_sender).spawn()?;
    let mut sender = to_sender;
    let sends = thread::spawn(move || {
        let _result = send_all(&mut sender);
    })?;
    let found = receive_all(&mut from_receiver)?;
    sends.join();
    let status = child.wait()?;
    check!(status.success(), "the other program ended with {status:?}");
    Ok(found)
}

/// Sends back what comes.
fn back() -> Result<()> {
    let (mut receiver, mut sender) = (Receiver::inherited(0)?, Sender::inherited(1)?);
    let mut buffer = [0; LONGEST as usize];
    while let Some(len) = receiver.receive(&mut buffer)? {
        sender.send(&buffer[..len])?;
    }
    Ok(())
}

fn killed_sender() -> Result<Option<String>> {
    let (sender, mut receiver) = channel()?;
    let (done_sender, mut done) = channel()?;
    let mut child = other("three").channel(sender).channel(done_sender).spawn()?;
    let mut buffer = [0; 8];
    let len = done.receive(&mut buffer)?;
    check!(len == Some(0), "the other program says {len:?}");
    for number in 1..=3_u8 {
        if number == 2 {
            kill(child.id(), Signal::Kill)?;
            let status = child.wait()?;
            check!(
                status == ExitStatus::Killed(Signal::Kill),
                "it ended with {status:?}"
            );
        }
        let len = receiver.receive(&mut buffer)?;
        check!(
            len == Some(1) && buffer[0] == number,
            "message {number}: {len:?} {}",
            buffer[0]
        );
    }
    for receiver in [&mut receiver, &mut done] {
        let end = receiver.receive(&mut buffer)?;
        check!(end.is_none(), "after the end of the sender there is {end:?}");
    }
    Ok(None)
}

/// Sends three messages, says so, and waits for its end.
fn three() -> Result<()> {
    let (mut sender, mut done) = (Sender::inherited(0)?, Sender::inherited(1)?);
    for number in 1..=3 {
        sender.send(&[number])?;
    }
    done.send(&[])?;
    loop {
        rt::time::sleep(core::time::Duration::from_secs(60));
    }
}

fn killed_receiver() -> Result<Option<String>> {
    let (mut sender, receiver) = channel()?;
    let mut child = other("one").channel(receiver).spawn()?;
    // More than there is room for, so that the sender waits, which the killer sees to.
    let killer = thread::spawn({
        let id = child.id();
        move || {
            rt::time::sleep(core::time::Duration::from_millis(50));
            let _gone = kill(id, Signal::Kill);
        }
    })?;
    let result = loop {
        if let Err(error) = sender.send(&[1; 1000]) {
            break error.kind();
        }
    };
    killer.join();
    let status = child.wait()?;
    check!(result == ErrorKind::BrokenPipe, "sending ended with {result:?}");
    check!(
        status == ExitStatus::Killed(Signal::Kill),
        "it ended with {status:?}"
    );
    Ok(None)
}

/// Receives one message and waits for its end.
fn one() -> Result<()> {
    let mut receiver = Receiver::inherited(0)?;
    receiver.receive(&mut [0; 1000])?;
    loop {
        rt::time::sleep(core::time::Duration::from_secs(60));
    }
}

fn many_ends() -> Result<Option<String>> {
    for _ in 0..100 {
        let all = [channel()?, channel()?, channel()?];
        let more = channel().map(drop).map_err(|error| error.kind());
        check!(more == Err(ErrorKind::TooMany), "one more channel: {more:?}");
        drop(all);
    }
    Ok(None)
}

fn wrong_kind() -> Result<Option<String>> {
    let (_sender, receiver) = channel()?;
    let status = other("wrong").channel(receiver).status()?;
    check!(status == ExitStatus::Exited(0), "it ended with {status:?}");
    Ok(None)
}

/// An end that receives cannot be had as one that sends, nor twice, and others not at all.
fn wrong() -> Result<()> {
    let refused = |result: Result<()>| result.is_err_and(|error| error.kind() == ErrorKind::InvalidInput);
    let _end = Receiver::inherited(0)?;
    let all = refused(Sender::inherited(0).map(drop))
        && refused(Receiver::inherited(0).map(drop))
        && refused(Receiver::inherited(1).map(drop))
        && refused(Receiver::inherited(u64::MAX).map(drop));
    if all { Ok(()) } else { Err(ErrorKind::Other.into()) }
}

/// Does what a role is. Returns the exit code.
pub(crate) fn role(name: &str) -> u32 {
    let done = match name {
        "back" => back(),
        "three" => three(),
        "one" => one(),
        "wrong" => wrong(),
        "shell" => foreground::look_after_jobs(),
        "reader" => foreground::read(),
        "parent" => foreground::leave_orphan(),
        "orphan" => foreground::read_as_orphan(),
        _ => crate::names::role(name).unwrap_or(Err(ErrorKind::InvalidInput.into())),
    };
    match done {
        Ok(()) => 0,
        Err(error) => {
            rt::println!("system-suite: {name}: {error}");
            1
        }
    }
}
