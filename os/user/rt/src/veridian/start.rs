//! How a program begins and ends, and what it was started with.

use alloc::string::String;
use alloc::vec::Vec;
use core::ptr;
use core::slice;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use abi::layout::RECORDS;
use abi::start::{ROOT_INFO_WORDS, RootInfo};
use protocol::process;
use protocol::start::{LENGTH, MAGIC, Reader, Stream, WORDS};

use super::lock::{self, Lock};
use super::{client, env, flush_output};
use crate::io::Result;

static PROCESS: AtomicU32 = AtomicU32::new(0);
static GROUP: AtomicU32 = AtomicU32::new(0);

/// Where memory of channels and stacks of threads begin.
static CHANNELS: AtomicU64 = AtomicU64::new(0);
static THREADS: AtomicU64 = AtomicU64::new(0);

/// The standard streams: input, output, errors.
static STREAMS: Lock<[Stream; 3]> = Lock::new([Stream { server: 0, handle: 0 }; 3]);

/// Starts a program's main function.
pub fn start(main: fn(crate::Args) -> u32, argument: u64) -> ! {
    let arguments = read_record(argument).map_or_else(Vec::new, |record| begin(&record));
    exit_process(main(crate::Args::from(arguments)))
}

/// The start record; `None` for the first program, which has other information in that place, and for those whose argument
/// is a number.
fn read_record(argument: u64) -> Option<Reader<'static>> {
    if argument < RECORDS {
        return None;
    }
    let address = argument as usize;
    let words = ptr::with_exposed_provenance::<[u64; WORDS]>(address);
    // SAFETY: programs with this argument are the first one, for which `RootInfo` lies there, or have been started by the
    // process server with a record; both are as long, aligned to pages, and never change.
    let words = unsafe { words.read() };
    if u64::from_le(words[0]) != MAGIC {
        return None;
    }
    let len = u64::from_le(words[LENGTH]) as usize;
    // SAFETY: the magic says that this is a record of the process server, which has mapped as much as it says.
    Reader::new(unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(address), len) })
}

/// Uses the heap that came with the program, before anything is allocated. For every program, first of all.
pub fn prepare(argument: u64) {
    if let Some(record) = read_record(argument) {
        super::heap::use_given(record.header.heap_start as usize, record.header.heap as usize);
    } else if argument >= RECORDS {
        let words = ptr::with_exposed_provenance::<[u64; ROOT_INFO_WORDS]>(argument as usize);
        // SAFETY: it is no record, so this is the first program, for which the kernel has mapped `RootInfo` there.
        let info = RootInfo::from_words(unsafe { words.read() });
        super::heap::use_given(info.heap as usize, 0);
    }
}

/// Takes over what the record says and returns the arguments.
fn begin(record: &Reader<'_>) -> Vec<String> {
    if record.header.process != 0 {
        // SAFETY: the process server has mapped the I/O buffer of every program that has a number where the record says,
        // for ever, and nobody else in this program makes use of the address.
        unsafe { client::begin(record.header.io as usize) };
    }
    // Numbers of processes are below `MAX_PROCESSES`.
    PROCESS.store(record.header.process as u32, Ordering::Relaxed);
    GROUP.store(record.header.group as u32, Ordering::Relaxed);
    CHANNELS.store(record.header.channels, Ordering::Relaxed);
    THREADS.store(record.header.threads, Ordering::Relaxed);
    STREAMS.with(|streams| *streams = record.header.streams);
    env::begin(record);
    record.arguments().map(String::from).collect()
}

/// The standard streams: input, output, errors.
pub(super) fn streams() -> [Stream; 3] {
    STREAMS.with(|streams| *streams).unwrap_or_default()
}

/// First address of the memory of channels, which the process server maps there.
pub(super) fn channels() -> u64 {
    CHANNELS.load(Ordering::Relaxed)
}

/// First address that stacks of threads have to themselves.
pub(super) fn threads() -> u64 {
    THREADS.load(Ordering::Relaxed)
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
