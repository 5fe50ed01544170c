//! Children with address spaces of their own that do what may end them: every call with bad arguments, random calls, and
//! nothing but to end.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::start::{kind, right, slot};
use abi::{ARGUMENTS, ArgumentKind, SYSTEM_CALLS, SystemCall};
use root::Child;

use crate::perf::spawn;
use crate::world::{AREA, RW, Test, World, Wrong, now, receive};
use crate::{check, must, same};

pub(crate) const TESTS: &[Test] = &[
    ("every call with every bad argument", sweep),
    ("random calls", fuzz),
    ("spawn and exit give everything back", cycles),
    ("many children at once", crowd),
];

/// Modes of children.
pub(crate) const SWEEP: u64 = 2;
pub(crate) const FUZZ: u64 = 3;

/// Where a child finds the page that it shares with its parent, in which it has no capability: numbers.
const PAGE: u64 = AREA;

/// Numbers in the page: what is done, what to do from there on, a seed, and what was wrong.
const DONE: u64 = 0;
const END: u64 = 1;
const SEED: u64 = 2;
const WRONG: u64 = 3;

/// Slots of a child's table besides [`slot`]. They follow each other.
const FIRST: u64 = 100;
const OBJECTS: [(u64, u64); 8] = [
    (kind::UNTYPED, 32 << 10),
    (kind::FRAME, 4096),
    (kind::SPACE, 0),
    (kind::THREAD, 0),
    (kind::ENDPOINT, 0),
    (kind::NOTIFICATION, 0),
    (kind::TABLE, 16),
    (kind::SCHEDULE, 0),
];
/// The same without rights, behind them; then empty ones.
const WEAK: u64 = FIRST + OBJECTS.len() as u64;
const EMPTY: u64 = WEAK + OBJECTS.len() as u64;

/// A number in the shared page.
fn shared(index: u64) -> &'static AtomicU64 {
    let place = core::ptr::with_exposed_provenance::<AtomicU64>((PAGE + index * 8) as usize);
    // SAFETY: parent and child have the page mapped there while they use it, and all accesses are atomic.
    unsafe { &*place }
}

fn load(index: u64) -> u64 {
    shared(index).load(Ordering::Acquire)
}

fn store(index: u64, value: u64) {
    shared(index).store(value, Ordering::Release);
}

/// What a run of children is.
struct Run {
    mode: u64,
    /// Steps to make.
    steps: u64,
    /// Whether a step at which a child ends is skipped.
    skips: bool,
}

/// Lets children do steps, one child after the other: a new one goes on when one has ended or stands still.
fn supervise(world: &mut World, run: &Run) -> Result<u64, Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    must!(world.frame_at(PAGE, 4096));
    let theirs = world.slot();
    let page = theirs - 1;
    must!(syscall::capability_copy(0, theirs, page, right::ALL));
    let free = world.chunks.free();
    let mut children = 0;
    store(DONE, 0);
    store(END, run.steps);
    store(SEED, world.seed);
    let limit = now() + 400_000_000_000;
    while load(DONE) < run.steps && now() < limit {
        let before = load(DONE);
        let child = furnish(world, run.mode, endpoint, theirs)?;
        children += 1;
        let mut seen = before;
        loop {
            let ended = syscall::receive(endpoint, 60_000_000);
            match ended {
                // Only its end counts: in a fuzzer's message the label can be anything.
                Ok(message) if message.tag.is_fault() || message.tag.label() == protocol::process::EXIT => {
                    break;
                }
                Ok(_) => {}
                Err(_) if load(DONE) == seen => break,
                Err(_) => {}
            }
            seen = load(DONE);
        }
        child.end(&mut world.chunks, &mut world.slots);
        must!(syscall::unmap(0, theirs));
        if run.skips && load(DONE) < run.steps {
            store(DONE, load(DONE) + 1);
        }
        check!(load(WRONG) == 0, "an error that the table does not list");
    }
    check!(load(DONE) >= run.steps, "the children do not come to the end");
    // The heap of this program may have grown.
    check!(
        world.chunks.free() + (1 << 20) >= free,
        "memory of children that have ended"
    );
    Ok(children)
}

