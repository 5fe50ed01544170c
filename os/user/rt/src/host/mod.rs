//! The runtime over std and Linux: what the host's tests run.

mod env;
mod file;
mod process;
mod signal;
mod stream;
mod system;

pub(crate) use env::*;
pub(crate) use file::*;
pub(crate) use process::*;
pub(crate) use signal::*;
pub(crate) use stream::*;
pub(crate) use system::*;

use crate::io::{Error, ErrorKind};

/// Starts a program's main function.
pub fn start(main: fn(crate::Args) -> u32) -> ! {
    exit_process(main(crate::Args::from(arguments())))
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as Std;
        // Those without a kind of their own in std, by number.
        let kind = match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
            Some(rustix::io::Errno::SRCH) => ErrorKind::NoSuchProcess,
            Some(rustix::io::Errno::NOEXEC) => ErrorKind::BadProgram,
            Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => ErrorKind::TooMany,
            Some(rustix::io::Errno::NOTTY) => ErrorKind::Unsupported,
            _ => match error.kind() {
                Std::NotFound => ErrorKind::NotFound,
                Std::PermissionDenied => ErrorKind::PermissionDenied,
                Std::AlreadyExists => ErrorKind::AlreadyExists,
                Std::NotADirectory => ErrorKind::NotADirectory,
                Std::IsADirectory => ErrorKind::IsADirectory,
                Std::DirectoryNotEmpty => ErrorKind::DirectoryNotEmpty,
                Std::ReadOnlyFilesystem => ErrorKind::ReadOnlyFilesystem,
                Std::CrossesDevices => ErrorKind::CrossesDevices,
                Std::StorageFull => ErrorKind::StorageFull,
                Std::InvalidFilename => ErrorKind::InvalidFilename,
                Std::InvalidInput => ErrorKind::InvalidInput,
                Std::InvalidData => ErrorKind::InvalidData,
                Std::UnexpectedEof => ErrorKind::UnexpectedEof,
                Std::WriteZero => ErrorKind::WriteZero,
                Std::BrokenPipe => ErrorKind::BrokenPipe,
                Std::Interrupted => ErrorKind::Interrupted,
                Std::WouldBlock => ErrorKind::WouldBlock,
                Std::ResourceBusy | Std::ExecutableFileBusy => ErrorKind::ResourceBusy,
                Std::ArgumentListTooLong => ErrorKind::ArgumentListTooLong,
                Std::OutOfMemory => ErrorKind::OutOfMemory,
                Std::NotSeekable => ErrorKind::InvalidInput,
                Std::Unsupported => ErrorKind::Unsupported,
                _ => ErrorKind::Other,
            },
        };
        kind.into()
    }
}

impl From<rustix::io::Errno> for Error {
    fn from(error: rustix::io::Errno) -> Self {
        std::io::Error::from(error).into()
    }
}

impl From<nix::Error> for Error {
    fn from(error: nix::Error) -> Self {
        std::io::Error::from(error).into()
    }
}
