//! What the clients do. Each part ends with 0, or the line of what is wrong.

use abi::Tag;
use abi::start::slot as start_slot;
use protocol::files::{self, kind, open as how};
use protocol::{Error, IO_SIZE, slot};

use crate::client::{
    Answer, ask, ask_at, ask_of, close, connect, connect_to, connect_with, got, open, put, read, write,
};

/// Messages to the parent. Word 0: a handle, word 1: the process that gets one for the same file.
pub(crate) const TO_PASS_ON: u32 = 200;
/// The next thing that the client does is to wait for the file server.
pub(crate) const TELL_READY: u32 = 201;

/// Bytes that go through the pipe: more than it holds.
const THROUGH: usize = 300_000;

/// A part, as the argument of the program: its number, and a handle or process times 256.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// Uses every request.
    Alone = 1,
    /// Makes a pipe, passes the writing end on, and reads until it is closed.
    Reader,
    /// Writes into the pipe.
    Writer,
    /// Waits at a pipe for ever.
    Waiter,
    /// Has the other end of that.
    Survivor,
    /// Takes its buffer back, as far as it can.
    Traitor,
    /// Uses the console: somebody has to type.
    Typist,
}

/// What is wrong, by line.
type Checked = Result<(), u32>;

/// Ends the part when an answer is not the expected one.
macro_rules! check {
    ($answer:expr, $expected:pat) => {
        match $answer {
            $expected => {}
            other => {
                rt::println!(
                    "files-suite: line {}: {:?} instead of {}",
                    line!(),
                    other,
                    stringify!($expected)
                );
                return Err(line!());
            }
        }
    };
}

/// The answer, which has to be a good one.
macro_rules! good {
    ($answer:expr) => {
        match $answer {
            Ok(value) => value,
            Err(error) => {
                rt::println!("files-suite: line {}: {}", line!(), error);
                return Err(line!());
            }
        }
    };
}

/// Runs the part that the argument tells.
pub(crate) fn run(argument: u64) -> u32 {
    let other = argument >> 8;
    let checked = match argument % 256 {
        number if number == Part::Alone as u64 => alone(),
        number if number == Part::Reader as u64 => reader(other),
        number if number == Part::Writer as u64 => writer(other),
        number if number == Part::Waiter as u64 => waiter(other),
        number if number == Part::Survivor as u64 => survivor(other),
        number if number == Part::Traitor as u64 => traitor(),
        number if number == Part::Typist as u64 => typist(),
        _ => Err(line!()),
    };
    checked.err().unwrap_or(0)
}

fn tell(label: u32, first: u64, second: u64) -> Checked {
    let reply = syscall::call(start_slot::PARENT, Tag::new(label).0, first, second, 0, 0);
    check!(reply.map(|reply| reply.tag.label()), Ok(protocol::OK));
    Ok(())
}

fn alone() -> Checked {
    check!(ask(files::PIPE, [0; 3]), Err(Error::NotConnected));
    // The process server alone gives buffers.
    for capability in [slot::FILES, slot::IO] {
        check!(connect_with(capability), Err(Error::PermissionDenied));
    }
    check!(ask(files::CONNECT, [1, 0, 0]), Err(Error::PermissionDenied));
    check!(ask(files::PROCESSES, [0; 3]), Err(Error::PermissionDenied));
    good!(connect());
    good!(connect());
    listing()?;
    contents()?;
    names()?;
    devices()?;
    own_pipe()?;
    check!(ask(files::GONE, [1, 0, 0]), Err(Error::PermissionDenied));
    check!(ask(files::PASS_ON, [0, 1, 1]), Err(Error::PermissionDenied));
    check!(ask(files::READ, [999, 10, 0]), Err(Error::BadHandle));
    check!(ask(files::OPEN, [u64::MAX, 1, 0]), Err(Error::TooLong));
    check!(ask(files::SIZE, [0; 3]), Err(Error::NotSupported));
    check!(ask_of(files::STATUS_OF_PATH, "tmp", 0), Err(Error::BadName));
    Ok(())
}

/// Whether a directory has a name of a kind.
fn has(path: &str, wanted: &str, wanted_kind: u64) -> Answer<bool> {
    let (handle, _) = open(path, how::DIRECTORY)?;
    let (mut found, mut cursor) = (false, 0);
    loop {
        let [len, next, ..] = ask(files::READ_DIRECTORY, [handle, cursor, 0])?;
        if len == 0 {
            break;
        }
        cursor = next;
        let mut rest = got(len);
        while let [kind, low, high, behind @ ..] = rest {
            let len = usize::from(u16::from_le_bytes([*low, *high]));
            let name = behind.get(..len).ok_or(Error::Other)?;
            found |= name == wanted.as_bytes() && u64::from(*kind) == wanted_kind;
            rest = &behind[len..];
        }
    }
    close(handle)?;
    Ok(found)
}