/// Starts a child with capabilities of every kind.
fn furnish(world: &mut World, mode: u64, endpoint: u64, page: u64) -> Result<Child, Wrong> {
    let child = spawn(world, "root", WAITING << 8 | mode, endpoint)?;
    // It waits for an answer before it begins.
    let message = must!(receive(endpoint));
    check!(message.tag.label() == HELLO, "the child's first message");
    must!(syscall::map(child.space, 0, page, PAGE, RW));
    let table = child.table;
    for (at, source, rights) in [
        (slot::TABLE, table, right::ALL),
        (slot::SPACE, child.space, right::ALL),
        (slot::THREAD, child.thread, right::ALL),
        (slot::MACHINE, slot::MACHINE, 0),
    ] {
        must!(syscall::capability_copy(table, at, source, rights));
    }
    let few = world.slot();
    for (at, source, first, last) in [
        (slot::INTERRUPTS, slot::INTERRUPTS, 200, 210),
        (slot::PORTS, slot::PORTS, 0x80, 0x80),
    ] {
        if syscall::capability_identify(source).is_ok() {
            must!(syscall::capability_mint(
                0,
                few,
                source,
                right::ALL,
                last << 32 | first
            ));
            must!(syscall::capability_move(table, at, few));
        }
    }
    let Ok(memory) = world.chunks.take(&mut world.slots) else {
        return Err(Wrong {
            what: "no chunk",
            line: line!(),
            values: None,
        });
    };
    for (at, (kind, size)) in (FIRST..).zip(OBJECTS) {
        must!(syscall::retype(memory, kind, size, 1, 0, few));
        must!(syscall::capability_copy(table, at + OBJECTS.len() as u64, few, 0));
        must!(syscall::capability_move(table, at, few));
    }
    let child = child.with_chunk(memory);
    must!(syscall::reply(0, 0, 0, 0, 0, 0));
    Ok(child)
}

/// Part of a child's argument: it says hello and waits first.
const WAITING: u64 = 1;
const HELLO: u32 = 0x4e11;

/// What a child of one of these modes does.
pub(crate) fn child(mode: u64) -> u32 {
    if mode >> 8 == WAITING && syscall::call(slot::PARENT, u64::from(HELLO), 0, 0, 0, 0).is_err() {
        return 1;
    }
    match mode & 0xff {
        SWEEP => sweep_child(),
        FUZZ => fuzz_child(),
        _ => return 1,
    }
    0
}

/// Values that are good or bad as a slot, an address, a length or a number.
const VALUES: [u64; 48] = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    21,
    22,
    23,
    EMPTY,
    127,
    128,
    4095,
    4096,
    65535,
    // Addresses: unaligned, of code, the shared page, unmapped, of the kernel, the end of user space, wrapping.
    0x40_0000,
    0x40_0001,
    PAGE + 2048,
    PAGE + 4090,
    AREA + 8192,
    (1 << 38) - 1,
    1 << 38,
    (1 << 38) - 4096,
    1 << 47,
    0xffff_ffff_8020_0000,
    u64::MAX - 4095,
    u64::MAX - 7,
    u64::MAX,
    1 << 32,
    (1 << 32) - 1,
    1 << 63,
    1 << 33,
    1 << 34,
];

