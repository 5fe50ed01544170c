//! Why a request was refused.

use core::fmt;

/// What a file operation gives.
pub type Result<T> = core::result::Result<T, Error>;

macro_rules! errors {
    ($($(#[doc = $doc:literal])+ $number:literal $name:ident $text:literal,)+) => {
        /// Why a request was refused. The discriminant goes over the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Error {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Error {
            /// Every error, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The error with this number.
            pub const fn from_number(number: u64) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for Error {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(match self { $(Self::$name => $text,)+ })
            }
        }
    };
}

errors! {
    /// Nothing has this name.
    1 NotFound "no such file or directory",
    /// Something has this name already.
    2 Exists "file exists",
    /// A directory is needed, and this is none.
    3 NotDirectory "not a directory",
    /// A directory cannot be used so.
    4 IsDirectory "is a directory",
    /// The directory has entries.
    5 NotEmpty "directory not empty",
    /// The name is not UTF-8, has a zero byte, or is one that nothing can have.
    6 BadName "invalid name",
    /// A name or a path is longer than the limit.
    7 NameTooLong "name too long",
    /// The file system cannot be changed, or this file of it.
    8 ReadOnly "read-only file system",
    /// The quota of the file system is used up.
    9 NoSpace "no space left",
    /// The file would be longer than a file can be.
    10 TooLarge "file too large",
    /// The client has as many handles or pipes as it may have.
    11 TooManyOpen "too many open files",
    /// Nobody can read what was to be written.
    12 BrokenPipe "broken pipe",
    /// It would have to wait, and the handle was opened not to.
    13 WouldBlock "operation would block",
    /// This object has no such operation.
    14 NotSupported "operation not supported",
    /// The two names are in different file systems.
    15 CrossDevice "not on the same file system",
    /// The client has no such handle, or not for this use.
    16 BadHandle "bad file handle",
    /// A mount point or the root is in the way.
    17 Busy "device or resource busy",
    /// A directory would become part of itself.
    18 IntoItself "cannot move a directory into itself",
    /// An argument has a value without a meaning.
    19 BadArgument "invalid argument",
    /// The object has no positions.
    20 NotSeekable "illegal seek",
    /// The client may not do that.
    21 NotPermitted "operation not permitted",
    /// The client has as many parked requests as it may have, or there are too many clients.
    22 TooMany "too many requests",
    /// What this needs to know has to be found out first; nothing has been done.
    23 NotReady "not ready",
}
