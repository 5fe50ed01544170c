//! Between what the servers say and what this library says.

use alloc::vec::Vec;

use abi::Fault;
use protocol::files::{kind, open};
use protocol::list::state;
use protocol::{Error, status};

use crate::fs::{DirEntry, FileKind, OpenOptions};
use crate::io::{ErrorKind, Result};
use crate::process::{ExitStatus, ProcessState, Signal};

/// What a server's refusal means.
pub(crate) const fn error_kind(error: Error) -> ErrorKind {
    match error {
        Error::NotFound => ErrorKind::NotFound,
        Error::Exists => ErrorKind::AlreadyExists,
        Error::NotDirectory => ErrorKind::NotADirectory,
        Error::IsDirectory => ErrorKind::IsADirectory,
        Error::NotEmpty => ErrorKind::DirectoryNotEmpty,
        Error::BadName | Error::BadArgument | Error::BadHandle => ErrorKind::InvalidInput,
        Error::ReadOnly => ErrorKind::ReadOnlyFilesystem,
        Error::NoSpace => ErrorKind::StorageFull,
        Error::TooManyOpen | Error::TooManyProcesses => ErrorKind::TooMany,
        Error::BrokenPipe => ErrorKind::BrokenPipe,
        Error::WouldBlock => ErrorKind::WouldBlock,
        Error::NotSupported => ErrorKind::Unsupported,
        Error::CrossDevice => ErrorKind::CrossesDevices,
        Error::PermissionDenied => ErrorKind::PermissionDenied,
        Error::NoMemory => ErrorKind::OutOfMemory,
        Error::NoProcess | Error::NoChild => ErrorKind::NoSuchProcess,
        Error::NotExecutable => ErrorKind::BadProgram,
        Error::Interrupted => ErrorKind::Interrupted,
        Error::TooLong => ErrorKind::InvalidFilename,
        Error::Busy => ErrorKind::ResourceBusy,
        Error::NotConnected | Error::Other => ErrorKind::Other,
    }
}

/// What it means that the kernel does not deliver a request.
pub(crate) const fn call_error_kind(error: abi::Error) -> ErrorKind {
    match error {
        // The program has no such server.
        abi::Error::NotFound | abi::Error::WrongKind => ErrorKind::Unsupported,
        abi::Error::NotPermitted => ErrorKind::PermissionDenied,
        abi::Error::NoMemory => ErrorKind::OutOfMemory,
        abi::Error::TooMany => ErrorKind::TooMany,
        abi::Error::RateLimited => ErrorKind::ResourceBusy,
        abi::Error::PeerGone => ErrorKind::BrokenPipe,
        _ => ErrorKind::Other,
    }
}

/// How to open a file, as the file server is told.
///
/// # Errors
/// `InvalidInput` for choices that make no sense: those that std refuses.
pub(crate) fn open_bits(options: OpenOptions) -> Result<u64> {
    let OpenOptions {
        read,
        write,
        append,
        truncate,
        create,
        create_new,
    } = options;
    let makes = truncate || create || create_new;
    let empties_what_it_appends_to = append && truncate && !create_new;
    if !(write || append || read && !makes) || empties_what_it_appends_to {
        return Err(ErrorKind::InvalidInput.into());
    }
    let bits = [
        (read, open::READ),
        (write || append, open::WRITE),
        (append, open::APPEND),
        // What has just been made is empty.
        (truncate && !create_new, open::TRUNCATE),
        (create && !create_new, open::CREATE),
        (create_new, open::CREATE_NEW),
    ];
    Ok(bits
        .iter()
        .filter(|(chosen, _)| *chosen)
        .map(|(_, bit)| bit)
        .sum())
}

/// The kind of a file; unknown ones count as devices.
pub(crate) const fn file_kind(number: u64) -> FileKind {
    match number {
        kind::FILE => FileKind::File,
        kind::DIRECTORY => FileKind::Directory,
        kind::PIPE => FileKind::Pipe,
        _ => FileKind::Device,
    }
}

/// Whether what begins with these bytes can be started: a program, or a script with its interpreter.
pub(crate) fn is_program(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF") || bytes.starts_with(b"#!")
}

