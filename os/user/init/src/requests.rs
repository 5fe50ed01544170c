//! What the first process and `poweroff` ask of the process server, beyond what the runtime has.

use core::time::Duration;

use abi::Tag;
use protocol::{Error, OK, process, slot, status};
use services::Exit;

/// Number of the first process.
pub(crate) const FIRST: u32 = 1;

/// What the first process is told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct News {
    /// The system is to go down, with this status.
    pub(crate) shutdown: Option<u64>,
}

/// Waits until a child has ended, the system is to go down, or time is up.
pub(crate) fn wait_for_news(knows_shutdown: bool, timeout: Option<Duration>) -> News {
    let timeout = timeout.map_or(u64::MAX, |timeout| {
        u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX)
    });
    let tag = Tag::new(process::NEWS).0;
    match syscall::call_timeout(slot::PROCESS, tag, knows_shutdown.into(), 0, 0, timeout) {
        Ok(reply) if reply.tag.label() == OK => News {
            shutdown: reply.words[1].checked_sub(1),
        },
        Err(abi::Error::TimedOut) => News::default(),
        // It should not happen; do not let it keep a CPU busy.
        _ => {
            rt::time::sleep(Duration::from_millis(100));
            News::default()
        }
    }
}

/// A child that has ended, and how; it is gone then.
pub(crate) fn take_child() -> Option<(u32, Exit)> {
    /// To look, and not to wait.
    const LOOK: u64 = 1;
    let reply = syscall::call(slot::PROCESS, Tag::new(process::WAIT).0, 0, LOOK, 0, 0).ok()?;
    let [child, how, ..] = reply.words;
    if reply.tag.label() != OK || child == 0 {
        return None;
    }
    let exit = if how < status::SIGNALLED {
        Exit::Status(how as u32)
    } else {
        Exit::Killed
    };
    Some((child as u32, exit))
}

/// Asks the first process to bring the system down.
pub(crate) fn shut_down(status: u32) -> Result<(), Error> {
    let tag = Tag::new(process::SHUTDOWN).0;
    let reply = syscall::call(slot::PROCESS, tag, status.into(), 0, 0, 0).map_err(|_| Error::Other)?;
    match reply.tag.label() {
        OK => Ok(()),
        label => Err(Error::from_label(label)),
    }
}
