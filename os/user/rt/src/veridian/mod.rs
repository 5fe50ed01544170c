//! The runtime over the system's servers.
//!
//! To be filled: so far the kernel has no calls that files, processes and memory could be made of, and everything but
//! printing, leaving and switching off returns `Unsupported`.

mod heap;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::fs::{DirEntry, Metadata, OpenOptions};
use crate::io::{ErrorKind, Result, SeekFrom};
use crate::process::{Command, ExitStatus, ProcessInfo, Signal};
use crate::system::Info;
use crate::terminal::Mode;

/// Starts a program's main function.
pub fn start(main: fn(crate::Args) -> u32, _argument: u64) -> ! {
    crate::end(main(crate::Args::from(Vec::new())))
}

fn unsupported<T>() -> Result<T> {
    Err(ErrorKind::Unsupported.into())
}

/// A standard stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Input,
    Output,
    Error,
}

/// An open file: none can be opened yet.
#[derive(Debug)]
pub(crate) struct File(());

impl File {
    pub(crate) fn open(_path: &str, options: OpenOptions) -> Result<Self> {
        let OpenOptions {
            read: _,
            write: _,
            append: _,
            truncate: _,
            create: _,
            create_new: _,
        } = options;
        unsupported()
    }

    pub(crate) fn try_clone(&self) -> Result<Self> {
        unsupported()
    }

    pub(crate) fn read(&self, _buffer: &mut [u8]) -> Result<usize> {
        unsupported()
    }

    pub(crate) fn write(&self, _bytes: &[u8]) -> Result<usize> {
        unsupported()
    }

    pub(crate) fn seek(&self, _to: SeekFrom) -> Result<u64> {
        unsupported()
    }

    pub(crate) fn metadata(&self) -> Result<Metadata> {
        unsupported()
    }

    pub(crate) fn is_terminal(&self) -> bool {
        false
    }
}

/// A process that this program started: there is none yet.
#[derive(Debug)]
pub(crate) enum Child {}

impl Child {
    pub(crate) fn spawn(command: &mut Command) -> Result<(u32, Self)> {
        let Command {
            program: _program,
            name: _name,
            arguments: _arguments,
            clear_variables: _clear_variables,
            variables: _variables,
            directory: _directory,
            streams,
            group: _group,
        } = command;
        for stream in core::mem::take(streams) {
            if let crate::process::Stdio::File(file) = stream {
                let _closed = file.into_sys();
            }
        }
        unsupported()
    }

    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        match *self {}
    }

    pub(crate) fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        match *self {}
    }
}

macro_rules! unsupported {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $returns:ty;)+) => {
        $(
            pub(crate) fn $name($($argument: $kind),*) -> Result<$returns> {
                $(let _ = $argument;)*
                unsupported()
            }
        )+
    };
}

unsupported! {
    stream_file(stream: Stream) -> File;
    read_input(buffer: &mut [u8]) -> usize;
    current_dir() -> String;
    set_current_dir(path: &str) -> ();
    current_exe() -> String;
    metadata(path: &str) -> Metadata;
    read_dir(path: &str) -> Vec<DirEntry>;
    create_dir(path: &str) -> ();
    remove_file(path: &str) -> ();
    remove_dir(path: &str) -> ();
    rename(from: &str, to: &str) -> ();
    canonicalize(path: &str) -> String;
    pipe() -> (File, File);
    kill(process: u32, signal: Signal) -> ();
    kill_group(group: u32, signal: Signal) -> ();
    lead_group() -> ();
    set_foreground(group: u32) -> ();
    hold_interrupts() -> ();
    processes() -> Vec<ProcessInfo>;
    info() -> Info;
    set_mode(mode: Mode) -> ();
    size() -> (u16, u16);
}

pub(crate) fn is_terminal(_stream: Stream) -> bool {
    false
}

fn write_console(bytes: &[u8]) -> Result<usize> {
    let text = core::str::from_utf8(bytes).map_err(|_| ErrorKind::InvalidData)?;
    print(format_args!("{text}"))?;
    Ok(bytes.len())
}

pub(crate) fn write_output(bytes: &[u8]) -> Result<usize> {
    write_console(bytes)
}

pub(crate) fn flush_output() -> Result<()> {
    Ok(())
}

pub(crate) fn write_error(bytes: &[u8]) -> Result<usize> {
    write_console(bytes)
}

pub(crate) fn print(text: fmt::Arguments<'_>) -> Result<()> {
    let mut console = crate::Console::default();
    fmt::Write::write_fmt(&mut console, text).map_err(|_| ErrorKind::Other.into())
}

pub(crate) fn print_error(text: fmt::Arguments<'_>) -> Result<()> {
    print(text)
}

pub(crate) fn var(_name: &str) -> Option<String> {
    None
}

pub(crate) fn set_var(_name: &str, _value: &str) {}

pub(crate) fn remove_var(_name: &str) {}

pub(crate) fn vars() -> Vec<(String, String)> {
    Vec::new()
}

pub(crate) fn exit_process(code: u32) -> ! {
    crate::end(code)
}

pub(crate) fn id() -> u32 {
    0
}

pub(crate) fn group() -> u32 {
    0
}

pub(crate) fn take_interrupt() -> bool {
    false
}

pub(crate) fn now() -> Duration {
    Duration::ZERO
}

pub(crate) fn unix_now() -> Option<Duration> {
    None
}

pub(crate) fn sleep(_time: Duration) {}

pub(crate) fn power_off(status: u32) -> Result<()> {
    match crate::power_off(u64::from(status)) {
        abi::Error::NotPermitted => Err(ErrorKind::PermissionDenied.into()),
        _ => unsupported(),
    }
}
