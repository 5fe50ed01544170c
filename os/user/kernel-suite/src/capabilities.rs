//! Capabilities: making, copying, deleting, revoking.

use abi::Error;
use abi::start::{kind, right, slot};

use crate::world::{MEMORY, MEMORY_SIZE, RW, Test, World, Wrong, add, get, set, wait_for, wait_until};
use crate::{check, must, same};

pub(crate) const TESTS: &[Test] = &[
    ("retype makes every kind", every_kind),
    ("retype refuses wrong sizes and counts", wrong_sizes),
    ("out of memory leaves nothing behind", out_of_memory),
    ("copy, mint, move, delete and identify", copy_and_move),
    ("rights only shrink", rights_shrink),
    ("badges are given once", badges),
    ("ranges of interrupts and ports shrink", ranges),
    ("revoke over generations and tables", revoke_generations),
    ("revoke of an untyped ends running threads", revoke_running),
    ("a table that contains itself", table_in_itself),
    ("deep derivation", deep),
    ("wide derivation", wide),
    ("deletion while others wait", delete_while_waiting),
];

const SIZES: &[(u64, u64)] = &[
    (kind::UNTYPED, 4096),
    (kind::FRAME, 4096),
    (kind::SPACE, 0),
    (kind::THREAD, 0),
    (kind::ENDPOINT, 0),
    (kind::NOTIFICATION, 0),
    (kind::TABLE, 16),
    (kind::SCHEDULE, 0),
];

fn every_kind(world: &mut World) -> Result<(), Wrong> {
    for &(kind, size) in SIZES {
        let at = world.range(3);
        same!(syscall::retype(MEMORY, kind, size, 3, 0, at), 0, "retype");
        for slot in at..at + 3 {
            same!(
                syscall::capability_identify(slot),
                kind + 256 * right::ALL,
                "identify"
            );
        }
        same!(
            syscall::retype(MEMORY, kind, size, 3, 0, at),
            Error::SlotTaken,
            "into slots that are taken"
        );
        same!(
            syscall::retype(MEMORY, kind, size, 1, 0, at + 2),
            Error::SlotTaken,
            "into a slot that is taken"
        );
    }
    for (kind, size) in [
        (0, 0),
        (kind::REPLY, 0),
        (kind::INTERRUPTS, 0),
        (kind::PORTS, 0),
        (kind::MACHINE, 0),
        (13, 0),
        (u64::MAX, 0),
    ] {
        let at = world.slot();
        same!(
            syscall::retype(MEMORY, kind, size, 1, 0, at),
            Error::BadArgument,
            "a kind that is not made of memory"
        );
        same!(
            syscall::capability_identify(at),
            Error::NotFound,
            "what a refused call leaves"
        );
    }
    Ok(())
}

fn wrong_sizes(world: &mut World) -> Result<(), Wrong> {
    let at = world.range(300);
    for (kind, size) in [
        (kind::UNTYPED, 0),
        (kind::UNTYPED, 63),
        (kind::UNTYPED, 65),
        (kind::UNTYPED, u64::MAX),
        (kind::UNTYPED, 1 << 48),
        (kind::FRAME, 0),
        (kind::FRAME, 64),
        (kind::FRAME, 4097),
        (kind::FRAME, 3 * 4096),
        (kind::FRAME, 4 << 20),
        (kind::FRAME, 1 << 63),
        (kind::TABLE, 0),
        (kind::TABLE, 1),
        (kind::TABLE, 16385),
        (kind::TABLE, u64::MAX),
        (kind::THREAD, 1),
        (kind::ENDPOINT, 64),
    ] {
        same!(
            syscall::retype(MEMORY, kind, size, 1, 0, at),
            Error::BadArgument,
            "a wrong size"
        );
    }
    for count in [0, 257, u64::MAX, 1 << 32] {
        same!(
            syscall::retype(MEMORY, kind::ENDPOINT, 0, count, 0, at),
            Error::BadArgument,
            "a wrong count"
        );
    }
    same!(
        syscall::retype(MEMORY, kind::FRAME, 1 << 20, 3, 0, at),
        Error::BadArgument,
        "too many bytes at once"
    );
    same!(
        syscall::retype(MEMORY, kind::ENDPOINT, 0, 1, 0, 0),
        Error::NotFound,
        "slot 0"
    );
    same!(
        syscall::retype(MEMORY, kind::ENDPOINT, 0, 2, 0, 16383),
        Error::NotFound,
        "beyond the table"
    );
    same!(
        syscall::retype(MEMORY, kind::ENDPOINT, 0, 2, 0, u64::MAX),
        Error::NotFound,
        "slots that wrap"
    );
    same!(
        syscall::retype(MEMORY, kind::ENDPOINT, 0, 1, 1 << 40, at),
        Error::NotFound,
        "no such table"
    );
    same!(
        syscall::retype(MEMORY, kind::ENDPOINT, 0, 1, MEMORY, at),
        Error::WrongKind,
        "a table of another kind"
    );
    same!(
        syscall::retype(slot::TABLE, kind::ENDPOINT, 0, 1, 0, at),
        Error::WrongKind,
        "no untyped"
    );
    same!(
        syscall::retype(at, kind::ENDPOINT, 0, 1, 0, at),
        Error::NotFound,
        "an empty slot"
    );
    same!(
        syscall::untyped_free(MEMORY),
        MEMORY_SIZE,
        "free after calls that were refused"
    );
    same!(
        syscall::retype(MEMORY, kind::ENDPOINT, 0, 256, 0, at),
        0,
        "the largest count"
    );
    Ok(())
}

