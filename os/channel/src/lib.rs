//! Messages through memory that two programs share: one sends, the other receives, neither trusts the other.
//!
//! The memory is a slice of atomic words, zeroed before the first use. Each side keeps its own position to itself and
//! publishes it; what the other side publishes is checked. So whatever a hostile peer writes, nothing here panics, loops
//! or touches anything outside; the worst are wrong bytes, which a peer can send anyway, and [`Error::Broken`].
//!
//! Nothing here blocks. Who wants to wait calls `prepare_to_wait` and then, if told so, waits for a notification from the
//! peer; the peer's operations return [`Wake::Peer`] when one is due.
//!
//! # Layout
//! | word | written by | what |
//! | --- | --- | --- |
//! | 0 | sender | position behind the last message |
//! | 1 | sender | 1: closed |
//! | 2 | both | 1: the sender waits |
//! | 16 | receiver | position of the next message |
//! | 17 | receiver | 1: closed |
//! | 18 | both | 1: the receiver waits |
//! | 32 and on | sender | the ring |
//!
//! A message is a word with its length in bytes, then its bytes, little-endian and filled up with zeros to whole words.
//! Positions count words and go from 0 to twice the ring's length, so that an empty ring differs from a full one.
#![no_std]
#![forbid(unsafe_code)]

mod receiver;
mod ring;
mod sender;
mod word;

use core::fmt;

pub use receiver::Receiver;
pub use ring::HEADER_WORDS;
pub use sender::Sender;
pub use word::Word;

/// Whether the peer has to be notified, because it said that it would wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a peer that is not notified may wait for ever"]
pub enum Wake {
    /// Send it a notification.
    Peer,
    /// It does not wait.
    Nobody,
}

/// Why a message was not sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is not enough room now.
    Full,
    /// There is no message now.
    Empty,
    /// The message would not fit into an empty channel.
    TooLong,
    /// The receiver's buffer has no room for the message, which has `len` bytes and stays.
    BufferTooShort {
        /// Length of the message in bytes.
        len: usize,
    },
    /// The peer has closed its side; all messages sent before have been received.
    Closed,
    /// The peer has not kept to the protocol. It stays like that.
    Broken,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => out.write_str("the channel is full"),
            Self::Empty => out.write_str("the channel is empty"),
            Self::TooLong => out.write_str("the message is too long for the channel"),
            Self::BufferTooShort { len } => write!(out, "the message has {len} bytes, more than the buffer"),
            Self::Closed => out.write_str("the peer has closed the channel"),
            Self::Broken => out.write_str("the peer has not kept to the channel's protocol"),
        }
    }
}

impl core::error::Error for Error {}
