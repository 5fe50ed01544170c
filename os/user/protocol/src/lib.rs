//! What programs and servers say to each other: slots, labels of messages, what their words mean, and how what does not fit
//! into words lies in memory.
//!
//! A request is a call on a server's endpoint; its badge is the number of the process that calls. The reply's label is
//! [`OK`] or the number of an [`Error`]. Bytes (paths, data) lie at the beginning of the caller's I/O buffer, a frame of
//! which the process server keeps the original capability: it gives one to the program and one to each server that the
//! program asks for with [`process::CONNECT`], so that a program cannot take the buffer from under a server.
#![no_std]
#![forbid(unsafe_code)]

mod error;
pub mod list;
pub mod names;
pub mod start;

pub use error::Error;

/// Label of a reply that says: done.
pub const OK: u32 = 0;

/// Slots of every program's table, besides [`abi::start::slot`].
pub mod slot {
    /// The process server.
    pub const PROCESS: u64 = abi::start::slot::PARENT;
    /// The file server.
    pub const FILES: u64 = 8;
    /// The console server.
    pub const CONSOLE: u64 = 9;
    /// Where a capability of a message may go.
    pub const RECEIVE: u64 = 10;
    /// The frame of the I/O buffer. Revoking it concerns nobody else's mapping.
    pub const IO: u64 = 11;
    /// Of servers: the endpoint at which they receive.
    pub const SERVICE: u64 = 12;
    /// Of the console server: the notification of its interrupt, bound to its thread.
    pub const EVENTS: u64 = 13;
    /// Of the console server: I/O ports of the serial port, where it has ports.
    pub const PORTS: u64 = 14;
    /// Of the console server: the serial port's interrupt.
    pub const INTERRUPT: u64 = 15;
    /// Of servers: a notification of the process server, without a badge: they mint the bits of
    /// [`signal_bit`](super::signal_bit) themselves.
    pub const SIGNALS: u64 = 16;
    /// Of programs that are no servers: the registry of names, once the program has asked for it with
    /// [`process::CONNECT`](super::process::CONNECT).
    pub const NAMES: u64 = 16;
    /// The program's own thread, for notifications to be bound to.
    pub const THREAD: u64 = 17;
    /// Of servers: their own address space and memory, to map what clients give them; an untyped for page tables is not
    /// needed.
    pub const SPACE: u64 = 18;
    /// What the one who started the program gave it with [`process::SPAWN`](super::process::SPAWN); empty if nothing.
    pub const INHERITED: u64 = 19;
    /// Ends of channels, two slots for each of [`MAX_ENDS`](super::MAX_ENDS): the notification to wait for, and the peer's
    /// one to signal.
    pub const CHANNELS: u64 = 20;
    /// First slot of those that a program may use as it likes. Below it are the frames that it consists of.
    pub const OWN: u64 = 96;
    /// First slot behind them.
    pub const OWN_END: u64 = 128;
    /// First slot that a server may use for what clients give it; as many as the table has follow.
    pub const CLIENTS: u64 = 256;
}

/// Bits of the notification that servers signal to the process server.
pub mod signal_bit {
    /// The interrupt key: ends the foreground group.
    pub const INTERRUPT: u64 = 1;
    /// The stop key: stops the foreground group.
    pub const STOP: u64 = 2;
    /// The file server wants to know the processes: see [`files::PROCESSES`](super::files::PROCESSES).
    pub const PROCESSES: u64 = 4;
    /// Somebody wants to read from the terminal: see [`files::READER`](super::files::READER).
    pub const READERS: u64 = 8;
}

/// Addresses that are the same wherever they are used. All others are in the [`start`] record, which
/// is where a program's argument points.
pub mod address {
    /// Of the file server: the initrd. Of the console server: the registers of the serial port.
    pub const DEVICE: u64 = 1 << 36;
    /// Of servers: I/O buffers of clients, each at this address plus its process number times [`IO_SIZE`](crate::IO_SIZE).
    pub const CLIENTS: u64 = 1 << 37;
}