/// Adds the entries of a directory as the file server sends them. Names that are no UTF-8 are left out, `.` and `..` too.
///
/// # Errors
/// `InvalidData` when one is cut off.
pub(crate) fn add_entries(mut bytes: &[u8], entries: &mut Vec<DirEntry>) -> Result<()> {
    while let Some((&[kind, low, high], rest)) = bytes.split_first_chunk() {
        let len = usize::from(u16::from_le_bytes([low, high]));
        let (name, rest) = rest.split_at_checked(len).ok_or(ErrorKind::InvalidData)?;
        bytes = rest;
        if let Ok(name) = core::str::from_utf8(name)
            && !matches!(name, "." | "..")
        {
            entries.push(DirEntry {
                name: name.into(),
                kind: file_kind(kind.into()),
            });
        }
    }
    if bytes.is_empty() {
        Ok(())
    } else {
        Err(ErrorKind::InvalidData.into())
    }
}

/// What became of a process.
pub(crate) fn exit_status(word: u64) -> ExitStatus {
    let number = word as u32;
    match word - u64::from(number) {
        0 => ExitStatus::Exited(number),
        status::STOPPED => ExitStatus::Stopped,
        status::SIGNALLED => ExitStatus::Killed(Signal::from_number(number).unwrap_or(Signal::Other)),
        status::FAULTED => ExitStatus::Killed(fault_signal(number)),
        _ => ExitStatus::Killed(Signal::Other),
    }
}

/// The signal that stands for a fault.
fn fault_signal(number: u32) -> Signal {
    match Fault::ALL.iter().find(|&&fault| fault as u32 == number) {
        Some(Fault::IllegalInstruction) => Signal::IllegalInstruction,
        Some(
            Fault::BadRead | Fault::BadWrite | Fault::BadJump | Fault::StackOverflow | Fault::Protection,
        ) => Signal::MemoryFault,
        _ => Signal::Other,
    }
}

