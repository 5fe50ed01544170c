//! Threads and who runs when.

use abi::Error;
use abi::start::{KernelInfo, kind, slot};

use crate::world::{Test, World, Wrong, add, get, now, numbers, set, thread_info, wait_for, wait_until};
use crate::{check, must, same};

pub(crate) const TESTS: &[Test] = &[
    ("start, suspend, resume, start anew", life),
    ("calls on threads that are refused", refused),
    ("weights share a CPU", weights),
    ("real time comes before fair", real_time),
    ("threads yield to their equals", yields),
    ("threads keep to their CPUs", affinity),
    ("all CPUs work", all_cpus),
    ("a CPU goes off and comes back", cpu_off),
    ("sleepers wake in order", sleepers),
    ("nothing happens while all sleep", tickless),
];

/// States that `thread_info` tells.
const STOPPED: u64 = 0;
const SLEEPING: u64 = 7;
const SUSPENDED: u64 = 100;

fn counts(index: u64) {
    loop {
        add(index as usize, 1);
    }
}

fn counts_once(index: u64) {
    add(index as usize, 1);
}

fn state(thread: u64) -> u64 {
    thread_info(thread).map_or(u64::MAX, |[state, ..]| state)
}

fn life(world: &mut World) -> Result<(), Wrong> {
    let once = must!(world.idle_thread(counts_once, 0, 0));
    same!(state(once.slot), STOPPED, "before it starts");
    for round in 1..=20 {
        must!(world.start(once));
        check!(
            wait_for(0, round) && wait_until(|| state(once.slot) == STOPPED),
            "it runs and ends"
        );
    }
    let thread = must!(world.thread(counts, 1, 0));
    for _ in 0..20 {
        check!(wait_until(|| get(2) != get(1)), "it counts");
        must!(syscall::thread_suspend(thread));
        same!(state(thread), SUSPENDED, "its state");
        let count = get(1);
        must!(syscall::sleep(1_000_000));
        same!(get(1), count, "a suspended thread runs");
        must!(syscall::thread_resume(thread));
        check!(wait_until(|| get(1) != count), "it goes on");
    }
    // Suspended before it starts, and while it sleeps.
    let early = must!(world.idle_thread(counts_once, 3, 0));
    must!(syscall::thread_suspend(early.slot));
    must!(world.start(early));
    must!(syscall::sleep(1_000_000));
    same!(get(3), 0, "it was suspended before it started");
    must!(syscall::thread_resume(early.slot));
    check!(wait_for(3, 1), "then it runs");
    let sleeper = must!(world.thread(sleeps_then_counts, 3_000_000, 0));
    must!(syscall::thread_suspend(sleeper));
    must!(syscall::sleep(8_000_000));
    same!(get(4), 0, "a suspended thread wakes");
    must!(syscall::thread_resume(sleeper));
    check!(wait_for(4, 1), "it wakes when it is told to go on");
    Ok(())
}

fn sleeps_then_counts(time: u64) {
    let _woken = syscall::sleep(time);
    add(4, 1);
}

fn refused(world: &mut World) -> Result<(), Wrong> {
    let thread = must!(world.make(kind::THREAD, 0));
    same!(
        syscall::thread_start(thread, 0x40_0000, 4096, 0),
        Error::Busy,
        "a thread without table and space"
    );
    same!(
        syscall::thread_configure(thread, slot::SPACE, slot::TABLE, 0),
        Error::WrongKind,
        "table and space exchanged"
    );
    same!(
        syscall::thread_configure(thread, slot::TABLE, slot::SPACE, slot::TABLE),
        Error::WrongKind,
        "faults go to no endpoint"
    );
    same!(
        syscall::thread_configure(thread, slot::TABLE, slot::SPACE, 0),
        0,
        "configure"
    );
    for (entry, stack) in [
        (1 << 38, 4096),
        (u64::MAX, 4096),
        (0x40_0000, 0),
        (0x40_0000, 8),
        (0x40_0000, 4097),
        (0x40_0000, (1 << 38) + 16),
        (0x40_0000, u64::MAX - 15),
    ] {
        same!(
            syscall::thread_start(thread, entry, stack, 0),
            Error::BadAddress,
            "a wrong entry or stack"
        );
    }
    same!(
        syscall::thread_start(slot::THREAD, 0x40_0000, 4096, 0),
        Error::Busy,
        "a thread that runs"
    );
    same!(
        syscall::thread_configure(slot::THREAD, slot::TABLE, slot::SPACE, 0),
        Error::Busy,
        "configure one that runs"
    );
    let schedule = must!(world.make(kind::SCHEDULE, 0));
    for (class, value, cpus) in [
        (0, 0, 1),
        (0, 16385, 1),
        (1, 32, 1),
        (2, 1, 1),
        (0, 1024, 0),
        (0, 1024, 1 << 63),
        (0, u64::MAX, 1),
    ] {
        same!(
            syscall::schedule_configure(schedule, class, value, cpus),
            Error::BadArgument,
            "wrong parameters"
        );
    }
    let mut short = [0xaa; 20];
    same!(
        syscall::thread_info(slot::THREAD, &mut short),
        20,
        "a short buffer"
    );
    same!(
        syscall::thread_pointer(1 << 38),
        Error::BadAddress,
        "a thread pointer beyond user space"
    );
    Ok(())
}