fn listing() -> Checked {
    for name in ["bin", "dev", "etc", "home", "proc", "tmp"] {
        check!(has("/", name, kind::DIRECTORY), Ok(true));
    }
    check!(has("/bin", "files", kind::FILE), Ok(true));
    check!(has("/dev", "console", kind::DEVICE), Ok(true));
    check!(has("/proc", "uptime", kind::FILE), Ok(true));
    check!(has("/tmp", "files", kind::FILE), Ok(false));
    check!(open("/bin/files", how::DIRECTORY), Err(Error::NotDirectory));
    Ok(())
}

fn contents() -> Checked {
    let (program, _) = good!(open("/bin/files", how::READ));
    check!(good!(read(program)).get(..4), Some(b"\x7fELF"));
    check!(
        ask(files::STATUS, [program, 0, 0]),
        Ok([kind::FILE, 4096..=0x7fff_ffff, _, _])
    );
    good!(close(program));
    check!(read(program), Err(Error::BadHandle));
    for (path, begin) in [
        ("/proc/meminfo", "MemTotal:"),
        ("/proc/cpuinfo", "processor"),
        ("/proc/version", "Veridian"),
    ] {
        let (file, _) = good!(open(path, how::READ));
        let text = good!(read(file));
        if !text.starts_with(begin.as_bytes()) {
            rt::println!("files-suite: {path} is {:?}", core::str::from_utf8(text));
            return Err(line!());
        }
        good!(close(file));
    }
    let (file, _) = good!(open("/tmp/a", how::READ | how::WRITE | how::CREATE));
    good!(write(file, b"twelve bytes"));
    check!(ask(files::SEEK, [file, (-5_i64).cast_unsigned(), 2]), Ok([7, ..]));
    check!(read(file), Ok(b"bytes"));
    check!(read(file), Ok(b""));
    let [copy, ..] = good!(ask(files::DUPLICATE, [file, 0, 0]));
    good!(ask(files::TRUNCATE, [copy, 6, 0]));
    good!(close(copy));
    check!(ask(files::STATUS, [file, 0, 0]), Ok([kind::FILE, 6, _, _]));
    check!(ask(files::SEEK, [file, 0, 0]), Ok([0, ..]));
    check!(read(file), Ok(b"twelve"));
    good!(close(file));
    // More than a buffer holds.
    let (large, _) = good!(open("/tmp/large", how::READ | how::WRITE | how::CREATE_NEW));
    for byte in 0..20 {
        good!(write(large, &[byte; 5000]));
    }
    check!(ask(files::SEEK, [large, 0, 0]), Ok([0, ..]));
    let mut at = 0_usize;
    loop {
        let bytes = good!(read(large));
        if bytes.is_empty() {
            break;
        }
        if let Some(wrong) = bytes
            .iter()
            .enumerate()
            .position(|(index, &byte)| usize::from(byte) != (at + index) / 5000)
        {
            rt::println!("files-suite: byte {} is wrong", at + wrong);
            return Err(line!());
        }
        at += bytes.len();
    }
    check!(at, 100_000);
    good!(close(large));
    Ok(())
}

fn names() -> Checked {
    good!(ask_of(files::CREATE_DIRECTORY, "/home/d", 0));
    check!(ask_of(files::CREATE_DIRECTORY, "/home/d", 0), Err(Error::Exists));
    put(b"/tmp/a/home/d/b");
    good!(ask(files::RENAME, [6, 9, 0]));
    check!(
        ask_of(files::STATUS_OF_PATH, "/home/d/b", 0),
        Ok([kind::FILE, 6, _, _])
    );
    check!(
        ask_of(files::REMOVE_DIRECTORY, "/home/d", 0),
        Err(Error::NotEmpty)
    );
    good!(ask_of(files::REMOVE_FILE, "/home/d/b", 0));
    good!(ask_of(files::REMOVE_FILE, "/tmp/large", 0));
    good!(ask_of(files::REMOVE_DIRECTORY, "/home/d", 0));
    check!(ask_of(files::STATUS_OF_PATH, "/home/d", 0), Err(Error::NotFound));
    check!(open("/bin/new", how::WRITE | how::CREATE), Err(Error::ReadOnly));
    Ok(())
}

fn devices() -> Checked {
    check!(
        open("/dev/console", how::READ | how::WRITE),
        Ok((_, kind::CONSOLE))
    );
    let (zero, zero_kind) = good!(open("/dev/zero", how::READ | how::WRITE));
    check!(zero_kind, kind::DEVICE);
    put(&[1; 32]);
    check!(ask(files::READ, [zero, 32, 0]), Ok([32, ..]));
    check!(got(32) == [0; 32], true);
    good!(close(zero));
    Ok(())
}

