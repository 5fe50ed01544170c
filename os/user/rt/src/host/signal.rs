//! Signals of the terminal to this program.
//!
//! They are handled, not blocked or ignored: programs that are started would inherit that.

use std::io::Read as _;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use signal_hook::consts::{SIGINT, SIGQUIT, SIGTSTP};

use crate::io::{ErrorKind, Result};

/// Gets a byte for every interrupt, once they are held.
static INTERRUPTS: OnceLock<UnixStream> = OnceLock::new();

pub(crate) fn hold_interrupts() -> Result<()> {
    if INTERRUPTS.get().is_some() {
        return Ok(());
    }
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(SIGINT, writer)?;
    for signal in [SIGQUIT, SIGTSTP] {
        // Nobody asks for these; what counts is that they are handled.
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    // Nobody else has set it: programs call this from their one thread.
    let _ = INTERRUPTS.set(reader);
    Ok(())
}

pub(crate) fn take_interrupt() -> bool {
    let Some(mut interrupts) = INTERRUPTS.get() else {
        return false;
    };
    matches!(interrupts.read(&mut [0; 64]), Ok(1..))
}

/// Waits until something can be read.
///
/// # Errors
/// `Interrupted` when an interrupt comes first. It is still there to be taken.
pub(crate) fn wait_for_input(file: &impl AsFd) -> Result<()> {
    let Some(interrupts) = INTERRUPTS.get() else {
        return Ok(());
    };
    let mut waiting = [
        PollFd::new(file.as_fd(), PollFlags::POLLIN),
        PollFd::new(interrupts.as_fd(), PollFlags::POLLIN),
    ];
    poll(&mut waiting, PollTimeout::NONE)?;
    if waiting[1].any() == Some(true) {
        return Err(ErrorKind::Interrupted.into());
    }
    Ok(())
}

/// Runs `f`, which uses the terminal, even if this program is in the background: that would stop it otherwise.
pub(crate) fn unstopped<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    let mut output = SigSet::empty();
    output.add(Signal::SIGTTOU);
    let before = output.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK)?;
    let result = f();
    before.thread_set_mask()?;
    result
}
