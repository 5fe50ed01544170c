//! Gates: how many messages they let through.

use abi::start::{kind, right};
use abi::{Error, Tag};
use syscall::FOREVER;

use crate::messages::turn;
use crate::world::{Test, World, Wrong, add, get, now, receive, set, wait_for};
use crate::{check, must, same};

pub(crate) const TESTS: &[Test] = &[
    ("gates: as many messages pass as should", burst),
    ("gates: more pass with time", refill),
    ("gates: who floods a server is alone with that", flood),
    ("gates: those that make no sense are refused", refused),
    ("gates: faults are not counted", faults),
    ("gates: the endpoint is gone", target_gone),
];

/// A second of the clock.
const SECOND: u64 = 1_000_000_000;

/// An endpoint and a gate to it.
fn gate(world: &mut World, rate: u64, burst: u64) -> Result<(u64, u64), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let gate = must!(world.make(kind::ENDPOINT, 0));
    must!(syscall::endpoint_limit(gate, endpoint, rate, burst));
    Ok((endpoint, gate))
}

/// Calls without words.
fn call(slot: u64) -> Result<abi::Message, Error> {
    syscall::call(slot, 0, 0, 0, 0, 0)
}

fn burst(world: &mut World) -> Result<(), Wrong> {
    let (endpoint, gate) = gate(world, 0, 5)?;
    must!(world.thread(turn, endpoint, 0));
    let badged = must!(world.badged(gate, right::WRITE, 77));
    let copy = world.slot();
    must!(syscall::capability_copy(0, copy, badged, right::WRITE));
    for round in 0..3 {
        let reply = must!(syscall::call(badged, 0, round, 0, 0, 0));
        check!(
            reply.tag == Tag::new(77) && reply.words[3] == round + 1,
            "what passes a gate keeps badge and words"
        );
    }
    must!(syscall::call_timeout(copy, 0, 0, 0, 0, SECOND));
    must!(syscall::send(copy, 0, 0, 0, 0, 0));
    for slot in [badged, copy, gate] {
        same!(call(slot), Error::RateLimited, "a call too many");
        same!(
            syscall::call_timeout(slot, 0, 0, 0, 0, SECOND),
            Error::RateLimited,
            "a call with a timeout too many"
        );
        same!(
            syscall::send(slot, 0, 0, 0, 0, 0),
            Error::RateLimited,
            "a message too many"
        );
    }
    // What is wrong with a message is told first, and others are not concerned.
    same!(
        syscall::call(badged, u64::MAX, 0, 0, 0, 0),
        Error::BadArgument,
        "a forbidden tag"
    );
    let other = must!(world.badged(endpoint, right::WRITE, 78));
    for _ in 0..20 {
        must!(call(other));
    }
    // Setting the limit again fills the bucket.
    must!(syscall::endpoint_limit(gate, endpoint, 0, 1));
    must!(call(badged));
    same!(call(badged), Error::RateLimited, "after the new limit");
    Ok(())
}

fn refill(world: &mut World) -> Result<(), Wrong> {
    const RATE: u64 = 1000;
    const BURST: u64 = 1000;
    let (endpoint, gate) = gate(world, RATE, BURST)?;
    must!(world.thread(turn, endpoint, 0));
    let before = now();
    must!(syscall::endpoint_limit(gate, endpoint, RATE, BURST));
    must!(call(gate));
    let first = now();
    let mut passed = 1;
    let mut refusals = 0;
    // Three times until nothing passes. The bucket is not full again in between unless a second goes by.
    while refusals < 3 {
        let asked = now();
        match call(gate) {
            Ok(_) => passed += 1,
            Err(Error::RateLimited) => {
                refusals += 1;
                let most = BURST + (now() - before) * RATE / SECOND;
                let least = BURST + (asked - first) * RATE / SECOND;
                check!(passed <= most, "more passed than the limit allows");
                check!(passed + 1 >= least, "less passed than the limit allows");
                must!(syscall::sleep(50_000_000));
            }
            Err(error) => {
                same!(error, Error::RateLimited, "why a call is refused");
            }
        }
    }
    // A long pause gives the burst and not more.
    must!(syscall::endpoint_limit(gate, endpoint, 100, 2));
    must!(call(gate));
    must!(call(gate));
    must!(syscall::sleep(SECOND / 5));
    let start = now();
    must!(call(gate));
    must!(call(gate));
    let third = call(gate);
    // Where the host was busy for a hundredth of a second, one more may pass.
    check!(
        third.is_err() || now() - start >= SECOND / 100,
        "more than the burst passed after a pause"
    );
    Ok(())
}

/// Sends until told to stop.
fn flooder(gate: u64) {
    while get(0) == 0 {
        match syscall::send(gate, 1, 0, 0, 0, 0) {
            Ok(_) => add(1, 1),
            Err(Error::RateLimited) => add(2, 1),
            Err(_) => add(3, 1),
        };
    }
    add(4, 1);
}

