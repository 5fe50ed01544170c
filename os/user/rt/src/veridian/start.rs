//! How a program begins and ends, and what it was started with.

use alloc::string::String;
use alloc::vec::Vec;
use core::ptr;
use core::slice;
use core::sync::atomic::{AtomicU32, Ordering};

use abi::layout::PAGE_SIZE;
use protocol::start::{MAGIC, MAX_LEN, Reader, Stream};
use protocol::{address, process};

use super::lock::{self, Lock};
use super::{client, env, flush_output, heap};
use crate::io::Result;

static PROCESS: AtomicU32 = AtomicU32::new(0);
static GROUP: AtomicU32 = AtomicU32::new(0);

/// The standard streams: input, output, errors.
static STREAMS: Lock<[Stream; 3]> = Lock::new([Stream { server: 0, handle: 0 }; 3]);

/// Starts a program's main function.
pub fn start(main: fn(crate::Args) -> u32, argument: u64) -> ! {
    let arguments = prepare(argument).map_or_else(Vec::new, |record| begin(&record));
    exit_process(main(crate::Args::from(arguments)))
}

/// Prepares the heap of a program that was started with an argument. Returns its start record; `None` when it has none:
/// the first program, and those that another one started by itself.
pub(crate) fn prepare(argument: u64) -> Option<Reader<'static>> {
    if argument != address::START {
        return None;
    }
    let start = address::START as usize;
    // SAFETY: whoever starts a program with this argument maps pages there, to read, for ever: a record, or for the first
    // program, `RootInfo`.
    let magic = unsafe { ptr::with_exposed_provenance::<u64>(start).read() };
    if u64::from_le(magic) != MAGIC {
        return None;
    }
    let record = (PAGE_SIZE as usize..=MAX_LEN)
        .step_by(PAGE_SIZE as usize)
        .find_map(|len| {
            // SAFETY: as above; the record has at least one page, and when it does not end on the pages before, the next one
            // is mapped too.
            Reader::new(unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(start), len) })
        })?;
    heap::use_given(record.header.heap as usize);
    Some(record)
}

/// Takes over what the record says and returns the arguments.
fn begin(record: &Reader<'_>) -> Vec<String> {
    if record.header.process != 0 {
        // SAFETY: the process server has mapped the I/O buffer of every program that has a number, for ever, and nobody
        // else in this program makes use of the address.
        unsafe { client::begin() };
    }
    // Numbers of processes are below `MAX_PROCESSES`.
    PROCESS.store(record.header.process as u32, Ordering::Relaxed);
    GROUP.store(record.header.group as u32, Ordering::Relaxed);
    STREAMS.with(|streams| *streams = record.header.streams);
    env::begin(record);
    record.arguments().map(String::from).collect()
}

/// The standard streams: input, output, errors.
pub(super) fn streams() -> [Stream; 3] {
    STREAMS.with(|streams| *streams).unwrap_or_default()
}

pub(crate) fn id() -> u32 {
    PROCESS.load(Ordering::Relaxed)
}

pub(crate) fn group() -> u32 {
    GROUP.load(Ordering::Relaxed)
}

pub(crate) fn lead_group() -> Result<()> {
    let [group, ..] = client::ask_processes(process::LEAD_GROUP, [0; 3])?;
    GROUP.store(group as u32, Ordering::Relaxed);
    Ok(())
}

pub(crate) fn exit_process(code: u32) -> ! {
    // Who ends cannot do anything about it.
    let _lost = flush_output();
    crate::end(code)
}

/// Ends a program that has panicked.
pub(crate) fn panicked(info: &core::panic::PanicInfo<'_>) -> ! {
    // Whoever panics while this is reported has nothing more to say.
    if !lock::set_panicking() {
        crate::eprintln!("panic: {info}");
        let _lost = flush_output();
    }
    crate::end(crate::PANIC_CODE)
}
