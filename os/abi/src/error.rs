//! Error numbers and the result register.

use core::fmt;

macro_rules! errors {
    ($($(#[doc = $doc:literal])+ $number:literal $name:ident,)+) => {
        /// Why the kernel refused a system call. The discriminant is the error number. A newer kernel may have more.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Error {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Error {
            /// Every error number, in order.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The error with this number.
            pub const fn from_number(number: u64) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// Its name in the reference.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// One sentence on what it means.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)+ }
            }
        }
    };
}

errors! {
    /// No system call has this number.
    1 UnknownCall,
    /// A part of the given memory is not the caller's, or not writable where the kernel has to write.
    2 BadAddress,
    /// The length is beyond what this call takes, or the result does not fit.
    3 BadLength,
    /// An argument has a value that this call does not know.
    4 BadArgument,
    /// The slot is empty, or what it leads to is gone.
    5 NotFound,
    /// The capability lacks a right that this needs.
    6 NotPermitted,
    /// Not enough memory.
    8 NoMemory,
    /// A table of the kernel is full.
    9 TooMany,
    /// The capability is of another kind.
    10 WrongKind,
    /// The slot holds a capability already.
    11 SlotTaken,
    /// Time was up before anything came.
    12 TimedOut,
    /// The endpoint or notification has ended, or who should have replied.
    13 PeerGone,
    /// The object is in use in a way that forbids this.
    14 Busy,
    /// The capability's frame is mapped already, or something else is at the address.
    15 AlreadyMapped,
    /// More messages than the endpoint's limit allows now.
    16 RateLimited,
}

impl Error {
    /// The error number.
    pub const fn number(self) -> u64 {
        self as u64
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.name(), self.meaning().trim())
    }
}

/// Puts a result into the one result register: a value as itself, an error as its negated number.
///
/// A value is below 2^63; the kernel has none above, and a larger one is cut to 63 bits.
pub const fn encode_result(result: Result<u64, Error>) -> u64 {
    match result {
        Ok(value) => value & (u64::MAX >> 1),
        Err(error) => error.number().wrapping_neg(),
    }
}

/// Reads the result register. A negative number that is no error number counts as [`Error::UnknownCall`]: the kernel
/// then speaks another ABI than this program.
pub const fn decode_result(register: u64) -> Result<u64, Error> {
    if register >> 63 == 0 {
        return Ok(register);
    }
    match Error::from_number(register.wrapping_neg()) {
        Some(error) => Err(error),
        None => Err(Error::UnknownCall),
    }
}