/// Arguments with which a call is nearly right.
fn template(call: SystemCall) -> [u64; ARGUMENTS] {
    let [untyped, frame, _space, thread, endpoint, bell, table, schedule] =
        core::array::from_fn(|index| FIRST + index as u64);
    match call {
        SystemCall::Receive => [endpoint, 1000, 0, 0, 0, 0],
        SystemCall::CallTimeout => [endpoint, 0, 0, 0, 0, 1000],
        SystemCall::Wait => [bell, 1000, 0, 0, 0, 0],
        SystemCall::Signal => [bell, 0, 0, 0, 0, 0],
        SystemCall::Sleep => [1000, 0, 0, 0, 0, 0],
        SystemCall::Call | SystemCall::Send | SystemCall::ReplyReceive => [endpoint, 0, 0, 0, 0, frame],
        // No second endpoint is there: each value of an argument meets a mistake.
        SystemCall::EndpointLimit => [endpoint, endpoint, 1000, 1, 0, 0],
        SystemCall::SaveReply => [EMPTY, 0, 0, 0, 0, 0],
        SystemCall::CapabilityCopy | SystemCall::CapabilityMint => [0, EMPTY, endpoint, right::ALL, 0, 0],
        SystemCall::CapabilityMove => [table, 1, frame, 0, 0, 0],
        SystemCall::CapabilityDelete | SystemCall::CapabilityRevoke => [0, untyped, 0, 0, 0, 0],
        SystemCall::CapabilityIdentify => [frame, 0, 0, 0, 0, 0],
        SystemCall::Retype => [untyped, kind::ENDPOINT, 0, 1, 0, EMPTY],
        SystemCall::Map => [slot::SPACE, 0, frame, AREA + (1 << 20), RW, 0],
        SystemCall::Unmap => [0, frame, 0, 0, 0, 0],
        SystemCall::UntypedFree => [untyped, 0, 0, 0, 0, 0],
        SystemCall::ThreadConfigure => [thread, slot::TABLE, slot::SPACE, endpoint, 0, 0],
        SystemCall::ThreadStart => [thread, 0x40_0000, 4096, 0, 0, 0],
        SystemCall::ThreadBind => [thread, bell, 0, 0, 0, 0],
        SystemCall::ThreadSchedule => [thread, schedule, 0, 0, 0, 0],
        SystemCall::ThreadInfo => [thread, PAGE + 2048, 24, 0, 0, 0],
        SystemCall::ScheduleConfigure => [schedule, 0, 1024, 1, 0, 0],
        SystemCall::InterruptBind => [slot::INTERRUPTS, 200, bell, 0, 0, 0],
        SystemCall::InterruptComplete => [slot::INTERRUPTS, 200, 0, 0, 0, 0],
        SystemCall::PortRead | SystemCall::PortWrite => [slot::PORTS, 0x80, 1, 0, 0, 0],
        SystemCall::SystemInfo | SystemCall::KernelStatistics => [PAGE + 2048, 512, 0, 0, 0, 0],
        _ => [slot::MACHINE, PAGE + 2048, 0, 0, 0, 0],
    }
}

/// Registers that a call has.
fn registers(arguments: &[abi::ArgumentSpec]) -> u64 {
    arguments
        .iter()
        .map(|argument| {
            if argument.kind == ArgumentKind::Number {
                1
            } else {
                2
            }
        })
        .sum()
}

/// Every call with one argument after the other replaced by each of the values.
fn sweep_steps() -> u64 {
    SYSTEM_CALLS
        .iter()
        .map(|call| registers(call.arguments).max(1) * VALUES.len() as u64)
        .sum()
}

fn sweep_child() {
    let mut number = 0;
    for spec in SYSTEM_CALLS {
        for place in 0..registers(spec.arguments).max(1) {
            for value in VALUES {
                if number >= load(DONE) {
                    let mut arguments = template(spec.call);
                    arguments[place as usize] = value;
                    try_call(spec, arguments);
                    store(DONE, number + 1);
                }
                number += 1;
            }
        }
    }
}

/// Makes a call, and notes down when its error is none that the table lists.
fn try_call(spec: &abi::SystemCallSpec, arguments: [u64; ARGUMENTS]) {
    // SAFETY: whatever it does to this program is what the test is about.
    let result = unsafe { syscall::raw(spec.call as u64, arguments) }[0];
    if let Err(error) = abi::decode_result(result)
        && !spec.errors.contains(&error)
    {
        store(WRONG + 1, spec.call as u64);
        store(WRONG + 2, error.number());
        for (index, argument) in (WRONG + 3..).zip(arguments) {
            store(index, argument);
        }
        store(WRONG, 1);
    }
}

fn tell_wrong() {
    if load(WRONG) != 0 {
        let call = SYSTEM_CALLS
            .iter()
            .find(|spec| spec.call as u64 == load(WRONG + 1));
        let arguments: [u64; ARGUMENTS] = core::array::from_fn(|index| load(WRONG + 3 + index as u64));
        let name = call.map_or("?", |spec| spec.name);
        rt::println!(
            "kernel-suite: {name} {arguments:x?} returned error {}",
            load(WRONG + 2)
        );
    }
}

