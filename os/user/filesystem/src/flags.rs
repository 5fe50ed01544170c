//! How a file is opened.

use core::ops::BitOr;

use crate::error::{Error, Result};

/// How a file is opened: a checked set of flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flags(u32);

impl Flags {
    /// It may be read.
    pub const READ: Self = Self(1);
    /// It may be written.
    pub const WRITE: Self = Self(2);
    /// It is made when it is not there.
    pub const CREATE: Self = Self(4);
    /// With `CREATE`: it must not be there.
    pub const EXCLUSIVE: Self = Self(8);
    /// What is in it is dropped. Needs `WRITE`.
    pub const TRUNCATE: Self = Self(16);
    /// Every write goes to the end. Includes `WRITE`.
    pub const APPEND: Self = Self(32 | 2);
    /// It must be a directory.
    pub const DIRECTORY: Self = Self(64);
    /// What would have to wait fails with [`Error::WouldBlock`].
    pub const NONBLOCK: Self = Self(128);

    const ALL: u32 = 255;

    /// The flags with these bits.
    ///
    /// # Errors
    /// `BadArgument`: an unknown bit, neither reading nor writing, truncation without writing, exclusiveness without
    /// creation, or creation of a directory (which has its own request).
    pub fn from_bits(bits: u32) -> Result<Self> {
        // The bit of `APPEND` alone means the same as `APPEND`.
        let flags = Self(if bits & 32 != 0 { bits | 2 } else { bits });
        let wrong = flags.0 & !Self::ALL != 0
            || flags.0 & 3 == 0
            || (flags.has(Self::TRUNCATE) && !flags.has(Self::WRITE))
            || (flags.has(Self::EXCLUSIVE) && !flags.has(Self::CREATE))
            || (flags.has(Self::CREATE) && flags.has(Self::DIRECTORY));
        if wrong { Err(Error::BadArgument) } else { Ok(flags) }
    }

    /// The bits, for the wire.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all flags of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
