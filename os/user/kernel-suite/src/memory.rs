//! Mappings: what they allow, what is refused, and what other CPUs see of them.

use abi::start::{kind, right, slot};
use abi::{Error, Fault};

use crate::world::{AREA, MEMORY, RW, Test, World, Wrong, get, receive, set, wait_until};
use crate::{check, must, same};

pub(crate) const TESTS: &[Test] = &[
    ("map, unmap and map elsewhere", map_and_unmap),
    ("mappings that are refused", refused),
    ("large and many-page frames", sizes),
    ("two mappings of one frame", two_mappings),
    ("faults are reported as they happened", faults),
    ("a fault that is answered goes on", answered_fault),
    ("unmapping while another CPU reads", unmap_race),
    ("the kernel copies while another CPU unmaps", copy_race),
    ("page tables run out of memory", tables_run_out),
];

const EXECUTE: u64 = right::READ | right::EXECUTE;

/// A word of memory that this test has mapped.
fn place(address: u64) -> *mut u64 {
    core::ptr::with_exposed_provenance_mut(address as usize)
}

fn write(address: u64, value: u64) {
    // SAFETY: the calling test has mapped a frame there; in threads whose faults are reported that need not be so.
    unsafe { place(address).write_volatile(value) };
}

fn read(address: u64) -> u64 {
    // SAFETY: as for `write`.
    unsafe { place(address).read_volatile() }
}

fn map_and_unmap(world: &mut World) -> Result<(), Wrong> {
    let frame = must!(world.frame_at(AREA, 4096));
    for round in 0..64 {
        let at = AREA + round * 4096 * 37;
        if round > 0 {
            same!(syscall::map(slot::SPACE, 0, frame, at, RW), 0, "map elsewhere");
            same!(read(at), round - 1, "what was written through another mapping");
        }
        write(at, round);
        same!(syscall::unmap(0, frame), 0, "unmap");
        same!(syscall::unmap(0, frame), 0, "unmap what is not mapped");
    }
    let table = must!(world.make(kind::TABLE, 4));
    must!(syscall::capability_move(table, 1, frame));
    same!(
        syscall::map(slot::SPACE, table, 1, AREA, right::READ),
        0,
        "map from another table"
    );
    same!(read(AREA), 63, "what was written");
    must!(syscall::capability_delete(table, 1));
    let mut none = [];
    same!(syscall::kernel_statistics(&mut none), 0, "no room at all");
    same!(
        statistics_at(AREA),
        Error::BadAddress,
        "unmapped with its capability"
    );
    Ok(())
}

/// Lets the kernel write to an address.
fn statistics_at(address: u64) -> Result<u64, Error> {
    // SAFETY: nobody but the kernel looks at it, and says when nothing is there.
    syscall::kernel_statistics(unsafe { core::slice::from_raw_parts_mut(place(address).cast(), 64) })
}