fn out_of_memory(world: &mut World) -> Result<(), Wrong> {
    let small = must!(world.make(kind::UNTYPED, 12 << 10));
    let at = world.range(256);
    let held = world.slot();
    for keep in [false, true] {
        if keep {
            // With a piece out, only the pieces of the failed call come back.
            must!(syscall::retype(small, kind::NOTIFICATION, 0, 1, 0, held));
        }
        let before = must!(syscall::untyped_free(small));
        for &(kind, size) in SIZES {
            same!(
                syscall::retype(small, kind, size, 256, 0, at),
                Error::NoMemory,
                "more than there is"
            );
            same!(syscall::untyped_free(small), before, "free after running out");
            for slot in at..at + 256 {
                same!(
                    syscall::capability_identify(slot),
                    Error::NotFound,
                    "left of a call that ran out"
                );
            }
        }
    }
    must!(syscall::capability_delete(0, held));
    same!(syscall::untyped_free(small), 12 << 10, "free when all is gone");
    same!(
        syscall::retype(small, kind::FRAME, 4096, 3, 0, at),
        0,
        "all of it again"
    );
    same!(
        syscall::retype(small, kind::UNTYPED, 64, 1, 0, held),
        Error::NoMemory,
        "nothing is left"
    );
    Ok(())
}

fn copy_and_move(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let table = must!(world.make(kind::TABLE, 8));
    let (a, b) = (world.slot(), world.slot());
    same!(syscall::capability_copy(0, a, endpoint, right::ALL), 0, "copy");
    same!(
        syscall::capability_copy(0, a, endpoint, right::ALL),
        Error::SlotTaken,
        "copy onto another"
    );
    same!(
        syscall::capability_copy(0, endpoint, endpoint, right::ALL),
        Error::SlotTaken,
        "copy onto itself"
    );
    same!(
        syscall::capability_copy(0, b, endpoint, 16),
        Error::BadArgument,
        "unknown rights"
    );
    same!(
        syscall::capability_copy(0, b, b, right::ALL),
        Error::NotFound,
        "copy of nothing"
    );
    same!(syscall::capability_move(0, b, a), 0, "move");
    same!(syscall::capability_identify(a), Error::NotFound, "moved from");
    same!(
        syscall::capability_identify(b),
        kind::ENDPOINT + 256 * right::ALL,
        "moved to"
    );
    same!(
        syscall::capability_move(0, b, b),
        Error::SlotTaken,
        "move onto itself"
    );
    same!(
        syscall::capability_move(0, a, a),
        Error::NotFound,
        "move of nothing"
    );
    for (to, error) in [
        (0, Error::NotFound),
        (8, Error::NotFound),
        (u64::MAX, Error::NotFound),
    ] {
        same!(
            syscall::capability_copy(table, to, endpoint, right::ALL),
            error,
            "into a slot beyond the table"
        );
    }
    same!(
        syscall::capability_move(table, 7, b),
        0,
        "move into another table"
    );
    same!(syscall::capability_delete(table, 7), 0, "delete in another table");
    same!(
        syscall::capability_delete(table, 7),
        Error::NotFound,
        "delete once more"
    );
    let reduced = world.slot();
    must!(syscall::capability_copy(0, reduced, table, right::READ));
    same!(
        syscall::capability_copy(reduced, 1, endpoint, right::ALL),
        Error::NotPermitted,
        "a table without the right to write"
    );
    same!(
        syscall::capability_delete(reduced, 1),
        Error::NotPermitted,
        "delete without the right"
    );
    // What a table had goes with its last capability, and the copy of the endpoint in it does not keep the table.
    must!(syscall::capability_copy(table, 1, endpoint, right::ALL));
    must!(syscall::capability_delete(0, table));
    same!(
        syscall::capability_identify(reduced),
        kind::TABLE + 256 * right::READ,
        "the other capability"
    );
    must!(syscall::capability_delete(0, reduced));
    Ok(())
}

