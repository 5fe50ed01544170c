//! How long things take. The numbers mean something when the machine counts an instruction as a nanosecond (QEMU's
//! `-icount shift=0`): the suite notices that, and then holds them to limits.

use abi::Tag;
use abi::start::{kind, right, slot};
use root::{Child, Program};

use crate::world::{AREA, RW, Test, World, Wrong, add, get, now, receive, set};
use crate::{check, must};

pub(crate) const TESTS: &[Test] = &[
    ("perf: null call", null_call),
    ("perf: copy and delete", copy_and_delete),
    ("perf: messages in one address space", messages_in_one_space),
    ("perf: messages between address spaces", messages_between_spaces),
    ("perf: notifications", notifications),
    ("perf: yield", yields),
    ("perf: page faults", page_faults),
    ("perf: frames in messages", frames),
    ("perf: spawn and exit", spawn_and_exit),
];

/// Repetitions of what is short.
const TIMES: u64 = 2000;

/// Mode of the child that calls its parent.
pub(crate) const CALLER: u64 = 1;

/// Limits in nanoseconds, which are instructions then.
const LIMIT_MESSAGE: u64 = 900;

/// Repeats something and prints what one time took. With a limit that is not 0 it must not take longer.
fn measure(
    name: &str,
    times: u64,
    limit: u64,
    mut what: impl FnMut() -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    for _ in 0..10 {
        what()?;
    }
    let start = now();
    for _ in 0..times {
        what()?;
    }
    judge(name, (now() - start) / times, limit)
}

fn judge(name: &str, each: u64, limit: u64) -> Result<(), Wrong> {
    rt::println!("perf: {name} {each} ns");
    check!(
        limit == 0 || each <= limit || !counts_instructions(),
        "slower than the limit"
    );
    Ok(())
}

/// Whether the machine's time is the number of its instructions: then the same work takes the same time every time.
fn counts_instructions() -> bool {
    let work = || {
        let start = now();
        for number in 0..200_000_u64 {
            core::hint::black_box(number);
        }
        now() - start
    };
    let first = work();
    (0..3).all(|_| work().abs_diff(first) <= 250)
}

/// Keeps the calling thread and another one on the first CPU, so that one runs when the other waits.
fn together(world: &mut World, thread: u64) -> Result<(), Wrong> {
    for thread in [slot::THREAD, thread] {
        must!(world.schedule(thread, 0, 1024, 1));
    }
    Ok(())
}

fn null_call(_world: &mut World) -> Result<(), Wrong> {
    measure("null-call", TIMES, 0, || {
        must!(syscall::receive_slot(0));
        Ok(())
    })
}

fn copy_and_delete(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let copy = world.slot();
    measure("capability-copy-delete", TIMES, 0, || {
        must!(syscall::capability_copy(0, copy, endpoint, right::ALL));
        must!(syscall::capability_delete(0, copy));
        Ok(())
    })
}

fn echo(endpoint: u64) {
    let Ok(mut message) = receive(endpoint) else {
        return;
    };
    loop {
        let [a, b, c, d] = message.words;
        match syscall::reply_receive(endpoint, 0, a, b, c, d) {
            Ok(next) => message = next,
            Err(_) => return,
        }
    }
}

fn messages_in_one_space(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let thread = must!(world.thread(echo, endpoint, 0));
    together(world, thread)?;
    measure("message-same-space", TIMES, LIMIT_MESSAGE, || {
        must!(syscall::call(endpoint, 0, 1, 2, 3, 4));
        Ok(())
    })
}

/// The child: calls its parent for ever.
pub(crate) fn call_parent() -> u32 {
    while syscall::call(slot::PARENT, 0, 1, 2, 3, 4).is_ok() {}
    0
}

fn messages_between_spaces(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let child = spawn(world, "root", CALLER, endpoint)?;
    together(world, child.thread)?;
    must!(receive(endpoint));
    let result = measure("message-two-spaces", TIMES, LIMIT_MESSAGE, || {
        must!(syscall::reply_receive(endpoint, 0, 4, 3, 2, 1));
        Ok(())
    });
    child.end(&mut world.chunks, &mut world.slots);
    result
}

/// Starts a child from the initrd.
pub(crate) fn spawn(world: &mut World, name: &str, argument: u64, endpoint: u64) -> Result<Child, Wrong> {
    let Some(file) = world.initrd.find(name) else {
        return Err(Wrong {
            what: "a program is missing in the initrd",
            line: line!(),
            values: None,
        });
    };
    let program = Program {
        file: file.data,
        machine: crate::MACHINE,
        placement: world.addresses.choose(),
        endpoint,
        badge: 1,
        argument,
        record: &[],
        slots: root::TABLE_SLOTS,
        gifts: &[],
    };
    Child::spawn(&program, &mut world.chunks, &mut world.slots).map_err(|_| Wrong {
        what: "a child cannot be started",
        line: line!(),
        values: None,
    })
}