fn refused(world: &mut World) -> Result<(), Wrong> {
    let frame = must!(world.make(kind::FRAME, 4096));
    let map = |at, access| syscall::map(slot::SPACE, 0, frame, at, access);
    for access in [
        0,
        right::WRITE,
        right::EXECUTE,
        RW | right::EXECUTE,
        right::WRITE | right::EXECUTE,
        5,
        16,
        u64::MAX,
    ] {
        same!(
            map(AREA, access),
            Error::BadArgument,
            "an access that there is not"
        );
    }
    let end = abi::layout::USER_END;
    for at in [
        0,
        4096,
        abi::layout::USER_START - 4096,
        AREA + 1,
        AREA + 64,
        end,
        end - 1,
        1 << 47,
        1 << 63,
        u64::MAX - 4095,
        u64::MAX,
        0xffff_ffff_8020_0000,
    ] {
        same!(map(at, RW), Error::BadAddress, "an address that cannot be");
    }
    same!(map(end - 4096, RW), 0, "the last page");
    same!(
        map(AREA, RW),
        Error::AlreadyMapped,
        "a second mapping with one capability"
    );
    must!(syscall::unmap(0, frame));
    same!(
        map((main_code() / 4096) * 4096, RW),
        Error::AlreadyMapped,
        "over the program's code"
    );
    let other = must!(world.frame_at(AREA, 4096));
    same!(map(AREA, RW), Error::AlreadyMapped, "over another frame");
    let long = must!(world.make(kind::FRAME, 64 << 10));
    same!(
        syscall::map(slot::SPACE, 0, long, AREA - (32 << 10), RW),
        Error::AlreadyMapped,
        "over another frame with its middle"
    );
    same!(
        statistics_at(AREA - (32 << 10)),
        Error::BadAddress,
        "a refused mapping leaves nothing"
    );
    same!(
        syscall::map(slot::SPACE, 0, long, AREA + 4096, RW),
        0,
        "beside it"
    );
    same!(
        syscall::map(slot::SPACE, 0, slot::TABLE, AREA, RW),
        Error::WrongKind,
        "no frame"
    );
    same!(
        syscall::map(slot::TABLE, 0, frame, AREA, RW),
        Error::WrongKind,
        "no address space"
    );
    let weak = world.slot();
    must!(syscall::capability_copy(0, weak, slot::SPACE, right::READ));
    same!(
        syscall::map(weak, 0, frame, AREA + (1 << 20), RW),
        Error::NotPermitted,
        "an address space that may not be changed"
    );
    let empty = world.slot();
    same!(
        syscall::map(slot::SPACE, 0, empty, AREA, RW),
        Error::NotFound,
        "an empty slot"
    );
    same!(syscall::unmap(0, empty), Error::NotFound, "unmap an empty slot");
    same!(syscall::unmap(0, slot::TABLE), Error::WrongKind, "unmap no frame");
    must!(syscall::unmap(0, other));
    Ok(())
}

fn main_code() -> u64 {
    (main_code as *const ()).addr() as u64
}

fn sizes(world: &mut World) -> Result<(), Wrong> {
    let large = AREA + (64 << 20);
    for shift in 12..=21 {
        let size = 1_u64 << shift;
        let frame = must!(world.make(kind::FRAME, size));
        if size == 2 << 20 {
            same!(
                syscall::map(slot::SPACE, 0, frame, large + 4096, RW),
                Error::BadAddress,
                "a large page beside its place"
            );
        }
        let at = if size == 2 << 20 { large } else { AREA + 4096 };
        same!(syscall::map(slot::SPACE, 0, frame, at, RW), 0, "map");
        for page in (0..size).step_by(4096) {
            same!(read(at + page), 0, "new memory is zero");
            write(at + page, page);
        }
        same!(read(at + size - 4096), size - 4096, "the last page");
        must!(syscall::unmap(0, frame));
        same!(statistics_at(at), Error::BadAddress, "the first page is gone");
        same!(
            statistics_at(at + size - 4096),
            Error::BadAddress,
            "the last page is gone"
        );
        must!(syscall::capability_delete(0, frame));
    }
    // Where small pages were, whose table has stayed.
    let small = must!(world.frame_at(large + (4 << 20), 4096));
    let frame = must!(world.make(kind::FRAME, 2 << 20));
    same!(
        syscall::map(slot::SPACE, 0, frame, large + (4 << 20), RW),
        Error::AlreadyMapped,
        "a large page over a small one"
    );
    must!(syscall::capability_delete(0, small));
    same!(
        syscall::map(slot::SPACE, 0, frame, large + (4 << 20), RW),
        0,
        "a large page where a small one was"
    );
    write(large + (5 << 20), 1);
    Ok(())
}

fn two_mappings(world: &mut World) -> Result<(), Wrong> {
    let frame = must!(world.frame_at(AREA, 4096));
    let copy = world.slot();
    must!(syscall::capability_copy(0, copy, frame, right::READ));
    same!(
        syscall::map(slot::SPACE, 0, copy, AREA + 8192, right::READ),
        0,
        "a second mapping"
    );
    write(AREA, 42);
    same!(read(AREA + 8192), 42, "both show the same");
    same!(
        statistics_at(AREA + 8192),
        Error::BadAddress,
        "the kernel does not write where the program may not"
    );
    must!(syscall::capability_revoke(0, frame));
    let gone = syscall::capability_identify(copy);
    same!(gone, Error::NotFound, "the copy is revoked");
    same!(statistics_at(AREA + 8192), Error::BadAddress, "and unmapped");
    same!(statistics_at(AREA), 64, "the original stays");
    Ok(())
}

