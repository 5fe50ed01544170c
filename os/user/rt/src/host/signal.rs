//! Signals of the terminal to this program.

use std::os::fd::AsFd;
use std::sync::OnceLock;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::io::{ErrorKind, Result};

/// Tells of interrupts, once they are held.
static INTERRUPTS: OnceLock<SignalFd> = OnceLock::new();

pub(crate) fn hold_interrupts() -> Result<()> {
    if INTERRUPTS.get().is_some() {
        return Ok(());
    }
    let mut held = SigSet::empty();
    // Blocked signals wait without effect; std empties the mask of the programs that it starts.
    for signal in [
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTSTP,
        Signal::SIGTTIN,
        Signal::SIGTTOU,
    ] {
        held.add(signal);
    }
    held.thread_block()?;
    let mut told = SigSet::empty();
    told.add(Signal::SIGINT);
    let descriptor = SignalFd::with_flags(&told, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    // Nobody else has set it: programs call this from their one thread.
    let _ = INTERRUPTS.set(descriptor);
    Ok(())
}

pub(crate) fn take_interrupt() -> bool {
    INTERRUPTS
        .get()
        .is_some_and(|descriptor| matches!(descriptor.read_signal(), Ok(Some(_))))
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
