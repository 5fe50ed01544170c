//! The list of what is measured, and how.

use perf::{Measured, Unit};
use rt::alloc::vec::Vec;
use rt::io::{ErrorKind, Result};
use rt::objects::Memory;

use crate::{kernel, processes};

/// Measurements of a part: results are added to the list.
type Part = fn(&mut Vec<Measured>) -> Result<()>;

const PARTS: &[(&str, Part)] = &[
    ("null-call", kernel::null_call),
    ("capability-lookup", kernel::lookup),
    ("yield", kernel::switches),
    ("notification", kernel::notifications),
    ("message-one-space", kernel::messages),
    ("message-two-spaces", processes::messages),
    ("frame", kernel::frames),
    ("page-fault", kernel::page_faults),
    ("spawn-exit", processes::spawn_and_exit),
    ("channel", processes::channels),
    ("pipe", processes::pipes),
];

/// Limit of a message round trip in instructions.
pub(crate) const LIMIT_MESSAGE: u64 = 1000;

/// Measures everything. Returns also whether nothing failed; failures are told on standard error.
pub(crate) fn all() -> (Unit, Vec<Measured>, bool) {
    let unit = Unit::of(&[work(), work(), work(), work()]);
    let mut results = Vec::new();
    let mut complete = true;
    if let Err(error) = pin(protocol::slot::THREAD) {
        rt::eprintln!("perf: it cannot be kept on one CPU: {error}");
        complete = false;
    }
    for (name, part) in PARTS {
        if let Err(error) = part(&mut results) {
            rt::eprintln!("perf: {name}: {error}");
            complete = false;
        }
    }
    (unit, results, complete)
}

/// How long a fixed amount of work takes.
fn work() -> u64 {
    let start = now();
    for number in 0..200_000_u64 {
        core::hint::black_box(number);
    }
    now() - start
}

/// Nanoseconds since boot.
pub(crate) fn now() -> u64 {
    syscall::clock().unwrap_or(0)
}

/// An error of the kernel.
pub(crate) fn failed(error: abi::Error) -> rt::io::Error {
    match error {
        abi::Error::NoMemory => ErrorKind::OutOfMemory.into(),
        abi::Error::NotPermitted => ErrorKind::PermissionDenied.into(),
        abi::Error::TooMany => ErrorKind::TooMany.into(),
        _ => ErrorKind::Other.into(),
    }
}

/// What one of many times takes, after a few that are not counted.
pub(crate) fn each(times: u64, mut what: impl FnMut() -> Result<()>) -> Result<u64> {
    for _ in 0..times.min(10) {
        what()?;
    }
    let start = now();
    for _ in 0..times {
        what()?;
    }
    Ok((now() - start) / times)
}

/// Keeps a thread on the first CPU: of two that are there, one runs when the other one waits.
pub(crate) fn pin(thread: u64) -> Result<()> {
    let memory = Memory::new(64 << 10)?;
    let schedule = memory.make(abi::start::kind::SCHEDULE, 0)?;
    syscall::schedule_configure(schedule.number(), 0, 1024, 1).map_err(failed)?;
    syscall::thread_schedule(thread, schedule.number()).map_err(failed)?;
    Ok(())
}