fn rights_shrink(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    for rights in 0..=right::ALL {
        let (copy, again) = (world.slot(), world.slot());
        must!(syscall::capability_copy(0, copy, endpoint, rights));
        must!(syscall::capability_copy(0, again, copy, right::ALL));
        same!(
            syscall::capability_identify(again),
            kind::ENDPOINT + 256 * rights,
            "rights of a copy of a copy"
        );
        let sent = if rights & right::WRITE != 0 {
            Error::TimedOut
        } else {
            Error::NotPermitted
        };
        same!(syscall::call_timeout(again, 0, 0, 0, 0, 0), sent, "calling");
        let received = if rights & right::READ != 0 {
            Error::TimedOut
        } else {
            Error::NotPermitted
        };
        same!(syscall::receive(again, 0), received, "receiving");
    }
    let frame = must!(world.make(kind::FRAME, 4096));
    let readable = world.slot();
    must!(syscall::capability_copy(0, readable, frame, right::READ));
    let at = crate::world::AREA;
    same!(
        syscall::map(slot::SPACE, 0, readable, at, RW),
        Error::NotPermitted,
        "mapping to write"
    );
    same!(
        syscall::map(slot::SPACE, 0, readable, at, right::READ | right::EXECUTE),
        Error::NotPermitted,
        "mapping to execute"
    );
    same!(
        syscall::map(slot::SPACE, 0, readable, at, right::READ),
        0,
        "mapping to read"
    );
    for (kind, size) in [
        (kind::UNTYPED, 4096),
        (kind::THREAD, 0),
        (kind::NOTIFICATION, 0),
        (kind::SCHEDULE, 0),
    ] {
        let (object, weak) = (must!(world.make(kind, size)), world.slot());
        must!(syscall::capability_copy(0, weak, object, 0));
        let refused = match kind {
            kind::UNTYPED => syscall::retype(weak, kind::ENDPOINT, 0, 1, 0, weak + 1),
            kind::THREAD => syscall::thread_resume(weak),
            kind::NOTIFICATION => syscall::signal(weak),
            _ => syscall::schedule_configure(weak, 0, 1024, 1),
        };
        same!(refused, Error::NotPermitted, "use without a right");
    }
    let machine = world.slot();
    must!(syscall::capability_copy(0, machine, slot::MACHINE, right::READ));
    same!(
        syscall::debug_write(machine, b"never\n"),
        Error::NotPermitted,
        "writing to the console"
    );
    same!(
        syscall::power_off(machine, 0),
        Error::NotPermitted,
        "switching off"
    );
    same!(
        syscall::cpu_control(machine, 1, 0),
        Error::NotPermitted,
        "switching a CPU off"
    );
    Ok(())
}

fn badges(world: &mut World) -> Result<(), Wrong> {
    for kind in [kind::ENDPOINT, kind::NOTIFICATION] {
        let object = must!(world.make(kind, 0));
        let at = must!(world.badged(object, right::ALL, 77));
        let other = world.slot();
        same!(
            syscall::capability_mint(0, other, at, right::ALL, 78),
            Error::BadArgument,
            "another badge"
        );
        same!(
            syscall::capability_mint(0, other, at, right::ALL, 0),
            Error::BadArgument,
            "no badge any more"
        );
        same!(
            syscall::capability_mint(0, other, at, right::ALL, 77),
            0,
            "the same badge"
        );
    }
    let frame = must!(world.make(kind::FRAME, 4096));
    let other = world.slot();
    same!(
        syscall::capability_mint(0, other, frame, right::ALL, 5),
        Error::BadArgument,
        "a badge for a frame"
    );
    Ok(())
}

fn range(first: u64, last: u64) -> u64 {
    last << 32 | first
}

