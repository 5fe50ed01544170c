//! Does to the servers what a program can do: takes its buffer back where it has its capability, lets calls run out of time,
//! and asks for nonsense. With the argument `flood` it sends more than it may. Ends with 0 when each answer was as it should
//! be; whether the servers live on, others see.
#![no_std]
#![no_main]

use abi::Tag;
use protocol::{Error, IO_SIZE, OK, files, names, process, slot};

rt::main!(attack);

/// A millisecond, in nanoseconds.
const SHORT: u64 = 1_000_000;

/// What went wrong, by line.
type Checked = Result<(), u32>;

/// Ends the attack when an answer is not the expected one.
macro_rules! check {
    ($answer:expr, $expected:pat) => {
        match $answer {
            $expected => {}
            _ => return Err(line!()),
        }
    };
}

fn attack(mut args: rt::Args) -> u32 {
    let checked = match args.nth(1).as_deref() {
        Some("flood") => flood(),
        _ => all(),
    };
    // Exit codes have more bits than a shell shows.
    checked.err().map_or(0, |line| line % 255 + 1)
}

fn all() -> Checked {
    dropped_buffer()
        .and_then(|()| late_answers())
        .and_then(|()| nonsense())
        .and_then(|()| impostor())
        .and_then(|()| registry())
        .and_then(|()| withdrawn())
}

fn ask(server: u64, label: u32, [a, b, c]: [u64; 3]) -> Result<[u64; 4], Error> {
    let reply = syscall::call(server, Tag::new(label).0, a, b, c, 0).map_err(|_| Error::Other)?;
    match reply.tag.label() {
        OK => Ok(reply.words),
        label => Err(Error::from_label(label)),
    }
}

/// Takes the buffer back, in each way there is, and has the servers use it.
fn dropped_buffer() -> Checked {
    for server in [1, 2] {
        check!(ask(slot::PROCESS, process::CONNECT, [server, 0, 0]), Ok(_));
    }
    check!(
        ask(slot::PROCESS, process::CONNECT, [4, 0, 0]),
        Err(Error::BadArgument)
    );
    check!(syscall::capability_revoke(0, slot::IO), Ok(_));
    check!(syscall::unmap(0, slot::IO), Ok(_));
    check!(syscall::capability_delete(0, slot::IO), Ok(_));
    let Ok([reader, writer, ..]) = ask(slot::FILES, files::PIPE, [0; 3]) else {
        return Err(line!());
    };
    check!(ask(slot::FILES, files::WRITE, [writer, 4096, 0]), Ok([4096, ..]));
    check!(
        ask(slot::FILES, files::READ, [reader, IO_SIZE, 0]),
        Ok([4096, ..])
    );
    check!(
        ask(slot::CONSOLE, files::SIZE, [0; 3]),
        Ok([1..=1000, 1..=1000, ..])
    );
    check!(ask(slot::PROCESS, process::LIST, [0; 3]), Ok([2..=4096, ..]));
    // Whatever the path is that lies there: no such file.
    check!(ask(slot::FILES, files::OPEN, [1, files::open::READ, 0]), Err(_));
    Ok(())
}

/// Lets calls run out of time, so that servers answer nobody.
fn late_answers() -> Checked {
    let Ok([reader, writer, ..]) = ask(slot::FILES, files::PIPE, [0; 3]) else {
        return Err(line!());
    };
    for _ in 0..5 {
        let late = syscall::call_timeout(slot::FILES, Tag::new(files::READ).0, reader, 8, 0, SHORT);
        check!(late.map(|_| ()), Err(abi::Error::TimedOut) | Ok(()));
        check!(ask(slot::FILES, files::WRITE, [writer, 8, 0]), Ok(_));
    }
    let tag = Tag::new(files::READ).0;
    let late = syscall::call_timeout(slot::CONSOLE, tag, 0, 8, 0, SHORT);
    check!(late.map(|_| ()), Err(abi::Error::TimedOut));
    let tag = Tag::new(process::LIST).0;
    for timeout in [0, 1, 1000, 10_000, 50_000] {
        // In time or not.
        let _ = syscall::call_timeout(slot::PROCESS, tag, 0, 0, 0, timeout);
    }
    Ok(())
}

