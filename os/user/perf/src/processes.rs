//! What happens between two programs. The other one is this program too, in a role.

use abi::Tag;
use abi::start::kind;
use perf::Measured;
use rt::alloc::format;
use rt::alloc::vec;
use rt::alloc::vec::Vec;
use rt::channel::{Receiver, Sender, channel};
use rt::io::{ErrorKind, Read, Result, Write};
use rt::objects::{INHERITED, Memory};
use rt::process::{Command, Stdio, pipe};
use syscall::FOREVER;

use crate::measure::{LIMIT_MESSAGE, each, failed, now, pin};

/// Argument that gives this program a role.
pub(crate) const ROLE: &str = "--role=";

/// What is sent at a time through pipes and channels, and how often, in bytes.
const PIECE: usize = 4 << 10;
const PIECES: usize = 256;

/// What is said of them: how long so many pieces take.
const PIECES_OF_RESULT: u64 = 16;

/// Does what a role is. Returns the exit code.
pub(crate) fn role(name: &str) -> u32 {
    let done = match name {
        "end" => Ok(()),
        "call" => call(),
        "send" => send(),
        "write" => write(),
        _ => Err(ErrorKind::InvalidInput.into()),
    };
    match done {
        Ok(()) => 0,
        Err(error) => {
            rt::eprintln!("perf: {name}: {error}");
            1
        }
    }
}

/// This program in a role.
fn other(role: &str) -> Command {
    let program = rt::env::current_exe().unwrap_or_else(|_| "/bin/perf".into());
    let mut command = Command::new(program);
    command.arg(format!("{ROLE}{role}"));
    command
}

/// Calls whoever started this until that one has enough.
fn call() -> Result<()> {
    pin(protocol::slot::THREAD)?;
    while syscall::call(INHERITED, 0, 1, 2, 3, 4).is_ok_and(|reply| reply.tag == Tag(0)) {}
    Ok(())
}

/// Calls from one address space to another.
pub(crate) fn messages(results: &mut Vec<Measured>) -> Result<()> {
    let memory = Memory::new(64 << 10)?;
    let endpoint = memory.make(kind::ENDPOINT, 0)?;
    let at = endpoint.number();
    let mut child = other("call").capability(at).spawn()?;
    syscall::receive(at, FOREVER).map_err(failed)?;
    let value = each(2000, || {
        syscall::reply_receive(at, 0, 4, 3, 2, 1).map_err(failed)?;
        Ok(())
    });
    syscall::reply(0, Tag::new(1).0, 0, 0, 0, 0).map_err(failed)?;
    child.wait()?;
    results.push(Measured {
        name: "message-two-spaces",
        value: value?,
        limit: Some(LIMIT_MESSAGE),
    });
    Ok(())
}

/// Programs that only end.
pub(crate) fn spawn_and_exit(results: &mut Vec<Measured>) -> Result<()> {
    let value = each(20, || match other("end").status()?.success() {
        true => Ok(()),
        false => Err(ErrorKind::Other.into()),
    })?;
    results.push(Measured {
        name: "spawn-exit",
        value,
        limit: None,
    });
    Ok(())
}

/// Sends pieces through the channel that this program was started with.
fn send() -> Result<()> {
    let mut sender = Sender::inherited(0)?;
    let bytes = vec![7; PIECE];
    for _ in 0..PIECES {
        sender.send(&bytes)?;
    }
    Ok(())
}

/// Bytes from another program through memory that both share.
pub(crate) fn channels(results: &mut Vec<Measured>) -> Result<()> {
    let (sender, mut receiver) = channel()?;
    let mut child = other("send").channel(sender).spawn()?;
    let mut buffer = vec![0; PIECE];
    let value = transfer(|| receive(&mut receiver, &mut buffer));
    child.wait()?;
    results.push(Measured {
        name: "channel-64-kib",
        value: value?,
        limit: None,
    });
    Ok(())
}

fn receive(receiver: &mut Receiver, buffer: &mut [u8]) -> Result<usize> {
    receiver.receive(buffer).map(|len| len.unwrap_or(0))
}

/// Writes pieces to standard output.
fn write() -> Result<()> {
    let bytes = vec![7; PIECE];
    let mut output = rt::io::stdout();
    for _ in 0..PIECES {
        output.write_all(&bytes)?;
    }
    output.flush()
}

/// Bytes from another program through a pipe of the file server.
pub(crate) fn pipes(results: &mut Vec<Measured>) -> Result<()> {
    let (mut reader, writer) = pipe()?;
    let mut child = other("write").stdout(Stdio::File(writer)).spawn()?;
    let mut buffer = vec![0; PIECE];
    let value = transfer(|| reader.read(&mut buffer));
    child.wait()?;
    results.push(Measured {
        name: "pipe-64-kib",
        value: value?,
        limit: None,
    });
    Ok(())
}

/// Reads all that comes. Returns how long the pieces of a result took, on the average, from the first byte on.
fn transfer(mut read: impl FnMut() -> Result<usize>) -> Result<u64> {
    let first = read()?;
    let start = now();
    let mut more = 0;
    loop {
        match read()? {
            0 => break,
            len => more += len,
        }
    }
    if first + more != PIECE * PIECES {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let wanted = PIECES_OF_RESULT * PIECE as u64;
    Ok(u64::try_from(u128::from(now() - start) * u128::from(wanted) / more as u128).unwrap_or(u64::MAX))
}
