//! Why a server refused.

use core::fmt;

macro_rules! errors {
    ($($number:literal $name:ident $text:literal;)+) => {
        /// Why a server refused a request; the discriminant is the label of the reply.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Error {
            $(#[doc = $text] $name = $number,)+
        }

        impl Error {
            /// The error that a reply's label stands for; what is not known counts as [`Self::Other`].
            pub const fn from_label(label: u32) -> Self {
                match label {
                    $($number => Self::$name,)+
                    _ => Self::Other,
                }
            }

            const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

errors! {
    1 NotFound "no such file or directory";
    2 Exists "file exists";
    3 NotDirectory "not a directory";
    4 IsDirectory "is a directory";
    5 NotEmpty "directory not empty";
    6 BadName "invalid file name";
    7 ReadOnly "read-only file system";
    8 NoSpace "no space left";
    9 TooManyOpen "too many open files";
    10 BrokenPipe "broken pipe";
    11 WouldBlock "would block";
    12 NotSupported "operation not supported";
    13 CrossDevice "cross-device link";
    14 BadHandle "bad file handle";
    15 BadArgument "invalid argument";
    16 NotConnected "not connected";
    17 PermissionDenied "permission denied";
    18 NoMemory "out of memory";
    19 NoProcess "no such process";
    20 TooManyProcesses "too many processes";
    21 NotExecutable "not an executable program";
    22 Interrupted "interrupted";
    23 NoChild "no child process";
    24 TooLong "name or arguments too long";
    25 Busy "resource busy";
    26 Other "unknown error";
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.text())
    }
}
