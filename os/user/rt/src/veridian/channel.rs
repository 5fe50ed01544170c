//! Channels: messages through memory that sender and receiver share, in this program or in two. No server has a part in
//! sending; whoever has to wait does so in the kernel.
//!
//! Messages arrive whole and in order. When the peer closes its end, or its program ends in whatever way, the receiver
//! still gets what was sent before.

use core::mem::ManuallyDrop;
use core::slice;
use core::sync::atomic::{AtomicU32, Ordering};

use channel::{Error, Wake};
use protocol::{CHANNEL_SIZE, CHANNEL_STEP, channel_bit, process, slot};

use super::client;
use crate::io::{ErrorKind, Result};

/// A number of an end, which is this program's and is mapped.
#[derive(Debug, PartialEq, Eq)]
struct Number(u64);

impl Number {
    fn address(&self) -> u64 {
        super::start::channels() + self.0 * CHANNEL_STEP
    }

    /// The shared words.
    ///
    /// # Safety
    /// They are not used any more when the number is dropped.
    unsafe fn words(&self) -> &'static [AtomicU32] {
        let start = core::ptr::with_exposed_provenance(self.address() as usize);
        // SAFETY: the process server has mapped that many bytes there for as long as the end is this program's, which is
        // until it is closed in `drop`: the caller's promise. All accesses are atomic.
        unsafe { slice::from_raw_parts(start, CHANNEL_SIZE as usize / 4) }
    }

    fn wake(&self, wake: Wake) {
        if wake == Wake::Peer {
            // A peer that has gone needs no waking.
            let _gone = syscall::signal(slot::CHANNELS + self.0 * 2 + 1);
        }
    }

    /// Waits for the peer. Returns whether it has gone.
    fn wait(&self) -> bool {
        match syscall::wait(slot::CHANNELS + self.0 * 2, syscall::FOREVER) {
            Ok(bits) => bits & channel_bit::GONE != 0,
            Err(_) => true,
        }
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        // The process server knows the number, or has closed the end already.
        let _closed = client::ask_processes(process::CHANNEL_CLOSE, [self.0, 0, 0]);
    }
}

/// The end that sends.
#[derive(Debug)]
pub struct Sender {
    /// `None` when it has been closed.
    inner: Option<channel::Sender<'static>>,
    number: Number,
}

/// The end that receives.
#[derive(Debug)]
pub struct Receiver {
    /// `None` when it has been closed.
    inner: Option<channel::Receiver<'static>>,
    number: Number,
    /// Whether the sender has gone.
    gone: bool,
}

/// Makes a channel. It has room for about 32 KiB.
///
/// # Errors
/// `TooMany`: a program has six ends at most. `OutOfMemory`.
pub fn channel() -> Result<(Sender, Receiver)> {
    let [sender, receiver, ..] = client::ask_processes(process::CHANNEL, [0; 3])?;
    TAKEN.fetch_or(1 << sender | 1 << receiver, Ordering::Relaxed);
    Ok((Sender::new(Number(sender))?, Receiver::new(Number(receiver))?))
}

/// The number of an end that this program was started with, and that has this role.
fn inherited(number: u64, role: u64) -> Result<Number> {
    let [is, ..] = client::ask_processes(process::CHANNEL_END, [number, 0, 0])?;
    // The process server has answered, so there is an end with this number.
    if is != role || TAKEN.fetch_or(1 << number, Ordering::Relaxed) >> number & 1 == 1 {
        return Err(ErrorKind::InvalidInput.into());
    }
    Ok(Number(number))
}

/// A bit for each end that this program has taken or made. Two of the same would disagree about what has been sent.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// What a refusal means.
fn kind(error: Error) -> ErrorKind {
    match error {
        Error::Closed => ErrorKind::BrokenPipe,
        Error::TooLong | Error::BufferTooShort { .. } => ErrorKind::InvalidInput,
        Error::Broken => ErrorKind::InvalidData,
        // Those are waited for.
        Error::Full | Error::Empty => ErrorKind::WouldBlock,
    }
}