/// What a process of the list is doing.
pub(crate) const fn process_state(number: u64) -> ProcessState {
    match number {
        state::RUNNING => ProcessState::Running,
        state::STOPPED => ProcessState::Stopped,
        state::ENDED => ProcessState::Ended,
        _ => ProcessState::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errors_say_the_same_on_both_sides() {
        let others = [
            (Error::BadName, "invalid argument"),
            (Error::NoSpace, "no space left on device"),
            (Error::TooManyOpen, "too many open files or processes"),
            (Error::WouldBlock, "resource temporarily unavailable"),
            (Error::CrossDevice, "invalid cross-device link"),
            (Error::BadHandle, "invalid argument"),
            (Error::NotConnected, "input/output error"),
            (Error::TooManyProcesses, "too many open files or processes"),
            (Error::NotExecutable, "exec format error"),
            (Error::NoChild, "no such process"),
            (Error::TooLong, "file name too long"),
            (Error::Busy, "device or resource busy"),
            (Error::Other, "input/output error"),
        ];
        for label in 1..=Error::Other as u32 {
            let error = Error::from_label(label);
            assert_eq!(error as u32, label);
            let own = error.to_string();
            let expected = others
                .iter()
                .find(|(other, _)| *other == error)
                .map_or(own.as_str(), |(_, text)| text);
            assert_eq!(error_kind(error).to_string(), expected);
        }
    }

    #[test]
    fn a_missing_server_is_no_missing_file() {
        for error in abi::Error::ALL {
            assert_ne!(call_error_kind(*error), ErrorKind::NotFound);
        }
        assert_eq!(call_error_kind(abi::Error::NotFound), ErrorKind::Unsupported);
        assert_eq!(
            call_error_kind(abi::Error::NotPermitted),
            ErrorKind::PermissionDenied
        );
    }

    #[test]
    fn states_are_told_as_they_are() {
        assert_eq!(process_state(state::RUNNING), ProcessState::Running);
        assert_eq!(process_state(state::WAITING), ProcessState::Waiting);
        assert_eq!(process_state(state::STOPPED), ProcessState::Stopped);
        assert_eq!(process_state(state::ENDED), ProcessState::Ended);
    }

    #[test]
    fn programs_and_scripts_can_be_started() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(is_program(&own[..4]));
        assert!(is_program(b"#!/b"));
        assert!(!is_program(b"# !"));
        assert!(!is_program(b"\x7fEL"));
        assert!(!is_program(b""));
    }

    #[test]
    fn std_refuses_the_same_choices() {
        let place = tempfile::tempdir().unwrap();
        for bits in 0..64_u32 {
            let chosen = |bit: u32| bits & 1 << bit != 0;
            let options = OpenOptions {
                read: chosen(0),
                write: chosen(1),
                append: chosen(2),
                truncate: chosen(3),
                create: chosen(4),
                create_new: chosen(5),
            };
            // With `create_new` it must not be there, without it, it is there.
            let path = place.path().join(bits.to_string());
            if !options.create_new {
                std::fs::write(&path, "").unwrap();
            }
            let std = options.open(path.to_str().unwrap());
            assert_eq!(open_bits(options).is_ok(), std.is_ok(), "{options:?}");
        }
    }

    #[test]
    fn options_become_bits() {
        let mut options = OpenOptions::new();
        assert_eq!(open_bits(*options.read(true)), Ok(open::READ));
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        assert_eq!(open_bits(options), Ok(open::WRITE | open::APPEND | open::CREATE));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        assert_eq!(
            open_bits(options),
            Ok(open::WRITE | open::CREATE | open::TRUNCATE)
        );
        options.create_new(true);
        assert_eq!(open_bits(options), Ok(open::WRITE | open::CREATE_NEW));
    }

    #[test]
    fn an_end_is_told_as_it_was() {
        use protocol::process::signal;
        assert_eq!(exit_status(0), ExitStatus::Exited(0));
        assert_eq!(exit_status(0xffff_ffff), ExitStatus::Exited(u32::MAX));
        let by = |number| exit_status(status::SIGNALLED + number);
        assert_eq!(by(signal::INTERRUPT), ExitStatus::Killed(Signal::Interrupt));
        assert_eq!(by(signal::KILL), ExitStatus::Killed(Signal::Kill));
        assert_eq!(by(signal::TERMINATE), ExitStatus::Killed(Signal::Terminate));
        assert_eq!(by(77), ExitStatus::Killed(Signal::Other));
        let fault = |fault| exit_status(status::FAULTED + fault as u64);
        assert_eq!(fault(Fault::BadWrite), ExitStatus::Killed(Signal::MemoryFault));
        assert_eq!(
            fault(Fault::IllegalInstruction),
            ExitStatus::Killed(Signal::IllegalInstruction)
        );
        assert_eq!(fault(Fault::Breakpoint), ExitStatus::Killed(Signal::Other));
        assert_eq!(exit_status(status::STOPPED), ExitStatus::Stopped);
        assert_eq!(exit_status(status::STOPPED + signal::STOP), ExitStatus::Stopped);
        assert_eq!(exit_status(u64::MAX), ExitStatus::Killed(Signal::Other));
    }

    #[test]
    fn signals_have_the_numbers_of_the_protocol() {
        use protocol::process::signal;
        for (signal, number) in [
            (Signal::Interrupt, signal::INTERRUPT),
            (Signal::Kill, signal::KILL),
            (Signal::Terminate, signal::TERMINATE),
            (Signal::Continue, signal::CONTINUE),
            (Signal::Stop, signal::STOP),
        ] {
            assert_eq!(u64::from(signal.number()), number);
        }
    }

    proptest! {
        #[test]
        fn entries_are_read_as_they_were_written(names in prop::collection::vec("[^/\0.]{1,9}", 0..6), cut in 1_usize..9) {
            let mut bytes = Vec::new();
            for name in ["..", "."].into_iter().chain(names.iter().map(String::as_str)) {
                bytes.push(kind::DIRECTORY as u8);
                bytes.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
                bytes.extend_from_slice(name.as_bytes());
            }
            let mut entries = Vec::new();
            prop_assert_eq!(add_entries(&bytes, &mut entries), Ok(()));
            let read: Vec<_> = entries.iter().map(|entry| &entry.name).collect();
            prop_assert_eq!(read, names.iter().collect::<Vec<_>>());
            prop_assert!(entries.iter().all(|entry| entry.kind == FileKind::Directory));

            // A cut at the end of an entry is none.
            let last = names.last().map_or(".", String::as_str).len() + 3;
            if cut < last {
                prop_assert!(add_entries(&bytes[..bytes.len() - cut], &mut Vec::new()).is_err());
            }
        }

        #[test]
        fn any_bytes_can_be_entries(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = add_entries(&bytes, &mut Vec::new());
        }
    }
}