/// Asks for what nobody has.
fn nonsense() -> Checked {
    let words = [[0, u64::MAX, 1], [1, IO_SIZE + 1, u64::MAX], [u64::MAX, 1, 0]];
    for server in [slot::FILES, slot::CONSOLE] {
        // What the console is written to would be seen.
        for label in (30..70).filter(|&label| server == slot::FILES || label != files::WRITE) {
            for [first, second, third] in words {
                let _ = syscall::call_timeout(server, Tag::new(label).0, first, second, third, SHORT);
            }
        }
        // Nobody waits for an answer to these.
        for label in [
            files::OPEN,
            files::READ,
            files::CONNECT,
            files::GONE,
            files::PROCESSES,
        ] {
            let _ = syscall::send(server, Tag::new(label).0, 1, 1, 1, 0);
        }
    }
    check!(ask(slot::CONSOLE, files::SET_MODE, [0; 3]), Ok(_));
    check!(
        ask(slot::PROCESS, process::GROW, [u64::MAX, 0, 0]),
        Err(Error::BadArgument)
    );
    check!(
        ask(slot::PROCESS, process::GROW, [1 << 40, 0, 0]),
        Err(Error::NoMemory)
    );
    for len in [0, 8, 104, IO_SIZE, IO_SIZE + 1, u64::MAX] {
        check!(ask(slot::PROCESS, process::SPAWN, [len, 1, 0]), Err(_));
    }
    check!(
        ask(slot::PROCESS, process::LIST, [u64::MAX - 1, 0, 0]),
        Ok([0, ..])
    );
    check!(ask(slot::PROCESS, process::WAIT, [0, 1, 0]), Err(Error::NoChild));
    check!(
        ask(slot::PROCESS, process::KILL, [u64::MAX, 0, 9]),
        Err(Error::NoProcess)
    );
    check!(
        ask(slot::PROCESS, process::KILL, [1, 0, 9]),
        Err(Error::PermissionDenied)
    );
    check!(
        ask(slot::PROCESS, process::NEWS, [0; 3]),
        Err(Error::PermissionDenied)
    );
    check!(ask(slot::PROCESS, 99, [0; 3]), Err(Error::NotSupported));
    Ok(())
}

/// Says what only the process server may say, with capabilities of its own.
fn impostor() -> Checked {
    for server in [slot::FILES, slot::CONSOLE] {
        for label in [files::CONNECT, files::GONE, files::PROCESSES, files::PASS_ON] {
            for given in [slot::FILES, slot::SPACE, slot::THREAD] {
                let tag = Tag::new(label).with_capability().0;
                let reply = syscall::call(server, tag, 1, 1, 1, given);
                // A capability that may not be passed on is refused by the kernel.
                if let Ok(reply) = reply {
                    check!(reply.tag.label(), 1..);
                }
            }
        }
    }
    Ok(())
}

