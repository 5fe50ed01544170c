//! What user programs and the kernel agree on.
//!
//! [`with_system_calls!`] holds the one table of system calls. From it come the numbers and the kernel's [`Request`]
//! (this crate), the user-side stubs (crate `rt`) and the reference page `SYSCALLS.md` ([`Reference`]).
//!
//! A call puts its number and up to [`ARGUMENTS`] arguments into registers and gets one register back, see
//! [`encode_result`]; `SYSCALLS.md` names the registers of each architecture.
#![no_std]
#![forbid(unsafe_code)]

mod call;
mod error;
mod fate;
mod identity;
pub mod layout;
mod message;
mod reference;
pub mod start;
mod table;

pub use call::{ARGUMENTS, ArgumentKind, ArgumentSpec, Registers, UserBuffer, UserBytes};
pub use error::{Error, decode_result, encode_result};
pub use fate::{Fate, Fault};
pub use identity::{IDENTITY_LEN, IDENTITY_MAGIC, Identity, IdentityError};
pub use message::{Message, Tag, WORDS};
pub use reference::Reference;
pub use table::{Request, SYSTEM_CALLS, SystemCall, SystemCallSpec};
