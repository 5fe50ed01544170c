//! What the kernel does within one address space.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use abi::start::{kind, right};
use abi::{Message, Tag};
use perf::Measured;
use rt::alloc::vec::Vec;
use rt::io::{ErrorKind, Result};
use rt::objects::{Memory, Slot};
use rt::thread;
use syscall::FOREVER;

use crate::measure::{LIMIT_MESSAGE, each, failed, now, pin};

/// Repetitions of what is short.
const TIMES: u64 = 2000;

/// Label of the message that ends a server of these measurements.
const END: u32 = 1;

fn add(results: &mut Vec<Measured>, name: &'static str, value: u64, limit: Option<u64>) {
    results.push(Measured { name, value, limit });
}

pub(crate) fn null_call(results: &mut Vec<Measured>) -> Result<()> {
    let value = each(TIMES, || {
        syscall::receive_slot(0).map_err(failed)?;
        Ok(())
    })?;
    add(results, "null-call", value, None);
    Ok(())
}

/// Puts a capability into the last slot of tables of different sizes, and deletes it there.
pub(crate) fn lookup(results: &mut Vec<Measured>) -> Result<()> {
    let memory = Memory::new(2 << 20)?;
    let object = memory.make(kind::NOTIFICATION, 0)?;
    let mut values = [0; 2];
    for (slots, value) in [16, 4096].into_iter().zip(&mut values) {
        let table = memory.make(kind::TABLE, slots)?;
        let (table, last) = (table.number(), slots - 1);
        *value = each(TIMES, || {
            syscall::capability_copy(table, last, object.number(), right::ALL).map_err(failed)?;
            syscall::capability_delete(table, last).map_err(failed)?;
            Ok(())
        })?;
    }
    add(results, "capability-copy-delete-16-slots", values[0], None);
    let limit = values[0] + values[0] / 10 + 10;
    add(
        results,
        "capability-copy-delete-4096-slots",
        values[1],
        Some(limit),
    );
    Ok(())
}

/// Two threads that yield to each other.
pub(crate) fn switches(results: &mut Vec<Measured>) -> Result<()> {
    static STOP: AtomicBool = AtomicBool::new(false);
    static OTHERS: AtomicU64 = AtomicU64::new(0);
    let other = thread::spawn(|| {
        while !STOP.load(Ordering::Acquire) {
            let _others_run = syscall::yield_now();
            OTHERS.fetch_add(1, Ordering::Relaxed);
        }
    })?;
    let pinned = pin(other.thread());
    let before = OTHERS.load(Ordering::Relaxed);
    let start = now();
    let (mut own, mut others) = (0, 0);
    // When one of them has had the CPU for too long, the other one catches up first.
    while others < TIMES && own < 1000 * TIMES {
        let _others_run = syscall::yield_now();
        own += 1;
        others = OTHERS.load(Ordering::Relaxed) - before;
    }
    let took = now() - start;
    STOP.store(true, Ordering::Release);
    other.join();
    pinned?;
    if others < TIMES {
        // They did not change places, so nothing was measured.
        return Err(ErrorKind::Other.into());
    }
    add(results, "context-switch", took / (own + others), None);
    Ok(())
}

/// A copy of a capability with a badge.
fn badged(memory: &Slot, badge: u64) -> Result<Slot> {
    let slot = Slot::take()?;
    syscall::capability_mint(0, slot.number(), memory.number(), right::ALL, badge).map_err(failed)?;
    Ok(slot)
}

/// Signals that go to another thread and back.
pub(crate) fn notifications(results: &mut Vec<Measured>) -> Result<()> {
    let memory = Memory::new(64 << 10)?;
    let bells = [
        memory.make(kind::NOTIFICATION, 0)?,
        memory.make(kind::NOTIFICATION, 0)?,
    ];
    let [there, back] = [badged(&bells[0], 1)?, badged(&bells[1], 1)?];
    // Its bit 2 says that this is the end.
    let end = badged(&bells[0], 2)?;
    let (wait_at, signal_at) = (bells[0].number(), back.number());
    let other = thread::spawn(move || {
        while syscall::wait(wait_at, FOREVER) == Ok(1) && syscall::signal(signal_at).is_ok() {}
    })?;
    let value = pin(other.thread()).and_then(|()| {
        each(TIMES, || {
            syscall::signal(there.number()).map_err(failed)?;
            syscall::wait(bells[1].number(), FOREVER).map_err(failed)?;
            Ok(())
        })
    });
    syscall::signal(end.number()).map_err(failed)?;
    other.join();
    add(results, "notification-round-trip", value?, None);
    Ok(())
}

/// Answers every message with its words until one says that it is the last.
fn echo(endpoint: u64) {
    let Ok(mut message) = syscall::receive(endpoint, FOREVER) else {
        return;
    };
    while message.tag.label() != END {
        let [a, b, c, d] = message.words;
        match syscall::reply_receive(endpoint, 0, a, b, c, d) {
            Ok(next) => message = next,
            Err(_) => return,
        }
    }
    let _nobody_waits = syscall::reply(0, 0, 0, 0, 0, 0);
}

