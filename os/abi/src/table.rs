//! The table of system calls, and what this crate makes of it.

use crate::call::{Argument, ArgumentSpec, Registers, UserBuffer, UserBytes};
use crate::error::Error;

/// Hands the table of system calls to the macro `$then`.
///
/// A row is `docs, number, variant, stub name (arguments) -> what it returns: errors it can return;`. An argument is
/// `number` (one register), `bytes` (memory the kernel reads) or `buffer` (memory the kernel writes). A call that
/// returns `never` does not come back when it succeeds; one that returns `message` fills all result registers.
///
/// `slot` is the number of a slot in the caller's capability table; `table` is the slot of a table capability, or 0 for
/// the caller's own table.
#[macro_export]
macro_rules! with_system_calls {
    ($then:path) => {
        $then! {
            /// Sends a message to an endpoint and waits for the reply. The receiver learns the badge of the capability.
            1 Call call(slot: number, tag: number, word0: number, word1: number, word2: number, word3: number)
                -> message: NotFound WrongKind NotPermitted BadArgument PeerGone RateLimited;
            /// Sends a message to an endpoint and waits until it is received.
            2 Send send(slot: number, tag: number, word0: number, word1: number, word2: number, word3: number)
                -> "zero": NotFound WrongKind NotPermitted BadArgument PeerGone RateLimited;
            /// Waits for a message at an endpoint, or for the notification that is bound to the calling thread. A timeout
            /// of 0 nanoseconds only looks, one of 2^64 - 1 waits for ever.
            3 Receive receive(slot: number, timeout: number)
                -> message: NotFound WrongKind NotPermitted TimedOut PeerGone;
            /// Replies to the call that was received last, then waits for a message at an endpoint. When nobody waits for
            /// a reply any more, the reply is dropped.
            4 ReplyReceive reply_receive(slot: number, tag: number, word0: number, word1: number, word2: number, word3: number)
                -> message: NotFound WrongKind NotPermitted BadArgument PeerGone;
            /// Replies to a call: to the one received last for slot 0, else to the one saved in the slot, which becomes
            /// empty.
            5 Reply reply(slot: number, tag: number, word0: number, word1: number, word2: number, word3: number)
                -> "zero": NotFound WrongKind BadArgument PeerGone;
            /// Saves the right to reply to the call that was received last in an empty slot, for an answer that comes later.
            6 SaveReply save_reply(slot: number) -> "zero": NotFound SlotTaken BadArgument;
            /// Like `call`, with three words and a timeout in nanoseconds. After a timeout the reply is dropped.
            7 CallTimeout call_timeout(slot: number, tag: number, word0: number, word1: number, word2: number, timeout: number)
                -> message: NotFound WrongKind NotPermitted BadArgument PeerGone RateLimited TimedOut;
            /// Adds the badge of the capability to the bits of a notification, and wakes who waits for it.
            8 Signal signal(slot: number) -> "zero": NotFound WrongKind NotPermitted;
            /// Takes all bits of a notification, and waits for the first one. A timeout of 0 only looks.
            9 Wait wait(slot: number, timeout: number) -> "the bits": NotFound WrongKind NotPermitted TimedOut PeerGone;
            /// Sets the slot that receives a capability of a message; 0 refuses them. It must be empty by then.
            10 ReceiveSlot receive_slot(slot: number) -> "zero": BadArgument;
            /// Lets other threads run.
            11 YieldNow yield_now() -> "zero":;
            /// Waits for a number of nanoseconds.
            12 Sleep sleep(nanoseconds: number) -> "zero":;
            /// Reads the clock.
            13 Clock clock() -> "nanoseconds since boot":;
            /// Ends the calling thread. Its objects stay.
            14 ExitThread exit_thread() -> never:;
            /// Makes an endpoint at which nobody waits a gate: what is sent to it goes on to another endpoint, at most `rate`
            /// messages per second, and up to `burst` at once after a pause. More are refused with `RateLimited`, whatever
            /// copies of the gate's capability they use; faults are not counted. Wants the right to receive at both
            /// endpoints. At a gate nobody can receive; its limit can be set again.
            15 EndpointLimit endpoint_limit(gate: number, endpoint: number, rate: number, burst: number)
                -> "zero": NotFound WrongKind NotPermitted BadArgument Busy;

            /// Copies a capability of the caller into an empty slot of a table, with at most the given rights. The copy is
            /// derived from the original: revoking that deletes the copy.
            20 CapabilityCopy capability_copy(table: number, to: number, from: number, rights: number)
                -> "zero": NotFound WrongKind NotPermitted SlotTaken BadArgument;
            /// Like `capability_copy`, with a badge: what receivers see, for an endpoint or notification without one; for
            /// interrupts and ports the first number and, times 2^32, the last one of a range that may only shrink.
            21 CapabilityMint capability_mint(table: number, to: number, from: number, rights: number, badge: number)
                -> "zero": NotFound WrongKind NotPermitted SlotTaken BadArgument;
            /// Moves a capability of the caller into an empty slot of a table.
            22 CapabilityMove capability_move(table: number, to: number, from: number)
                -> "zero": NotFound WrongKind NotPermitted SlotTaken BadArgument;
            /// Deletes a capability. An object ends with its last one.
            23 CapabilityDelete capability_delete(table: number, slot: number) -> "zero": NotFound WrongKind NotPermitted;
            /// Deletes everything that was derived from a capability, and what was derived from that.
            24 CapabilityRevoke capability_revoke(table: number, slot: number) -> "zero": NotFound WrongKind NotPermitted;
            /// Tells what is in a slot.
            25 CapabilityIdentify capability_identify(slot: number)
                -> "kind, plus 256 times the rights": NotFound;
            /// Makes objects of a kind out of untyped memory, with capabilities in consecutive empty slots of a table. `size`
            /// is the number of bytes of an untyped or of a frame (4096 times a power of two, up to 2 MiB), or the number of
            /// slots of a table.
            26 Retype retype(untyped: number, kind: number, size: number, count: number, table: number, first: number)
                -> "zero": NotFound WrongKind NotPermitted SlotTaken BadArgument NoMemory TooMany;

            /// Maps a frame, whose capability is in a slot of a table, in an address space. `access` is 1 to read, 3 to read
            /// and write, 9 to read and execute.
            30 Map map(space: number, table: number, frame: number, address: number, access: number)
                -> "zero": NotFound WrongKind NotPermitted BadAddress BadArgument AlreadyMapped NoMemory;
            /// Takes the mapping of a frame back that was made with the same capability.
            31 Unmap unmap(table: number, frame: number) -> "zero": NotFound WrongKind NotPermitted;
            /// Tells how much of an untyped is left.
            32 UntypedFree untyped_free(untyped: number) -> "bytes that are free": NotFound WrongKind;

            /// Gives a thread its table, address space and, unless the slot is 0, the endpoint that its faults go to.
            40 ThreadConfigure thread_configure(thread: number, table: number, space: number, faults: number)
                -> "zero": NotFound WrongKind NotPermitted Busy;
            /// Starts a thread, or starts it anew.
            41 ThreadStart thread_start(thread: number, entry: number, stack: number, argument: number)
                -> "zero": NotFound WrongKind NotPermitted BadAddress Busy;
            /// Stops a thread where it is.
            42 ThreadSuspend thread_suspend(thread: number) -> "zero": NotFound WrongKind NotPermitted;
            /// Lets a stopped thread go on.
            43 ThreadResume thread_resume(thread: number) -> "zero": NotFound WrongKind NotPermitted;
            /// Binds a notification to a thread: `receive` then returns when it is signalled.
            44 ThreadBind thread_bind(thread: number, notification: number)
                -> "zero": NotFound WrongKind NotPermitted Busy;
            /// Gives a thread scheduling parameters.
            45 ThreadSchedule thread_schedule(thread: number, schedule: number)
                -> "zero": NotFound WrongKind NotPermitted;
            /// Tells what a thread has done: state, nanoseconds of processor time, CPU, as three numbers of 64 bits.
            46 ThreadInfo thread_info(thread: number, numbers: buffer)
                -> "number of bytes": NotFound WrongKind BadAddress BadLength;
            /// Sets the caller's thread pointer, an address of user space.
            47 ThreadPointer thread_pointer(address: number) -> "zero": BadAddress;
            /// Sets scheduling parameters: class 0 is fair with a weight of 1 to 16384, class 1 real time with a priority
            /// of 0 to 31; the bits of `cpus` are the CPUs it may run on.
            48 ScheduleConfigure schedule_configure(schedule: number, class: number, value: number, cpus: number)
                -> "zero": NotFound WrongKind NotPermitted BadArgument;

            /// Signals a notification, with the badge of its capability, when an interrupt of the range comes.
            50 InterruptBind interrupt_bind(interrupts: number, number: number, notification: number)
                -> "zero": NotFound WrongKind NotPermitted BadArgument Busy;
            /// Lets an interrupt come again.
            51 InterruptComplete interrupt_complete(interrupts: number, number: number)
                -> "zero": NotFound WrongKind BadArgument;
            /// Reads an I/O port of the range. `width` is 1, 2 or 4 bytes.
            52 PortRead port_read(ports: number, number: number, width: number)
                -> "the value": NotFound WrongKind NotPermitted BadArgument;
            /// Writes to an I/O port of the range.
            53 PortWrite port_write(ports: number, number: number, width: number, value: number)
                -> "zero": NotFound WrongKind NotPermitted BadArgument;

            /// Writes UTF-8 text to the kernel's console. At most 4096 bytes at once.
            60 DebugWrite debug_write(machine: number, text: bytes)
                -> "number of bytes written": NotFound WrongKind NotPermitted BadAddress BadLength BadArgument;
            /// Copies the identity of the system into the buffer: UTF-8 lines `key=value`, with at least the keys
            /// `name`, `version`, `commit` and `arch`.
            61 SystemInfo system_info(text: buffer) -> "length of the text in bytes": BadAddress BadLength;
            /// Switches the machine off. Status 0 is an orderly end; any other is reported as a failure to whatever
            /// runs the machine, where there is a way to say so.
            62 PowerOff power_off(machine: number, status: number) -> never: NotFound WrongKind NotPermitted;
            /// Takes a CPU off (0) or brings it on again (1). The first CPU stays on.
            63 CpuControl cpu_control(machine: number, cpu: number, on: number)
                -> "zero": NotFound WrongKind NotPermitted BadArgument Busy;
            /// Copies numbers of 64 bits about the kernel into the buffer, as many as fit: see `KernelInfo`.
            64 KernelStatistics kernel_statistics(numbers: buffer) -> "number of bytes": BadAddress BadLength;
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
    (message) => {
        "a message: its badge, tag and four words"
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