fn ranges(world: &mut World) -> Result<(), Wrong> {
    let mut sources = [
        Some(slot::INTERRUPTS),
        syscall::capability_identify(slot::PORTS)
            .is_ok()
            .then_some(slot::PORTS),
    ]
    .into_iter()
    .flatten();
    sources.try_for_each(|source| {
        let part = must!(world.badged(source, right::ALL, range(16, 31)));
        let other = world.slot();
        for wrong in [
            range(15, 20),
            range(20, 32),
            range(25, 20),
            range(0, 255),
            0,
            u64::MAX,
        ] {
            same!(
                syscall::capability_mint(0, other, part, right::ALL, wrong),
                Error::BadArgument,
                "a range that grows"
            );
        }
        same!(
            syscall::capability_mint(0, other, part, right::ALL, range(20, 20)),
            0,
            "a range that shrinks"
        );
        if source == slot::PORTS {
            same!(
                syscall::port_read(other, 19, 1),
                Error::BadArgument,
                "a port below the range"
            );
            same!(
                syscall::port_read(other, 21, 1),
                Error::BadArgument,
                "a port above the range"
            );
            same!(
                syscall::port_read(other, 20, 2),
                Error::BadArgument,
                "a port that is half in the range"
            );
            same!(
                syscall::port_read(slot::PORTS, 0x80, 3),
                Error::BadArgument,
                "three bytes"
            );
            same!(
                syscall::port_write(slot::PORTS, 0x80, 1, 0),
                0,
                "a port that does nothing"
            );
        } else {
            let bell = must!(world.make(kind::NOTIFICATION, 0));
            same!(
                syscall::interrupt_bind(other, 19, bell),
                Error::BadArgument,
                "an interrupt below the range"
            );
            same!(
                syscall::interrupt_complete(other, 21),
                Error::BadArgument,
                "an interrupt above the range"
            );
        }
        Ok(())
    })
}

fn revoke_generations(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let tables = [
        must!(world.make(kind::TABLE, 64)),
        must!(world.make(kind::TABLE, 64)),
    ];
    // A chain through the own table, with branches into both others.
    let mut from = endpoint;
    for generation in 1..50 {
        let next = world.slot();
        must!(syscall::capability_copy(0, next, from, right::ALL));
        for table in tables {
            must!(syscall::capability_copy(table, generation, next, right::ALL));
        }
        from = next;
    }
    same!(
        syscall::capability_revoke(0, endpoint + 3 + 20),
        0,
        "revoke in the middle"
    );
    for generation in 1..50 {
        let own = syscall::capability_identify(endpoint + 2 + generation).is_ok();
        check!(own == (generation <= 21), "what a revoke in the middle leaves");
        let branch = syscall::capability_delete(tables[0], generation).is_ok();
        check!(
            branch == (generation <= 20),
            "what a revoke in the middle leaves in another table"
        );
    }
    same!(syscall::capability_revoke(0, endpoint), 0, "revoke of the first");
    for generation in 1..50 {
        same!(
            syscall::capability_identify(endpoint + 2 + generation),
            Error::NotFound,
            "derived from what was revoked"
        );
        same!(
            syscall::capability_delete(tables[1], generation),
            Error::NotFound,
            "derived, in another table"
        );
    }
    same!(
        syscall::capability_identify(endpoint),
        kind::ENDPOINT + 256 * right::ALL,
        "the revoked one itself"
    );
    Ok(())
}

fn count_for_ever(index: u64) {
    loop {
        add(index as usize, 1);
    }
}

fn receive_for_ever(endpoint: u64) {
    loop {
        let _message = syscall::receive(endpoint, syscall::FOREVER);
    }
}

fn revoke_running(world: &mut World) -> Result<(), Wrong> {
    for round in 0..8 {
        let endpoint = must!(world.make(kind::ENDPOINT, 0));
        for number in 0..4 {
            must!(world.thread(count_for_ever, number, 0));
        }
        must!(world.thread(receive_for_ever, endpoint, 0));
        check!(
            wait_until(|| (0..4).all(|number| get(number) > 1000)),
            "four threads run"
        );
        same!(
            syscall::untyped_free(MEMORY),
            must!(syscall::untyped_free(MEMORY)),
            "free is stable"
        );
        same!(syscall::capability_revoke(0, MEMORY), 0, "revoke");
        let counts = [get(0), get(1), get(2), get(3)];
        must!(syscall::sleep(2_000_000));
        check!(
            counts == [get(0), get(1), get(2), get(3)],
            "a thread runs on after its memory was revoked"
        );
        same!(
            syscall::untyped_free(MEMORY),
            MEMORY_SIZE,
            "free after the revoke"
        );
        // The same memory, for something else.
        let frame = must!(world.frame_at(crate::world::AREA, 2 << 20));
        check!(
            zero_and_fill(crate::world::AREA, 2 << 20),
            "memory that was used is not zero"
        );
        must!(syscall::capability_delete(0, frame));
        world.clear()?;
        set(0, round);
    }
    Ok(())
}