impl Sender {
    fn new(number: Number) -> Result<Self> {
        // SAFETY: `drop` closes it before the number is dropped.
        let inner = channel::Sender::new(unsafe { number.words() });
        Ok(Self {
            inner: Some(inner.ok_or(ErrorKind::Other)?),
            number,
        })
    }

    /// The end with this number that the program was started with, see
    /// [`Command::channel`](crate::process::Command::channel). Each can be had once.
    ///
    /// # Errors
    /// `InvalidInput` when it is none, or has been taken.
    pub fn inherited(number: u64) -> Result<Self> {
        Self::new(inherited(number, 0)?)
    }

    /// Where its memory lies in this program, for those who look how addresses are chosen.
    pub fn address(&self) -> u64 {
        self.number.address()
    }

    /// Sends a message; waits while there is no room for it.
    ///
    /// # Errors
    /// `BrokenPipe` when the receiver has gone, `InvalidInput` for more than the channel holds, `InvalidData` when the
    /// receiver breaks the channel's rules.
    pub fn send(&mut self, message: &[u8]) -> Result<()> {
        let Some(inner) = &mut self.inner else {
            return Err(ErrorKind::BrokenPipe.into());
        };
        loop {
            match inner.try_send(message) {
                Ok(wake) => {
                    self.number.wake(wake);
                    return Ok(());
                }
                Err(Error::Full) => {
                    if inner.prepare_to_wait(message.len()) && self.number.wait() {
                        self.close();
                        return Err(ErrorKind::BrokenPipe.into());
                    }
                }
                Err(error) => return Err(kind(error).into()),
            }
        }
    }

    fn close(&mut self) {
        if let Some(inner) = self.inner.take() {
            self.number.wake(inner.close());
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.close();
    }
}

impl Receiver {
    fn new(number: Number) -> Result<Self> {
        // SAFETY: `drop` closes it before the number is dropped.
        let inner = channel::Receiver::new(unsafe { number.words() });
        Ok(Self {
            inner: Some(inner.ok_or(ErrorKind::Other)?),
            number,
            gone: false,
        })
    }

    /// As [`Sender::inherited`].
    ///
    /// # Errors
    /// As there.
    pub fn inherited(number: u64) -> Result<Self> {
        Self::new(inherited(number, 1)?)
    }

    /// Receives a message into the start of `buffer`, waiting for it; returns its length. `None` when the sender has gone
    /// and all that it sent has been received.
    ///
    /// # Errors
    /// `InvalidInput` when the buffer is too short; the message stays. `InvalidData` when the sender breaks the channel's
    /// rules.
    pub fn receive(&mut self, buffer: &mut [u8]) -> Result<Option<usize>> {
        let Some(inner) = &mut self.inner else {
            return Ok(None);
        };
        loop {
            match inner.try_receive(buffer) {
                Ok((len, wake)) => {
                    self.number.wake(wake);
                    return Ok(Some(len));
                }
                Err(Error::Closed) => return Ok(None),
                // Whoever has gone sends nothing any more, and what it sent is to be seen by now.
                Err(Error::Empty) if self.gone => return Ok(None),
                Err(Error::Empty) => {
                    if inner.prepare_to_wait() {
                        self.gone |= self.number.wait();
                    }
                }
                Err(error) => return Err(kind(error).into()),
            }
        }
    }

    fn close(&mut self) {
        if let Some(inner) = self.inner.take() {
            self.number.wake(inner.close());
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.close();
    }
}

/// An end for another program. Nothing may have been sent or received with it: the other program begins anew, and its peer
/// takes that for a breach of the rules.
#[derive(Debug)]
pub struct End(Number);

impl From<Sender> for End {
    fn from(end: Sender) -> Self {
        let end = ManuallyDrop::new(end);
        // Nothing but the number has to be dropped: the ring is borrowed memory. It is not closed.
        Self(Number(end.number.0))
    }
}

impl From<Receiver> for End {
    fn from(end: Receiver) -> Self {
        let end = ManuallyDrop::new(end);
        Self(Number(end.number.0))
    }
}

impl End {
    pub(super) const fn number(&self) -> u64 {
        self.0.0
    }

    /// It is another program's now.
    pub(super) fn forget(self) {
        core::mem::forget(self.0);
    }
}