fn reads(address: u64) {
    set(0, read(address));
}

fn writes(address: u64) {
    write(address, 1);
}

fn jumps(address: u64) {
    let target = core::ptr::with_exposed_provenance::<()>(address as usize);
    // SAFETY: not sound, on purpose: the thread faults there, and is ended.
    let target: extern "C" fn() = unsafe { core::mem::transmute(target) };
    target();
}

/// A function of a thread, its argument, and the fault that it ends with.
type Case = (fn(u64), u64, Fault);

fn faults(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let read_only = must!(world.make(kind::FRAME, 4096));
    must!(syscall::map(slot::SPACE, 0, read_only, AREA, right::READ));
    let writable = must!(world.frame_at(AREA + 4096, 4096));
    check!(writable != 0, "a frame");
    let unmapped = AREA + 8192;
    let cases: &[Case] = &[
        (reads, unmapped, Fault::BadRead),
        (writes, unmapped, Fault::BadWrite),
        (writes, AREA, Fault::BadWrite),
        (writes, main_code() / 8 * 8, Fault::BadWrite),
        (reads, 8, Fault::BadRead),
        (jumps, AREA, Fault::BadJump),
        (jumps, AREA + 4096, Fault::BadJump),
        (jumps, unmapped, Fault::BadJump),
    ];
    for (number, &(function, address, fault)) in cases.iter().enumerate() {
        let badge = 100 + number as u64;
        let handler = must!(world.badged(endpoint, right::WRITE, badge));
        let thread = must!(world.thread(function, address, handler));
        let message = must!(receive(endpoint));
        same!(message.badge, badge, "the badge of the fault's endpoint");
        check!(
            message.tag.is_fault() && message.tag.is_call(),
            "it is a fault report"
        );
        same!(message.words[0], fault as u64, "which fault");
        same!(message.words[1], address, "the address");
        let near = if fault == Fault::BadJump {
            address
        } else {
            (function as *const ()).addr() as u64
        };
        check!(message.words[2].abs_diff(near) < 4096, "the program counter");
        check!(message.words[3] >> 34 == 3, "the stack pointer");
        must!(syscall::capability_delete(0, thread));
    }
    // With execution it runs: code that is mapped once more for that.
    let code = must!(world.make(kind::FRAME, 4096));
    same!(
        syscall::map(slot::SPACE, 0, code, unmapped, EXECUTE),
        0,
        "mapping to execute"
    );
    same!(
        statistics_at(unmapped),
        Error::BadAddress,
        "code is not writable for the kernel either"
    );
    Ok(())
}

fn reads_then_tells(address: u64) {
    set(0, read(address) + 1);
    set(1, 1);
}

fn answered_fault(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let frame = must!(world.frame_at(AREA, 4096));
    write(AREA + 16, 77);
    must!(syscall::unmap(0, frame));
    must!(world.thread(reads_then_tells, AREA + 16, endpoint));
    let message = must!(receive(endpoint));
    same!(message.words[1], AREA + 16, "where it faulted");
    must!(syscall::map(slot::SPACE, 0, frame, AREA, RW));
    must!(syscall::reply(0, 0, 1, 2, 3, 4));
    check!(wait_until(|| get(1) == 1), "it goes on");
    same!(get(0), 78, "with its registers as they were");
    Ok(())
}

fn reads_for_ever(address: u64) {
    loop {
        set(0, read(address) + get(0));
        crate::world::add(1, 1);
    }
}

