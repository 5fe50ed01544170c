//! The table of system calls, and what this crate makes of it.

use crate::call::{Argument, ArgumentSpec, Registers, UserBuffer, UserBytes};
use crate::error::Error;

/// Hands the table of system calls to the macro `$then`.
///
/// A row is `docs, number, variant, stub name (arguments) -> what it returns: errors it can return;`. An argument is
/// `number` (one register), `bytes` (memory the kernel reads) or `buffer` (memory the kernel writes). A call that
/// returns `never` does not come back when it succeeds.
#[macro_export]
macro_rules! with_system_calls {
    ($then:path) => {
        $then! {
            /// Writes UTF-8 text to the kernel's console. At most 4096 bytes at once.
            1 DebugWrite debug_write(text: bytes) -> "number of bytes written": BadAddress BadLength BadArgument;
            /// Copies the identity of the system into the buffer: UTF-8 lines `key=value`, with at least the keys
            /// `name`, `version`, `commit` and `arch`.
            2 SystemInfo system_info(text: buffer) -> "length of the text in bytes": BadAddress BadLength;
            /// Ends the calling program with an exit code, a number below 2^32.
            3 Exit exit(code: number) -> never: BadArgument;
            /// Switches the machine off. Status 0 is an orderly end; any other is reported as a failure to whatever
            /// runs the machine, where there is a way to say so. Only `/init` may do that.
            4 PowerOff power_off(status: number) -> never: NotPermitted;
            /// Starts a program of the initrd. It gets `argument` as its own argument and runs beside the caller.
            5 Spawn spawn(name: bytes, argument: number) -> "number of the new process":
                BadAddress BadLength BadArgument NotFound BadProgram NoMemory TooMany;
            /// Waits until a process that the caller has started ends, and forgets it.
            6 Wait wait(process: number) -> "how it ended: exit code, or 2^32 + number of the fault": NotFound;
            /// Reads the clock of the timer interrupt.
            7 Ticks ticks() -> "timer interrupts since boot":;
        }
    };
}

/// Type of an argument on the kernel's side.
macro_rules! kernel_type {
    (number) => {
        u64
    };
    (bytes) => {
        UserBytes
    };
    (buffer) => {
        UserBuffer
    };
}

/// What the reference says about a result.
macro_rules! returns {
    (never) => {
        "does not return"
    };
    ($text:literal) => {
        $text
    };
}

macro_rules! define {
    ($($(#[doc = $doc:literal])+ $number:literal $variant:ident $stub:ident
       ($($arg:ident: $kind:ident),*) -> $returns:tt: $($error:ident)*;)+) => {
        /// Number of a system call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u64)]
        pub enum SystemCall {
            $($(#[doc = $doc])+ $variant = $number,)+
        }

        /// A system call as the kernel gets it: the call with its arguments.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Request {
            $($(#[doc = $doc])+ $variant {
                $(#[doc = concat!("Argument `", stringify!($arg), "`.")] $arg: kernel_type!($kind),)*
            },)+
        }

        impl Request {
            /// Reads a call from its number and its argument registers.
            ///
            /// # Errors
            /// [`Error::UnknownCall`] when no call has this number.
            #[allow(unused_mut, unused_variables, reason = "a call may have no arguments")]
            pub fn decode(number: u64, mut registers: Registers) -> Result<Self, Error> {
                match number {
                    $($number => {
                        $(let $arg = <kernel_type!($kind) as Argument>::take(&mut registers);)*
                        Ok(Self::$variant { $($arg),* })
                    })+
                    _ => Err(Error::UnknownCall),
                }
            }
        }

        /// Every system call, in order of its number.
        pub const SYSTEM_CALLS: &[SystemCallSpec] = &[$(SystemCallSpec {
            call: SystemCall::$variant,
            name: stringify!($stub),
            doc: &[$($doc),+],
            arguments: &[$(ArgumentSpec {
                name: stringify!($arg),
                kind: <kernel_type!($kind) as Argument>::KIND,
            },)*],
            returns: returns!($returns),
            errors: &[$(Error::$error,)*],
        },)+];
    };
}

/// What the table says about one call.
#[derive(Clone, Copy, Debug)]
pub struct SystemCallSpec {
    /// The call; its discriminant is the number.
    pub call: SystemCall,
    /// Name of the stub.
    pub name: &'static str,
    /// Lines of its documentation.
    pub doc: &'static [&'static str],
    /// Its arguments.
    pub arguments: &'static [ArgumentSpec],
    /// What it returns.
    pub returns: &'static str,
    /// Errors it can return, besides none.
    pub errors: &'static [Error],
}

with_system_calls!(define);