fn flood(world: &mut World) -> Result<(), Wrong> {
    let (endpoint, gate) = gate(world, 0, 10)?;
    must!(world.thread(turn, endpoint, 0));
    let flooding = must!(world.badged(gate, right::WRITE, 1));
    must!(world.thread(flooder, flooding, 0));
    must!(world.thread(flooder, flooding, 0));
    let client = must!(world.badged(endpoint, right::WRITE, 2));
    for round in 0..200 {
        let reply = must!(syscall::call(client, 0, round, 0, 0, 0));
        check!(reply.words[3] == round + 1, "another client's answer");
        if round % 50 == 0 {
            must!(syscall::sleep(1_000_000));
        }
    }
    check!(
        crate::world::wait_until(|| get(2) >= 100),
        "refusals of a flood come at once"
    );
    set(0, 1);
    check!(wait_for(4, 2), "both who flood come to their end");
    same!(get(1), 10, "messages of both that passed");
    same!(get(3), 0, "other errors");
    Ok(())
}

/// Waits at an endpoint for a message.
fn waiter(endpoint: u64) {
    set(0, 1);
    let _came = receive(endpoint);
}

fn refused(world: &mut World) -> Result<(), Wrong> {
    let (endpoint, gate) = gate(world, 1, 1)?;
    let other = must!(world.make(kind::ENDPOINT, 0));
    let bell = must!(world.make(kind::NOTIFICATION, 0));
    let write = must!(world.badged(other, right::WRITE, 0));
    let empty = world.slot();
    let limit = syscall::endpoint_limit;
    for (result, error, what) in [
        (limit(other, endpoint, 1, 0), Error::BadArgument, "a burst of 0"),
        (
            limit(other, endpoint, 1 << 32, 1),
            Error::BadArgument,
            "too high a rate",
        ),
        (
            limit(other, endpoint, 1, 1 << 32),
            Error::BadArgument,
            "too large a burst",
        ),
        (limit(other, other, 1, 1), Error::BadArgument, "a gate to itself"),
        (limit(other, gate, 1, 1), Error::BadArgument, "a gate to a gate"),
        (
            limit(write, endpoint, 1, 1),
            Error::NotPermitted,
            "a sender's gate",
        ),
        (
            limit(other, write, 1, 1),
            Error::NotPermitted,
            "a gate to where one may send only",
        ),
        (limit(bell, endpoint, 1, 1), Error::WrongKind, "no endpoint"),
        (
            limit(other, bell, 1, 1),
            Error::WrongKind,
            "a gate to no endpoint",
        ),
        (limit(other, empty, 1, 1), Error::NotFound, "a gate to nothing"),
        (
            syscall::receive(gate, FOREVER).map(|message| message.badge),
            Error::WrongKind,
            "receiving at a gate",
        ),
        (
            syscall::reply_receive(gate, 0, 0, 0, 0, 0).map(|message| message.badge),
            Error::WrongKind,
            "replying and receiving at a gate",
        ),
    ] {
        same!(result, error, what);
    }
    must!(world.thread(waiter, other, 0));
    check!(wait_for(0, 1), "a thread waits");
    must!(syscall::sleep(20_000_000));
    same!(
        limit(other, endpoint, 1, 1),
        Error::Busy,
        "a gate where somebody waits"
    );
    // The end of a line of gates is where nobody can receive.
    let last = must!(world.make(kind::ENDPOINT, 0));
    must!(limit(endpoint, last, 1, 1));
    same!(call(gate), Error::PeerGone, "through two gates");
    Ok(())
}

/// Does what no thread may do.
fn faulty(_: u64) {
    // SAFETY: nothing is mapped there; the fault is what the test waits for.
    unsafe { core::ptr::without_provenance::<u8>(8).read_volatile() };
}

fn faults(world: &mut World) -> Result<(), Wrong> {
    let (endpoint, gate) = gate(world, 0, 1)?;
    let badged = must!(world.badged(gate, right::WRITE, 9));
    for _ in 0..3 {
        must!(world.thread(faulty, 0, badged));
    }
    for _ in 0..3 {
        let fault = must!(syscall::receive(endpoint, 10 * SECOND));
        check!(
            fault.badge == 9 && fault.tag.is_fault(),
            "a fault with the badge of the gate's capability"
        );
    }
    same!(
        syscall::call_timeout(badged, 0, 0, 0, 0, 0),
        Error::TimedOut,
        "the bucket is still full"
    );
    same!(call(badged), Error::RateLimited, "and has one token");
    Ok(())
}

fn target_gone(world: &mut World) -> Result<(), Wrong> {
    let (endpoint, gate) = gate(world, 1000, 1000)?;
    let badged = must!(world.badged(gate, right::WRITE, 3));
    must!(syscall::capability_delete(0, endpoint));
    same!(call(badged), Error::PeerGone, "the endpoint is gone");
    same!(
        syscall::send(badged, 0, 0, 0, 0, 0),
        Error::PeerGone,
        "the endpoint is gone for messages too"
    );
    // The gate can lead elsewhere.
    let other = must!(world.make(kind::ENDPOINT, 0));
    must!(syscall::endpoint_limit(gate, other, 1000, 1000));
    must!(world.thread(turn, other, 0));
    let reply = must!(call(badged));
    check!(reply.tag == Tag::new(3), "the badge at the other endpoint");
    Ok(())
}