/// A thread reads, another CPU takes the page away and gives it to someone else: the reader faults, and never sees more.
fn unmap_race(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let frame = must!(world.frame_at(AREA, 4096));
    let thread = must!(world.thread(reads_for_ever, AREA, endpoint));
    check!(wait_until(|| get(1) > 100), "it reads");
    for round in 0..50 {
        must!(syscall::unmap(0, frame));
        // What is there now must not be seen through a translation that some CPU has kept.
        must!(syscall::map(slot::SPACE, 0, frame, AREA + 4096, RW));
        write(AREA + 4096, 1);
        let message = must!(receive(endpoint));
        same!(message.words[0], Fault::BadRead as u64, "it faults");
        same!(message.words[1], AREA, "where it read");
        same!(get(0), 0, "it saw what it may not");
        write(AREA + 4096, 0);
        must!(syscall::unmap(0, frame));
        must!(syscall::map(slot::SPACE, 0, frame, AREA, RW));
        let before = get(1);
        must!(syscall::reply(0, 0, 0, 0, 0, 0));
        if round % 8 == 0 {
            check!(wait_until(|| get(1) > before), "it goes on");
        }
    }
    must!(syscall::capability_delete(0, thread));
    Ok(())
}

fn copies(address: u64) {
    loop {
        let done = match get(2) % 3 {
            0 => statistics_at(address),
            1 => statistics_at(address + 4096 - 32),
            _ => {
                // SAFETY: only the kernel looks at it, and says when nothing is there.
                let text =
                    unsafe { core::slice::from_raw_parts(place(address + 2048).cast_const().cast(), 4096) };
                syscall::debug_write(slot::MACHINE, text)
            }
        };
        match done {
            // What it should write is no text, and so comes to nothing when it could be read.
            Ok(_) | Err(Error::BadArgument) => crate::world::add(0, 1),
            Err(Error::BadAddress) => crate::world::add(1, 1),
            Err(_) => crate::world::add(3, 1),
        };
        crate::world::add(2, 1);
    }
}

fn copy_race(world: &mut World) -> Result<(), Wrong> {
    let frames = [
        must!(world.frame_at(AREA, 4096)),
        must!(world.frame_at(AREA + 4096, 4096)),
    ];
    write(AREA + 2048, u64::MAX);
    for _ in 0..2 {
        must!(world.thread(copies, AREA, 0));
    }
    let end = crate::world::now() + 200_000_000;
    let mut round = 0;
    while crate::world::now() < end || get(0) == 0 || get(1) == 0 {
        let frame = frames[round % 2];
        must!(syscall::unmap(0, frame));
        if round.is_multiple_of(4) {
            must!(syscall::yield_now());
        }
        must!(syscall::map(
            slot::SPACE,
            0,
            frame,
            AREA + (round as u64 % 2) * 4096,
            RW
        ));
        if round.is_multiple_of(16) {
            must!(syscall::sleep(50_000));
        }
        round += 1;
    }
    same!(get(3), 0, "copies with another error");
    Ok(())
}

fn tables_run_out(world: &mut World) -> Result<(), Wrong> {
    // Page tables come from the untyped that the address space was made of.
    let small = must!(world.make(kind::UNTYPED, 16 << 10));
    let space = world.slot();
    must!(syscall::retype(small, kind::SPACE, 0, 1, 0, space));
    let frame = must!(world.make(kind::FRAME, 8192));
    let mut mapped = 0;
    let mut last = Ok(0);
    for number in 0..8 {
        last = syscall::map(space, 0, frame, (number + 1) << 31, RW);
        if last.is_err() {
            break;
        }
        must!(syscall::unmap(0, frame));
        mapped += 1;
    }
    same!(last, Error::NoMemory, "no memory for tables");
    check!((0..4).contains(&mapped), "how much was mapped");
    // One that needs a table in its middle: nothing of it stays, and the frame is free.
    must!(syscall::capability_delete(0, frame));
    must!(syscall::capability_revoke(0, small));
    same!(syscall::untyped_free(small), 16 << 10, "tables come back");
    same!(
        syscall::retype(MEMORY, kind::FRAME, 2 << 20, 1, 0, frame),
        0,
        "memory goes on"
    );
    Ok(())
}