/// Size of an I/O buffer in bytes.
pub const IO_SIZE: u64 = 16 << 10;

/// Size of a channel's memory in bytes.
pub const CHANNEL_SIZE: u64 = 32 << 10;

/// Distance of the ends of channels in an address space: each is at the address that the [`start`] record says plus its number
/// times this.
pub const CHANNEL_STEP: u64 = 64 << 10;

/// Most ends of channels that a program has.
pub const MAX_ENDS: u64 = 6;

/// Sizes in bytes of the memory that [`process::UNTYPED`] gives.
pub const UNTYPED_SIZES: [u64; 2] = [64 << 10, 2 << 20];

/// Most bytes that a program gets by it.
pub const MAX_UNTYPED: u64 = 4 << 20;

/// Most endpoints that a program gets by [`process::ENDPOINT`] in its life.
pub const MAX_ENDPOINTS: u64 = 16;

/// Bits of the notifications of channels.
pub mod channel_bit {
    /// The peer has sent or received something.
    pub const PEER: u64 = 1;
    /// The peer has gone.
    pub const GONE: u64 = 2;
}

/// Highest process number plus one.
pub const MAX_PROCESSES: u64 = 4096;

/// The number by which the process server is a client of the file server.
pub const PROCESS_SERVER_AS_CLIENT: u64 = MAX_PROCESSES - 1;

/// Requests to the process server.
pub mod process {
    /// The caller has ended. Word 0: exit code. No reply.
    pub const EXIT: u32 = 1;
    /// More memory for the heap. Word 0: bytes. Reply: address, length.
    pub const GROW: u32 = 2;
    /// Starts a program: the I/O buffer holds its [`start`](crate::start) record, whose `program` is the path of a file
    /// without the leading `/`; what is in `bin` comes from the initrd, all else from the file server. Streams are handles of the caller. Word 0: length of the record, word 1: group
    /// (0 the caller's, 1 a new one, else the number of one), word 2: 1 when it may switch the machine off, which the
    /// caller has to be allowed itself, plus 256 times the bits of the ends of channels that the program gets from the
    /// caller, in their order, as its ends 0, 1 and so on. A capability of the message becomes the program's
    /// [`slot::INHERITED`](crate::slot::INHERITED). Reply: process number, group.
    pub const SPAWN: u32 = 3;
    /// Waits for a child. Word 0: its number, or 0 for any; word 1: 1 to only look, 2 to report stopped children too, or
    /// both added. Reply: number (0: none has ended yet), status as [`status`](crate::status) says.
    pub const WAIT: u32 = 4;
    /// Sends a signal. Word 0: process, word 1: 1 when that is a group, word 2: number of the signal.
    pub const KILL: u32 = 5;
    /// All processes, from an index on (word 0). Reply: how many entries are in the I/O buffer, next index or 0. Entries as
    /// in [`list`](crate::list).
    pub const LIST: u32 = 6;
    /// Makes a group the terminal's foreground. Word 0: group.
    pub const SET_FOREGROUND: u32 = 7;
    /// Switches the machine off. Word 0: status.
    pub const POWER_OFF: u32 = 8;
    /// Memory. Reply: total bytes, free bytes.
    pub const MEMORY: u32 = 9;
    /// Says which signals are held back and do not end the caller: word 0 has bit 0 for interrupts of the terminal, bit 1
    /// for [`signal::TERMINATE`].
    pub const HOLD_INTERRUPTS: u32 = 10;
    /// Takes what was held back. Reply: word 0 is 1 when there was an interrupt, word 1 when the caller was asked to end.
    pub const TAKE_INTERRUPT: u32 = 11;
    /// Makes the caller the leader of a new group. Reply: the group.
    pub const LEAD_GROUP: u32 = 12;
    /// Gives a server the caller's I/O buffer. Word 0: 1 the file server, 2 the console server. With 3 the caller gets
    /// [`slot::NAMES`](crate::slot::NAMES) instead: the registry of names, which needs no buffer.
    pub const CONNECT: u32 = 20;
    /// Of the first process alone. Waits until a child has ended that nobody has waited for, or the system is to go down;
    /// takes nothing, so it can be asked again when time has run out. A second one replaces the first. Reply: word 0 is 1
    /// when a child has ended, word 1 is 0 or the status of the power-off plus 1.
    pub const NEWS: u32 = 21;
    /// Asks the first process to bring the system down in order. Word 0: status of the power-off. For callers that may
    /// switch the machine off. `NotSupported` when the first process has never asked for [`NEWS`].
    pub const SHUTDOWN: u32 = 22;
    /// Memory to make objects of, for programs that may switch the machine off. Word 0: bytes, one of [`UNTYPED_SIZES`](crate::UNTYPED_SIZES); word 1: the caller's slot
    /// that gets the untyped. It lasts as long as the caller.
    pub const UNTYPED: u32 = 30;
    /// Makes a channel and gives the caller both ends. Reply: numbers of the end that sends and of the one that receives.
    pub const CHANNEL: u32 = 31;
    /// Tells what an end of the caller is. Word 0: its number. Reply: 0 it sends, 1 it receives.
    pub const CHANNEL_END: u32 = 32;
    /// Takes an end from the caller. Word 0: its number. Its peer's notification gets
    /// [`channel_bit::GONE`](crate::channel_bit::GONE), as when the caller ends.
    pub const CHANNEL_CLOSE: u32 = 33;

