//! Errors of input and output.

use core::fmt;

/// Result of what may fail with an [`Error`].
pub type Result<T> = core::result::Result<T, Error>;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident $text:literal;)+) => {
        /// What went wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl fmt::Display for ErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$kind => $text,)+ })
            }
        }
    };
}

kinds! {
    /// No file, process or variable has that name.
    NotFound "no such file or directory";
    /// The caller may not do that.
    PermissionDenied "permission denied";
    /// Something has that name already.
    AlreadyExists "file exists";
    /// A part of the path is no directory.
    NotADirectory "not a directory";
    /// It is a directory.
    IsADirectory "is a directory";
    /// The directory has entries.
    DirectoryNotEmpty "directory not empty";
    /// The file system cannot be written to.
    ReadOnlyFilesystem "read-only file system";
    /// The name lies on another file system.
    CrossesDevices "invalid cross-device link";
    /// No space is left.
    StorageFull "no space left on device";
    /// The name is too long.
    InvalidFilename "file name too long";
    /// An argument is not allowed.
    InvalidInput "invalid argument";
    /// The data is not what it should be, for example no UTF-8.
    InvalidData "invalid data";
    /// The input ended too early.
    UnexpectedEof "unexpected end of file";
    /// The sink takes nothing more.
    WriteZero "write returned zero";
    /// Nobody reads the pipe any more.
    BrokenPipe "broken pipe";
    /// A signal came before anything was done.
    Interrupted "interrupted";
    /// It would have to wait.
    WouldBlock "resource temporarily unavailable";
    /// It is in use.
    ResourceBusy "device or resource busy";
    /// No process has that number.
    NoSuchProcess "no such process";
    /// The file is no program for this machine.
    BadProgram "exec format error";
    /// Too many files or processes.
    TooMany "too many open files or processes";
    /// The argument list is too long.
    ArgumentListTooLong "argument list too long";
    /// No memory is left.
    OutOfMemory "out of memory";
    /// This system, or this kind of file, cannot do that.
    Unsupported "operation not supported";
    /// Anything else.
    Other "input/output error";
}

/// Why an operation failed. As text it is a short phrase in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
}

impl Error {
    /// What went wrong.
    pub const fn kind(self) -> ErrorKind {
        self.kind
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl core::error::Error for Error {}