/// Two threads that are always busy on one CPU, with the weights 1 and 3.
fn weights(world: &mut World) -> Result<(), Wrong> {
    let mut threads = [0; 2];
    for (number, weight) in [1024, 3072].into_iter().enumerate() {
        let thread = must!(world.idle_thread(counts, number as u64, 0));
        must!(world.schedule(thread.slot, 0, weight, 1));
        must!(world.start(thread));
        threads[number] = thread.slot;
    }
    must!(world.schedule(slot::THREAD, 1, 5, 1));
    must!(syscall::sleep(400_000_000));
    let times = threads.map(|thread| thread_info(thread).map_or(0, |[_, time, _]| time));
    must!(world.schedule(slot::THREAD, 0, 1024, u64::MAX));
    let [light, heavy] = times;
    check!(light > 40_000_000, "the light thread starves");
    check!(heavy > light * 2 && heavy < light * 4, "the ratio of the weights");
    Ok(())
}

fn real_time(world: &mut World) -> Result<(), Wrong> {
    must!(world.schedule(slot::THREAD, 1, 31, 1));
    let result = urgent_first(world);
    must!(world.schedule(slot::THREAD, 0, 1024, u64::MAX));
    result
}

fn urgent_first(world: &mut World) -> Result<(), Wrong> {
    let mut threads = [0; 3];
    for (number, (class, value)) in [(0, 16384), (1, 0), (1, 1)].into_iter().enumerate() {
        let thread = must!(world.idle_thread(counts, number as u64, 0));
        must!(world.schedule(thread.slot, class, value, 1));
        threads[number] = thread.slot;
        must!(world.start(thread));
        must!(syscall::sleep(20_000_000));
    }
    let before = [get(0), get(1), get(2)];
    must!(syscall::sleep(20_000_000));
    check!(get(2) > before[2], "the urgent thread runs");
    check!(
        get(1) == before[1] && get(0) == before[0],
        "others run beside the urgent thread"
    );
    must!(syscall::thread_suspend(threads[2]));
    must!(syscall::sleep(20_000_000));
    check!(
        get(1) > before[1] && get(0) == before[0],
        "the lowest level comes before fair"
    );
    must!(syscall::thread_suspend(threads[1]));
    must!(syscall::sleep(20_000_000));
    check!(get(0) > before[0], "fair runs when nothing is urgent");
    Ok(())
}

fn takes_turns(index: u64) {
    let other = 1 - index as usize;
    let index = index as usize;
    let mut seen = get(other);
    for _ in 0..500 {
        set(index, get(index) + 1);
        let _yielded = syscall::yield_now();
        // The other one had its turn in between, when both are there.
        let now = get(other);
        if now == seen {
            add(2, 1);
        }
        seen = now;
    }
    add(3, 1);
}

fn yields(world: &mut World) -> Result<(), Wrong> {
    for class in 0..2 {
        set(2, 0);
        set(3, 0);
        must!(world.schedule(slot::THREAD, 1, 30, 1));
        for number in 0..2 {
            let thread = must!(world.idle_thread(takes_turns, number, 0));
            must!(world.schedule(thread.slot, class, if class == 0 { 1024 } else { 5 }, 1));
            must!(world.start(thread));
        }
        must!(world.schedule(slot::THREAD, 0, 1024, u64::MAX));
        check!(wait_for(3, 2), "both come to an end");
        // Fair threads may have several turns in a row, until they have had as much as the others.
        check!(
            class == 0 || get(2) < 10,
            "yielding does not let the other one run"
        );
    }
    Ok(())
}

fn affinity(world: &mut World) -> Result<(), Wrong> {
    for round in 0..3 {
        for cpu in 0..world.cpus {
            let thread = must!(world.idle_thread(counts, cpu, 0));
            must!(world.schedule(thread.slot, 0, 1024, 1 << cpu));
            must!(world.start(thread));
            let count = get(cpu as usize);
            check!(wait_until(|| get(cpu as usize) > count + 1000), "it runs");
            same!(must!(thread_info(thread.slot))[2], cpu, "where it runs");
            // Moved while it runs.
            let other = (cpu + 1 + round) % world.cpus;
            must!(world.schedule(thread.slot, 0, 1024, 1 << other));
            check!(
                wait_until(|| thread_info(thread.slot).is_ok_and(|[_, _, at]| at == other)),
                "it moves"
            );
            must!(syscall::capability_delete(0, thread.slot));
        }
    }
    Ok(())
}