    /// An endpoint at which the caller receives, for programs that may provide a name. Word 0: the caller's slot that gets it,
    /// with all rights. It lasts as long as the caller, and there are [`MAX_ENDPOINTS`](crate::MAX_ENDPOINTS) at most.
    pub const ENDPOINT: u32 = 34;

    /// Signals.
    pub mod signal {
        /// The interrupt key.
        pub const INTERRUPT: u64 = 2;
        /// Ends at once.
        pub const KILL: u64 = 9;
        /// Asks to end; ends who does not [hold it back](super::HOLD_INTERRUPTS).
        pub const TERMINATE: u64 = 15;
        /// Goes on.
        pub const CONTINUE: u64 = 18;
        /// Stops.
        pub const STOP: u64 = 19;
    }
}

/// How a process ended, in one word.
pub mod status {
    /// Added to the number of the signal that ended it.
    pub const SIGNALLED: u64 = 1 << 32;
    /// Added to the number of the fault that ended it.
    pub const FAULTED: u64 = 2 << 32;
    /// It has been stopped.
    pub const STOPPED: u64 = 3 << 32;
}

/// Requests to the file server, and, where it says so, to the console server.
pub mod files {
    /// From the process server: the I/O buffer of a process. Word 0: the process; carries the capability of the frame. Console
    /// too. Any request of a process before it gets [`NotConnected`](crate::Error::NotConnected).
    pub const CONNECT: u32 = 32;
    /// Opens. Word 0: length of the absolute path, word 1: bits of [`open`]. Reply: handle, kind; for kind
    /// [`kind::CONSOLE`] the console server is to be used instead, with any handle.
    pub const OPEN: u32 = 33;
    /// Word 0: handle. Console too, where it does nothing.
    pub const CLOSE: u32 = 34;
    /// Word 0: handle, word 1: length, at most [`IO_SIZE`](crate::IO_SIZE). Reply: length, 0 at the end. Waits at pipes.
    /// Console too.
    pub const READ: u32 = 35;
    /// As `READ`. Console too.
    pub const WRITE: u32 = 36;
    /// Word 0: handle, word 1: offset, signed, word 2: 0 from the start, 1 from the current position, 2 from the end.
    /// Reply: new position.
    pub const SEEK: u32 = 37;
    /// Word 0: handle. Reply: kind, length, number of the node.
    pub const STATUS: u32 = 38;
    /// Word 0: length of the path. Reply as `STATUS`.
    pub const STATUS_OF_PATH: u32 = 39;
    /// Word 0: handle of a directory, word 1: cursor, 0 at first. Reply: bytes of entries in the I/O buffer (each: one byte
    /// kind, two bytes length of the name, little endian, the name), next cursor; 0 bytes at the end.
    pub const READ_DIRECTORY: u32 = 40;
    /// Word 0: length of the path.
    pub const CREATE_DIRECTORY: u32 = 41;
    /// Word 0: length of the path.
    pub const REMOVE_FILE: u32 = 42;
    /// Word 0: length of the path.
    pub const REMOVE_DIRECTORY: u32 = 43;
    /// Word 0: length of the old path, word 1: of the new one, which follows it.
    pub const RENAME: u32 = 44;
    /// Reply: handle to read, handle to write.
    pub const PIPE: u32 = 45;
    /// Word 0: handle. Reply: another handle of the same open file.
    pub const DUPLICATE: u32 = 46;
    /// Word 0: handle, word 1: length.
    pub const TRUNCATE: u32 = 47;
    /// Console only. Word 0: 0 lines with editing, 1 bytes as they come. Reply: the mode before.
    pub const SET_MODE: u32 = 48;
    /// Console only. Reply: rows, columns.
    pub const SIZE: u32 = 49;
    /// From the process server (badge [`PROCESS_SERVER`](crate::PROCESS_SERVER)): word 0: handle, word 1: process that has
    /// it, word 2: process that gets a duplicate. Reply: its handle.
    pub const PASS_ON: u32 = 64;
    /// From the process server: word 0: process that has ended. Console too.
    pub const GONE: u32 = 65;
    /// From the process server, after [`signal_bit::PROCESSES`](crate::signal_bit::PROCESSES): word 0: bytes of entries as in
    /// [`list`](crate::list) that are in the buffer of [`PROCESS_SERVER_AS_CLIENT`](crate::PROCESS_SERVER_AS_CLIENT), word 1:
    /// 1 when more of them follow.
    pub const PROCESSES: u32 = 66;
    /// From the process server to the console server: word 0: process, word 1: 1 when it has been stopped, which keeps input
    /// from it, 0 when it goes on.
    pub const PAUSE: u32 = 67;
    /// From the process server to the console server: somebody else is in the foreground. Before the first one everybody may
    /// read; then each process that wants to is asked about with [`READER`], once until the next one.
    pub const FOREGROUND: u32 = 68;
    /// From the process server to the console server, after
    /// [`signal_bit::READERS`](crate::signal_bit::READERS): word 0: process that wants to read, or 0 for none; word 1: one
    /// of [`reader`]. Reply: the next process that wants to, or 0.
    pub const READER: u32 = 69;