/// Asks the registry for nonsense, for what it may not have, and for more than it may.
fn registry() -> Checked {
    const REGISTRY: u64 = 3;
    for _ in 0..3 {
        check!(ask(slot::PROCESS, process::CONNECT, [REGISTRY, 0, 0]), Ok(_));
    }
    check!(
        ask(slot::PROCESS, process::ENDPOINT, [slot::OWN, 0, 0]),
        Err(Error::PermissionDenied)
    );
    let name = names::Name::new("hostile").map(|name| name.words());
    let Some(name @ [first, second, third]) = name else {
        return Err(line!());
    };
    for given in [slot::FILES, slot::NAMES, slot::SPACE, slot::THREAD] {
        let tag = Tag::new(names::REGISTER).with_capability().0;
        let Ok(reply) = syscall::call(slot::NAMES, tag, first, second, third, given) else {
            return Err(line!());
        };
        check!(Error::from_label(reply.tag.label()), Error::PermissionDenied);
    }
    check!(ask(slot::NAMES, names::REGISTER, name), Err(Error::BadArgument));
    check!(ask(slot::NAMES, names::WITHDRAW, name), Err(Error::NotFound));
    check!(ask(slot::NAMES, names::ALLOW, name), Err(Error::PermissionDenied));
    check!(
        ask(slot::NAMES, names::GONE, [1, 0, 0]),
        Err(Error::PermissionDenied)
    );
    check!(
        ask(slot::NAMES, names::LIST, [u64::MAX, 0, 0]),
        Err(Error::NotFound)
    );
    for words in [[0; 3], [u64::MAX; 3], [b'a'.into(), 0, 1], [0x2f61, 0, 0]] {
        check!(ask(slot::NAMES, names::LOOK_UP, words), Err(Error::BadName));
    }
    for label in (0..120).filter(|&label| label != names::WAIT_FOR) {
        let _ = ask(slot::NAMES, label, [u64::MAX, 1, 0]);
        let _ = syscall::send(slot::NAMES, Tag::new(label).0, 1, 1, 1, 1);
    }
    // More than may wait, nobody in time.
    let tag = Tag::new(names::WAIT_FOR).0;
    for _ in 0..80 {
        let late = syscall::call_timeout(slot::NAMES, tag, first, second, third, SHORT / 100);
        check!(late.map(|_| ()), Err(abi::Error::TimedOut));
    }
    let _ = syscall::send(slot::NAMES, tag, first, second, third, 0);
    check!(ask(slot::NAMES, names::LOOK_UP, name), Err(Error::NotFound));
    // The process server gives it once.
    check!(syscall::capability_delete(0, slot::NAMES), Ok(_));
    check!(ask(slot::PROCESS, process::CONNECT, [REGISTRY, 0, 0]), Ok(_));
    check!(ask(slot::NAMES, names::LIST, [0; 3]), Err(Error::Other));
    Ok(())
}

/// Sends more than it may, without waiting for answers, until each server has refused often; then the servers take what it
/// asks for again.
fn flood() -> Checked {
    /// How many refusals of each server are enough.
    const REFUSALS: u32 = 1000;
    /// How long each is flooded at most, in nanoseconds.
    const LONGEST: u64 = 5_000_000_000;
    const SECOND: u64 = 1_000_000_000;
    /// What servers allow, in messages a second, and as many at once.
    const ORDINARY: u64 = 50_000;
    const REGISTRY: u64 = 1000;
    check!(ask(slot::PROCESS, process::CONNECT, [1, 0, 0]), Ok(_));
    check!(ask(slot::PROCESS, process::CONNECT, [3, 0, 0]), Ok(_));
    for (server, allowed) in [
        (slot::FILES, ORDINARY),
        (slot::CONSOLE, ORDINARY),
        (slot::PROCESS, ORDINARY),
        (slot::NAMES, REGISTRY),
    ] {
        let start = syscall::clock().unwrap_or(0);
        let (mut accepted, mut refusals, mut elapsed) = (0, 0, 0);
        while refusals < REFUSALS && elapsed < LONGEST {
            // Nothing that any of them knows. Where it does not wait, this does not wait for it.
            match syscall::call_timeout(server, Tag::new(9999).0, 0, 0, 0, 0) {
                Err(abi::Error::RateLimited) => refusals += 1,
                _ => accepted += 1,
            }
            elapsed = syscall::clock().unwrap_or(u64::MAX).saturating_sub(start);
        }
        // Whether a machine is fast enough to be refused, nobody knows; that no more come through, all do.
        let most = allowed + allowed * elapsed.div_ceil(SECOND);
        check!(accepted <= most, true);
    }
    let _woken = syscall::sleep(10 * SHORT);
    check!(ask(slot::PROCESS, process::LIST, [0; 3]), Ok([2..=4096, ..]));
    check!(ask(slot::FILES, files::PIPE, [0; 3]), Ok(_));
    check!(
        ask(slot::NAMES, names::LIST, [u64::MAX, 0, 0]),
        Err(Error::NotFound)
    );
    Ok(())
}

/// Takes back what it never gave: its capabilities are copies of the servers' own.
fn withdrawn() -> Checked {
    for own in [slot::FILES, slot::CONSOLE, slot::PROCESS] {
        check!(syscall::capability_revoke(0, own), Ok(_));
    }
    // It has asked for pipes before, more often than it gets any.
    check!(
        ask(slot::FILES, files::PIPE, [0; 3]),
        Ok(_) | Err(Error::TooManyOpen)
    );
    check!(ask(slot::CONSOLE, files::SIZE, [0; 3]), Ok(_));
    Ok(())
}