fn all_cpus(world: &mut World) -> Result<(), Wrong> {
    let mut threads = [0; 8];
    for number in 0..world.cpus {
        threads[number as usize] = must!(world.thread(counts, number, 0));
    }
    let spread = wait_until(|| {
        let used = threads
            .iter()
            .take(world.cpus as usize)
            .filter_map(|&thread| thread_info(thread).ok());
        let used = used.fold(0_u64, |used, [_, _, cpu]| used | 1 << cpu);
        used == (1 << world.cpus) - 1
    });
    check!(spread, "as many busy threads as CPUs, and one CPU is not used");
    Ok(())
}

fn cpu_off(world: &mut World) -> Result<(), Wrong> {
    same!(
        syscall::cpu_control(slot::MACHINE, 0, 0),
        Error::BadArgument,
        "the first CPU"
    );
    same!(
        syscall::cpu_control(slot::MACHINE, world.cpus, 0),
        Error::BadArgument,
        "a CPU that is not there"
    );
    same!(
        syscall::cpu_control(slot::MACHINE, u64::MAX, 0),
        Error::BadArgument,
        "no CPU at all"
    );
    same!(
        syscall::cpu_control(slot::MACHINE, 1, 2),
        Error::BadArgument,
        "neither on nor off"
    );
    if world.cpus == 1 {
        return Ok(());
    }
    // Whoever switches a CPU off must not run there.
    must!(world.schedule(slot::THREAD, 0, 1024, 1));
    must!(syscall::sleep(1_000_000));
    let result = off_and_on(world);
    must!(world.schedule(slot::THREAD, 0, 1024, u64::MAX));
    result
}

fn off_and_on(world: &mut World) -> Result<(), Wrong> {
    for number in 0..6 {
        must!(world.thread(counts, number, 0));
        must!(world.thread(naps, 10 + number, 0));
    }
    let pinned = must!(world.idle_thread(counts, 6, 0));
    must!(world.schedule(pinned.slot, 0, 1024, 2));
    must!(world.start(pinned));
    for _ in 0..4 {
        for cpu in 1..world.cpus {
            same!(syscall::cpu_control(slot::MACHINE, cpu, 0), 0, "off");
        }
        check!(wait_until(|| info().cpus == 1), "one CPU is left");
        all_go_on()?;
        for cpu in 1..world.cpus {
            // It may still be on its way off.
            let end = now() + 10_000_000_000;
            while syscall::cpu_control(slot::MACHINE, cpu, 1) == Err(Error::Busy) && now() < end {
                must!(syscall::sleep(1_000_000));
            }
        }
        check!(wait_until(|| info().cpus == world.cpus), "all CPUs are back");
        all_go_on()?;
    }
    Ok(())
}

fn naps(index: u64) {
    loop {
        let _woken = syscall::sleep(300_000);
        add(index as usize, 1);
    }
}

/// Whether every thread of the test makes progress.
fn all_go_on() -> Result<(), Wrong> {
    let counted: [u64; 16] = core::array::from_fn(get);
    let all = || (0..7).chain(10..16).all(|index| get(index) > counted[index]);
    check!(wait_until(all), "a thread stands still");
    Ok(())
}

/// What the kernel tells of itself.
pub(crate) fn info() -> KernelInfo {
    let mut bytes = [0; 64];
    let _len = syscall::kernel_statistics(&mut bytes);
    let [
        memory,
        objects,
        objects_max,
        heap_free,
        cpus,
        cpus_max,
        switches,
        idle,
    ] = numbers(&bytes);
    KernelInfo {
        memory,
        objects,
        objects_max,
        heap_free,
        cpus,
        cpus_max,
        switches,
        idle,
    }
}

fn sleeps(number: u64) {
    let time = get(41) + number * 40_000_000;
    let _woken = syscall::sleep(time.saturating_sub(now()));
    if now() < time {
        set(40, number);
    }
    set(20 + add(0, 1) as usize, number);
}

fn sleepers(world: &mut World) -> Result<(), Wrong> {
    // All go to sleep before the first one wakes, on a slow machine as well.
    set(41, now() + 500_000_000);
    for number in [5, 2, 7, 1, 4, 8, 3, 6] {
        // All on one CPU: the order says nothing about several.
        let thread = must!(world.idle_thread(sleeps, number, 0));
        must!(world.schedule(thread.slot, 0, 1024, 1));
        must!(world.start(thread));
    }
    check!(wait_for(0, 8), "all wake");
    same!(get(40), 0, "one woke too early");
    for number in 1..=8 {
        same!(get(19 + number as usize), number, "who woke at this place");
    }
    must!(syscall::sleep(0));
    Ok(())
}

fn tickless(world: &mut World) -> Result<(), Wrong> {
    let sleeper = must!(world.thread(sleeps_then_counts, 3_600_000_000_000, 0));
    check!(wait_until(|| state(sleeper) == SLEEPING), "it sleeps");
    must!(syscall::sleep(10_000_000));
    let before = info();
    must!(syscall::sleep(200_000_000));
    let after = info();
    check!(
        after.switches - before.switches < 10,
        "threads are switched while all sleep"
    );
    check!(
        after.idle - before.idle > 150_000_000,
        "CPUs do not idle while all sleep"
    );
    Ok(())
}