    /// What becomes of a process that wants to read from the terminal.
    pub mod reader {
        /// It fails.
        pub const REFUSED: u64 = 0;
        /// It may.
        pub const ALLOWED: u64 = 1;
        /// It waits until the process has been stopped and goes on, and then asks again.
        pub const STOPPED: u64 = 2;
    }

    /// How to open.
    pub mod open {
        /// To read.
        pub const READ: u64 = 1;
        /// To write.
        pub const WRITE: u64 = 2;
        /// Every write goes to the end.
        pub const APPEND: u64 = 4;
        /// What the file holds is thrown away.
        pub const TRUNCATE: u64 = 8;
        /// It is made when it is not there.
        pub const CREATE: u64 = 16;
        /// It must not be there.
        pub const CREATE_NEW: u64 = 32;
        /// It has to be a directory.
        pub const DIRECTORY: u64 = 64;
    }

    /// Kinds of files.
    pub mod kind {
        /// Bytes.
        pub const FILE: u64 = 0;
        /// Names.
        pub const DIRECTORY: u64 = 1;
        /// A device.
        pub const DEVICE: u64 = 2;
        /// A pipe.
        pub const PIPE: u64 = 3;
        /// The console: served by the console server.
        pub const CONSOLE: u64 = 4;
    }
}

/// Badge of the process server's own messages to other servers.
pub const PROCESS_SERVER: u64 = 1 << 40;