/// Calls between two threads of this program.
pub(crate) fn messages(results: &mut Vec<Measured>) -> Result<()> {
    let memory = Memory::new(64 << 10)?;
    let endpoint = memory.make(kind::ENDPOINT, 0)?;
    let at = endpoint.number();
    let other = thread::spawn(move || echo(at))?;
    let value = pin(other.thread()).and_then(|()| {
        each(TIMES, || {
            syscall::call(at, 0, 1, 2, 3, 4).map_err(failed)?;
            Ok(())
        })
    });
    syscall::call(at, Tag::new(END).0, 0, 0, 0, 0).map_err(failed)?;
    other.join();
    add(results, "message-one-space", value?, Some(LIMIT_MESSAGE));
    Ok(())
}

/// Sends back every capability that comes, until a message has none.
fn echo_capability(endpoint: u64, at: u64) {
    let tag = Tag::new(0).moving_capability().0;
    if syscall::receive_slot(at).is_err() {
        return;
    }
    let Ok(mut message) = syscall::receive(endpoint, FOREVER) else {
        return;
    };
    while message.tag.has_capability() {
        match syscall::reply_receive(endpoint, tag, 0, 0, 0, at) {
            Ok(next) => message = next,
            Err(_) => return,
        }
    }
    let _nobody_waits = syscall::reply(0, 0, 0, 0, 0, 0);
}

/// Frames that go to another thread and back.
pub(crate) fn frames(results: &mut Vec<Measured>) -> Result<()> {
    let memory = Memory::new(2 << 20)?;
    let endpoint = memory.make(kind::ENDPOINT, 0)?;
    let theirs = Slot::take()?;
    let (at, there) = (endpoint.number(), theirs.number());
    let other = thread::spawn(move || echo_capability(at, there))?;
    let values = pin(other.thread()).and_then(|()| {
        let mut values = [0; 2];
        for (size, value) in [4096, 1 << 20].into_iter().zip(&mut values) {
            let frame = memory.make(kind::FRAME, size)?;
            syscall::receive_slot(frame.number()).map_err(failed)?;
            let tag = Tag::new(0).moving_capability().0;
            *value = each(TIMES, || {
                let reply = syscall::call(at, tag, 0, 0, 0, frame.number()).map_err(failed)?;
                if reply.tag.has_capability() {
                    Ok(())
                } else {
                    Err(ErrorKind::InvalidData.into())
                }
            })?;
        }
        Ok(values)
    });
    syscall::receive_slot(0).map_err(failed)?;
    syscall::call(at, 0, 0, 0, 0, 0).map_err(failed)?;
    other.join();
    let [small, large] = values?;
    add(results, "frame-4-kib-round-trip", small, None);
    add(
        results,
        "frame-1-mib-round-trip",
        large,
        Some(small + small / 10 + 10),
    );
    Ok(())
}

/// Where pages come when they are touched: where only servers have something.
const PAGES: u64 = 64 << 30;

/// How many there are. The frame is always the same one.
const PAGE_COUNT: u64 = 64;

/// Faults of a thread that this one handles: it takes the frame from where it was and maps it where the thread went.
pub(crate) fn page_faults(results: &mut Vec<Measured>) -> Result<()> {
    static STOP: AtomicBool = AtomicBool::new(false);
    let memory = Memory::new(64 << 10)?;
    let endpoint = memory.make(kind::ENDPOINT, 0)?;
    let frame = memory.make(kind::FRAME, 4096)?;
    let at = endpoint.number();
    let faults = badged(&endpoint, 1)?;
    let other = thread::spawn_with_faults(faults.number(), || {
        for page in (0..PAGE_COUNT).cycle() {
            if STOP.load(Ordering::Acquire) {
                return;
            }
            let place = core::ptr::with_exposed_provenance_mut::<u64>((PAGES + page * 4096) as usize);
            // SAFETY: nothing else of this program is there: the page comes when it faults, and stays until the next one
            // does, which is this thread's.
            unsafe { place.write_volatile(page) };
        }
    })?;
    let pinned = pin(other.thread());
    let handle = |message: &Message| -> Result<()> {
        let address = message.words[1];
        let range = PAGES..PAGES + PAGE_COUNT * 4096;
        if !message.tag.is_fault() || !range.contains(&address) {
            return Err(ErrorKind::InvalidData.into());
        }
        // The first time it is mapped nowhere.
        let _was_mapped = syscall::unmap(0, frame.number());
        let access = right::READ | right::WRITE;
        syscall::map(
            protocol::slot::SPACE,
            0,
            frame.number(),
            address / 4096 * 4096,
            access,
        )
        .map_err(failed)?;
        Ok(())
    };
    let mut message = syscall::receive(at, FOREVER).map_err(failed)?;
    let value = each(TIMES, || {
        handle(&message)?;
        message = syscall::reply_receive(at, 0, 0, 0, 0, 0).map_err(failed)?;
        Ok(())
    });
    STOP.store(true, Ordering::Release);
    handle(&message)?;
    syscall::reply(0, 0, 0, 0, 0, 0).map_err(failed)?;
    other.join();
    pinned?;
    add(results, "page-fault", value?, None);
    Ok(())
}
