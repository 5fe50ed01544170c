//! System calls.

use alloc::vec;
use core::fmt::Write as _;
use core::str;

use abi::{Error, Fate, Registers, Request, UserBuffer, UserBytes, encode_result};
use hal::console::Console;
use hal::stamp::Stamp;
use hal::{AddressSpace, println, timer};
use kcore::user_range::UserRange;

use crate::processes::Processes;

/// Nanoseconds between two ticks.
pub(crate) const TICK: u64 = 10_000_000;

/// Longest text of one `debug_write`.
const MAX_TEXT: usize = 4096;

/// Longest name of a program: that of a file in the initrd.
const MAX_NAME: usize = 100;

/// Serves the system call that the process at `index` makes.
pub(crate) fn serve(processes: &mut Processes, index: usize) {
    let (number, arguments) = processes.at(index).context.call();
    let result = match Request::decode(number, Registers::new(arguments)) {
        Ok(Request::DebugWrite { text }) => debug_write(&processes.at(index).space, text),
        Ok(Request::SystemInfo { text }) => system_info(&mut processes.at(index).space, text),
        Ok(Request::Exit { code }) => match u32::try_from(code) {
            Ok(code) => return processes.end(index, Fate::Exited(code)),
            Err(_) => Err(Error::BadArgument),
        },
        Ok(Request::PowerOff { status }) if processes.is_init(index) => power_off(status),
        Ok(Request::PowerOff { .. }) => Err(Error::NotPermitted),
        Ok(Request::Spawn { name, argument }) => spawn(processes, index, name, argument),
        Ok(Request::Wait { process }) => return processes.wait(index, process),
        Ok(Request::Ticks {}) => Ok(timer::now() / TICK),
        Err(error) => Err(error),
    };
    processes.at(index).context.set_result(encode_result(result));
}

fn debug_write(space: &AddressSpace, text: UserBytes) -> Result<u64, Error> {
    let range = UserRange::of_bytes(text, MAX_TEXT)?;
    let mut bytes = vec![0; range.len()];
    space.read(range, &mut bytes)?;
    let text = str::from_utf8(&bytes).map_err(|_| Error::BadArgument)?;
    // The console takes everything.
    let _ = Console.write_str(text);
    Ok(text.len() as u64)
}

fn system_info(space: &mut AddressSpace, buffer: UserBuffer) -> Result<u64, Error> {
    let stamp = Stamp::read();
    // The stamp was read at boot, and panics there when it is none.
    let text = stamp.text().map_err(|_| Error::NotFound)?;
    // However large the caller's buffer is: only as much of it is looked at as the text needs.
    let range = UserRange::of_buffer(buffer, usize::MAX)?.prefix(text.len());
    if range.len() < text.len() {
        return Err(Error::BadLength);
    }
    space.write(range, text.as_bytes())?;
    Ok(text.len() as u64)
}

fn power_off(status: u64) -> ! {
    println!("kernel: /init asks for power-off with status {status}");
    hal::power::off(status == 0)
}

fn spawn(processes: &mut Processes, index: usize, name: UserBytes, argument: u64) -> Result<u64, Error> {
    let range = UserRange::of_bytes(name, MAX_NAME)?;
    let mut bytes = [0; MAX_NAME];
    let bytes = &mut bytes[..range.len()];
    let parent = processes.at(index);
    parent.space.read(range, bytes)?;
    let parent = parent.id;
    let name = str::from_utf8(bytes).map_err(|_| Error::BadArgument)?;
    processes.spawn(name, argument, Some(parent))
}