fn own_pipe() -> Checked {
    let [reader, writer, ..] = good!(ask(files::PIPE, [0; 3]));
    good!(write(writer, b"through"));
    check!(ask(files::STATUS, [reader, 0, 0]), Ok([kind::PIPE, 7, _, _]));
    check!(read(reader), Ok(b"through"));
    good!(close(writer));
    check!(read(reader), Ok(b""));
    good!(close(reader));
    Ok(())
}

/// The byte of the pipe at a position.
const fn pattern(at: usize) -> u8 {
    (at * 7 + at / 1000) as u8
}

fn reader(other: u64) -> Checked {
    good!(connect());
    let [reader, writer, ..] = good!(ask(files::PIPE, [0; 3]));
    tell(TO_PASS_ON, writer, other)?;
    good!(close(writer));
    let mut at = 0;
    loop {
        let bytes = good!(read(reader));
        if bytes.is_empty() {
            break;
        }
        if bytes
            .iter()
            .enumerate()
            .any(|(index, &byte)| byte != pattern(at + index))
        {
            return Err(line!());
        }
        at += bytes.len();
    }
    check!(at, THROUGH);
    Ok(())
}

fn writer(handle: u64) -> Checked {
    good!(connect());
    let mut bytes = [0; 10_000];
    for at in (0..THROUGH).step_by(bytes.len()) {
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = pattern(at + index);
        }
        good!(write(handle, &bytes));
    }
    // Not closed: that this program ends is enough.
    Ok(())
}

fn waiter(other: u64) -> Checked {
    good!(connect());
    let [reader, writer, ..] = good!(ask(files::PIPE, [0; 3]));
    tell(TO_PASS_ON, writer, other)?;
    good!(close(writer));
    tell(TELL_READY, 0, 0)?;
    let _never = read(reader);
    Err(line!())
}

fn survivor(handle: u64) -> Checked {
    good!(connect());
    check!(write(handle, b"nobody"), Err(Error::BrokenPipe));
    Ok(())
}

fn traitor() -> Checked {
    good!(connect());
    let (file, _) = good!(open("/tmp/t", how::WRITE | how::CREATE));
    put(b"again");
    // Neither of them concerns the server's own mapping.
    check!(syscall::capability_revoke(0, slot::IO), Ok(_));
    check!(ask(files::WRITE, [file, IO_SIZE, 0]), Ok([IO_SIZE, ..]));
    check!(syscall::unmap(0, slot::IO), Ok(_));
    check!(syscall::capability_delete(0, slot::IO), Ok(_));
    check!(ask(files::WRITE, [file, IO_SIZE, 0]), Ok([IO_SIZE, ..]));
    check!(ask(files::STATUS, [file, 0, 0]), Ok([kind::FILE, 32_768, ..]));
    // A call that has run out of time is answered into a buffer that its client has dropped.
    let [reader, writer, ..] = good!(ask(files::PIPE, [0; 3]));
    let tag = Tag::new(files::READ).0;
    check!(
        syscall::call_timeout(slot::FILES, tag, reader, 100, 0, 1_000_000),
        Err(abi::Error::TimedOut)
    );
    check!(ask(files::WRITE, [writer, 100, 0]), Ok([100, ..]));
    Ok(())
}

/// Somebody types `hello`, wrong at first, and a return; then `x`; then the end of the file.
fn typist() -> Checked {
    check!(
        ask_at(slot::CONSOLE, files::SIZE, [0; 3]),
        Err(Error::NotConnected)
    );
    good!(connect_to(2));
    let show = |text: &str| ask_at(slot::CONSOLE, files::WRITE, [0, put(text.as_bytes()), 0]);
    check!(ask_at(slot::CONSOLE, files::SIZE, [0; 3]), Ok([24, 80, ..]));
    check!(show("line> "), Ok([6, ..]));
    let [len, ..] = good!(ask_at(slot::CONSOLE, files::READ, [0, 100, 0]));
    check!(got(len), b"hello\n");
    check!(ask_at(slot::CONSOLE, files::SET_MODE, [1, 0, 0]), Ok([0, ..]));
    check!(show("byte> \n"), Ok([7, ..]));
    let [len, ..] = good!(ask_at(slot::CONSOLE, files::READ, [0, 100, 0]));
    check!(got(len), b"x");
    check!(ask_at(slot::CONSOLE, files::SET_MODE, [0, 0, 0]), Ok([1, ..]));
    check!(show("end> "), Ok([5, ..]));
    check!(ask_at(slot::CONSOLE, files::READ, [0, 100, 0]), Ok([0, ..]));
    check!(ask_at(slot::CONSOLE, files::CLOSE, [0; 3]), Ok(_));
    Ok(())
}