fn signal_back(argument: u64) {
    let (there, back) = (argument >> 32, argument & 0xffff_ffff);
    while syscall::wait(there, syscall::FOREVER).is_ok() && syscall::signal(back).is_ok() {}
}

fn notifications(world: &mut World) -> Result<(), Wrong> {
    let bells = [
        must!(world.make(kind::NOTIFICATION, 0)),
        must!(world.make(kind::NOTIFICATION, 0)),
    ];
    let [there, back] = [
        must!(world.badged(bells[0], right::ALL, 1)),
        must!(world.badged(bells[1], right::ALL, 1)),
    ];
    let thread = must!(world.thread(signal_back, there << 32 | back, 0));
    together(world, thread)?;
    measure("notification-round-trip", TIMES, 0, || {
        must!(syscall::signal(there));
        must!(syscall::wait(back, syscall::FOREVER));
        Ok(())
    })
}

fn yield_for_ever(_: u64) {
    while syscall::yield_now().is_ok() {
        add(0, 1);
    }
}

fn yields(world: &mut World) -> Result<(), Wrong> {
    let thread = must!(world.thread(yield_for_ever, 0, 0));
    together(world, thread)?;
    let start = now();
    let mut own = 0;
    // A thread from which the host has taken the CPU for long lets the other one catch up first, so both are counted.
    while get(0) < TIMES && own < 1000 * TIMES {
        must!(syscall::yield_now());
        own += 1;
    }
    let switches = own + get(0);
    judge("yield", (now() - start) / switches, 0)?;
    check!(get(0) >= TIMES, "the other thread hardly ran");
    Ok(())
}

/// Touches pages until it is ended: the argument says where the first is, and shared number 0 where the next one is.
fn touch(_: u64) {
    loop {
        let address = get(0);
        let place = core::ptr::with_exposed_provenance_mut::<u64>(address as usize);
        // SAFETY: nothing of this program is there: the page comes when it faults.
        unsafe { place.write_volatile(address) };
        set(1, address);
        set(0, AREA + (address + 4096 - AREA) % (64 * 4096));
    }
}

fn page_faults(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let frame = must!(world.make(kind::FRAME, 4096));
    set(0, AREA);
    let thread = must!(world.thread(touch, 0, endpoint));
    together(world, thread)?;
    let mut message = must!(receive(endpoint));
    measure("page-fault", TIMES, 0, || {
        check!(
            message.tag.is_fault() && message.words[1] == get(0),
            "the fault is not where the thread went"
        );
        must!(syscall::unmap(0, frame));
        must!(syscall::map(slot::SPACE, 0, frame, message.words[1], RW));
        message = must!(syscall::reply_receive(endpoint, 0, 0, 0, 0, 0));
        Ok(())
    })
}

fn echo_frame(argument: u64) {
    let (endpoint, at) = (argument >> 32, argument & 0xffff_ffff);
    if syscall::receive_slot(at).is_err() || receive(endpoint).is_err() {
        return;
    }
    let tag = Tag::new(0).moving_capability().0;
    while syscall::reply_receive(endpoint, tag, 0, 0, 0, at).is_ok() {}
}

fn frames(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let (frame, there) = (world.slot(), world.slot());
    let thread = must!(world.thread(echo_frame, endpoint << 32 | there, 0));
    together(world, thread)?;
    must!(syscall::receive_slot(frame));
    let tag = Tag::new(0).moving_capability().0;
    let mut took = [0; 2];
    for (size, took) in [4096, 1 << 20].into_iter().zip(&mut took) {
        must!(syscall::retype(
            crate::world::MEMORY,
            kind::FRAME,
            size,
            1,
            0,
            frame
        ));
        let start = now();
        for _ in 0..TIMES {
            let reply = must!(syscall::call(endpoint, tag, 0, 0, 0, frame));
            check!(
                reply.tag.has_capability() && reply.words[3] == frame,
                "the frame does not come back"
            );
        }
        *took = (now() - start) / TIMES;
        must!(syscall::capability_delete(0, frame));
    }
    must!(syscall::receive_slot(0));
    judge("frame-4k-there-and-back", took[0], 0)?;
    judge("frame-1m-there-and-back", took[1], took[0] + took[0] / 10 + 10)
}

fn spawn_and_exit(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    measure("spawn-exit", 20, 0, || {
        let child = spawn(world, "fault", fault::Condition::Exit as u64, endpoint)?;
        let message = must!(receive(endpoint));
        check!(
            message.tag.label() == protocol::process::EXIT && message.words[0] == 42,
            "the child's end"
        );
        child.end(&mut world.chunks, &mut world.slots);
        Ok(())
    })
}