fn sweep(world: &mut World) -> Result<(), Wrong> {
    let run = Run {
        mode: SWEEP,
        steps: sweep_steps(),
        skips: true,
    };
    let done = supervise(world, &run);
    tell_wrong();
    rt::println!("kernel-suite: {} calls, {} children", run.steps, done?);
    Ok(())
}

/// The next random number (xorshift).
fn random() -> u64 {
    let mut number = load(SEED);
    number ^= number << 13;
    number ^= number >> 7;
    number ^= number << 17;
    store(SEED, number);
    number.wrapping_mul(0x2545_f491_4f6c_dd1d)
}

fn fuzz_child() {
    while load(DONE) < load(END) {
        let choice = random();
        let spec = &SYSTEM_CALLS[(choice >> 8) as usize % SYSTEM_CALLS.len()];
        let mut arguments: [u64; ARGUMENTS] = if choice & 3 == 0 {
            [0; ARGUMENTS]
        } else {
            template(spec.call)
        };
        for argument in &mut arguments {
            let way = random();
            match way & 7 {
                0 => *argument = VALUES[(way >> 8) as usize % VALUES.len()],
                1 => *argument = way >> 8 & 31,
                2 => *argument = random() >> (way >> 8 & 63),
                _ => {}
            }
        }
        let rare = matches!(
            spec.call,
            SystemCall::Call
                | SystemCall::Send
                | SystemCall::ReplyReceive
                | SystemCall::ExitThread
                | SystemCall::ThreadSuspend
        );
        let waits = matches!(
            spec.call,
            SystemCall::Receive | SystemCall::Wait | SystemCall::Sleep | SystemCall::CallTimeout
        );
        if waits && random() & 15 != 0 {
            // Mostly short.
            let place = match spec.call {
                SystemCall::Sleep => 0,
                SystemCall::CallTimeout => 5,
                _ => 1,
            };
            arguments[place] %= 2000;
        }
        let done = load(DONE);
        store(DONE, done + 1);
        if rare && random() & 31 != 0 {
            continue;
        }
        try_call(spec, arguments);
    }
}

fn fuzz(world: &mut World) -> Result<(), Wrong> {
    let run = Run {
        mode: FUZZ,
        steps: if world.long { 1_000_000 } else { 50_000 },
        skips: false,
    };
    // Said before, since it is what a failure is repeated with, whatever it does to the system.
    rt::println!("kernel-suite: random calls with seed {:#x}", world.seed);
    let done = supervise(world, &run);
    tell_wrong();
    rt::println!("kernel-suite: {} calls, {} children", run.steps, done?);
    Ok(())
}

fn cycles(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let times = if world.long { 10_000 } else { 300 };
    let mut free = None;
    let objects = crate::threads::info().objects;
    for _ in 0..times {
        let child = spawn(world, "fault", fault::Condition::Exit as u64, endpoint)?;
        let message = must!(receive(endpoint));
        check!(
            message.tag.label() == protocol::process::EXIT && message.words[0] == 42,
            "the child's end"
        );
        child.end(&mut world.chunks, &mut world.slots);
        // The first one may have cut new chunks, which stay.
        let now = world.chunks.free();
        same!(now, *free.get_or_insert(now), "free memory after a child");
    }
    check!(
        crate::threads::info().objects <= objects + 8,
        "objects are left of children"
    );
    Ok(())
}

fn crowd(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let many = if world.long { 1000 } else { 100 };
    let free = world.chunks.free();
    let mut children = rt::alloc::vec::Vec::new();
    for _ in 0..many {
        children.push(spawn(world, "fault", fault::Condition::Exit as u64, endpoint)?);
    }
    for _ in 0..many {
        let message = must!(receive(endpoint));
        check!(
            message.tag.label() == protocol::process::EXIT && message.words[0] == 42,
            "a child's end"
        );
    }
    for child in children {
        child.end(&mut world.chunks, &mut world.slots);
    }
    // Chunks that were cut for them are free chunks now; the heap of this program has grown.
    check!(
        world.chunks.free() + (1 << 20) >= free,
        "memory of children that have ended"
    );
    Ok(())
}