/// Whether memory is all zero; fills it with something else.
fn zero_and_fill(address: u64, len: usize) -> bool {
    let start = core::ptr::with_exposed_provenance_mut::<u64>(address as usize);
    // SAFETY: the caller has just mapped a frame there, for nobody else.
    let words = unsafe { core::slice::from_raw_parts_mut(start, len / 8) };
    let zero = words.iter().all(|&word| word == 0);
    words.fill(u64::MAX);
    zero
}

fn table_in_itself(world: &mut World) -> Result<(), Wrong> {
    let untyped = must!(world.make(kind::UNTYPED, 64 << 10));
    let table = world.slot();
    must!(syscall::retype(untyped, kind::TABLE, 16, 1, 0, table));
    must!(syscall::capability_copy(table, 1, table, right::ALL));
    must!(syscall::capability_move(table, 2, table));
    // Nobody but itself has it: the untyped still reaches it.
    check!(
        must!(syscall::untyped_free(untyped)) < 64 << 10,
        "the table is there"
    );
    same!(syscall::capability_revoke(0, untyped), 0, "revoke");
    same!(syscall::untyped_free(untyped), 64 << 10, "the table has ended");
    // And two that contain each other.
    let (a, b) = (world.slot(), world.slot());
    must!(syscall::retype(untyped, kind::TABLE, 16, 1, 0, a));
    must!(syscall::retype(untyped, kind::TABLE, 16, 1, 0, b));
    must!(syscall::capability_copy(a, 3, b, right::ALL));
    must!(syscall::capability_copy(b, 3, a, right::ALL));
    must!(syscall::capability_copy(a, 4, untyped, right::ALL));
    must!(syscall::capability_move(b, 5, b));
    must!(syscall::capability_move(a, 5, a));
    same!(syscall::capability_revoke(0, untyped), 0, "revoke of two");
    same!(syscall::untyped_free(untyped), 64 << 10, "both have ended");
    Ok(())
}

const MANY: u64 = 5000;

fn deep(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let first = world.range(MANY);
    for at in first..first + MANY {
        let from = if at == first { endpoint } else { at - 1 };
        must!(syscall::capability_copy(0, at, from, right::ALL));
    }
    // One from the middle: those below are still reached.
    must!(syscall::capability_delete(0, first + MANY / 2));
    must!(syscall::capability_revoke(0, endpoint));
    for at in first..first + MANY {
        same!(
            syscall::capability_identify(at),
            Error::NotFound,
            "derived from what was revoked"
        );
    }
    Ok(())
}

fn wide(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let first = world.range(MANY);
    for at in first..first + MANY {
        must!(syscall::capability_copy(0, at, endpoint, right::ALL));
    }
    for at in (first..first + MANY).step_by(3) {
        must!(syscall::capability_delete(0, at));
    }
    must!(syscall::capability_revoke(0, endpoint));
    for at in first..first + MANY {
        same!(
            syscall::capability_identify(at),
            Error::NotFound,
            "derived from what was revoked"
        );
    }
    Ok(())
}

/// Calls, receives or waits at a slot, as the argument's upper half says, and notes how that ended.
fn blocked(argument: u64) {
    let (way, at) = (argument >> 32, argument & 0xffff_ffff);
    let error = match way {
        0 => syscall::call(at, 0, 0, 0, 0, 0).err(),
        1 => syscall::send(at, 0, 0, 0, 0, 0).err(),
        2 => syscall::receive(at, syscall::FOREVER).err(),
        3 => syscall::wait(at, syscall::FOREVER).err(),
        4 => syscall::call_timeout(at, 0, 0, 0, 0, 3_600_000_000_000).err(),
        _ => syscall::receive(at, 3_600_000_000_000).err(),
    };
    if error == Some(Error::PeerGone) {
        add(0, 1);
    } else {
        set(1, way + 1);
    }
}

fn delete_while_waiting(world: &mut World) -> Result<(), Wrong> {
    for ways in [&[0_u64, 1, 4, 0][..], &[2, 5, 2], &[3, 3, 3]] {
        set(0, 0);
        let object = must!(world.make(
            if ways[0] == 3 {
                kind::NOTIFICATION
            } else {
                kind::ENDPOINT
            },
            0
        ));
        for &way in ways {
            let thread = must!(world.thread(blocked, way << 32 | object, 0));
            check!(
                wait_until(
                    || crate::world::thread_info(thread).is_ok_and(|[state, ..]| (3..=6).contains(&state))
                ),
                "it waits"
            );
        }
        must!(syscall::capability_delete(0, object));
        check!(wait_for(0, ways.len() as u64), "all that waited are told");
        check!(get(1) == 0, "one got another result");
    }
    Ok(())
}
