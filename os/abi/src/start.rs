//! What the first program starts with, and the numbers of kinds and rights in calls.

/// Number of a kind of object in `retype` and `capability_identify`.
pub mod kind {
    /// Memory of which objects are made.
    pub const UNTYPED: u64 = 1;
    /// Memory that can be mapped.
    pub const FRAME: u64 = 2;
    /// An address space.
    pub const SPACE: u64 = 3;
    /// A thread.
    pub const THREAD: u64 = 4;
    /// A place to send messages to.
    pub const ENDPOINT: u64 = 5;
    /// 64 bits that can be signalled.
    pub const NOTIFICATION: u64 = 6;
    /// A table of capabilities.
    pub const TABLE: u64 = 7;
    /// Scheduling parameters.
    pub const SCHEDULE: u64 = 8;
    /// The right to reply to one call.
    pub const REPLY: u64 = 9;
    /// A range of interrupts.
    pub const INTERRUPTS: u64 = 10;
    /// A range of I/O ports.
    pub const PORTS: u64 = 11;
    /// The machine: the console of the kernel (write), power (grant), CPUs (grant).
    pub const MACHINE: u64 = 12;
}

/// Bits of rights in calls.
pub mod right {
    /// To read, to receive, to wait.
    pub const READ: u64 = 1;
    /// To write, to send, to signal, to change.
    pub const WRITE: u64 = 2;
    /// To transfer capabilities through an endpoint.
    pub const GRANT: u64 = 4;
    /// To execute.
    pub const EXECUTE: u64 = 8;
    /// All of them.
    pub const ALL: u64 = 15;
}

/// Slots of the first program's table.
pub mod slot {
    /// Its own table.
    pub const TABLE: u64 = 1;
    /// Its own address space.
    pub const SPACE: u64 = 2;
    /// Its own thread.
    pub const THREAD: u64 = 3;
    /// The machine.
    pub const MACHINE: u64 = 4;
    /// All interrupts.
    pub const INTERRUPTS: u64 = 5;
    /// All I/O ports; empty where there are none.
    pub const PORTS: u64 = 6;
    /// Of programs that another one started: the endpoint of that one.
    pub const PARENT: u64 = 7;
    /// The first untyped; as many follow as [`RootInfo`](super::RootInfo) says.
    pub const UNTYPED: u64 = 16;
}

/// Most untyped objects of ordinary memory that the first program gets.
pub const MAX_UNTYPED: usize = 64;

/// Name of a file of the initrd that switches randomisation off: every program then lies at the same addresses.
pub const FIXED_ADDRESSES: &str = "fixed-addresses";

/// How many slots the first program's table has.
pub const ROOT_SLOTS: u64 = 16384;

/// What the first program's argument points to: numbers of 64 bits, in its own memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct RootInfo {
    /// Where the initrd is mapped.
    pub initrd: u64,
    /// Its length in bytes.
    pub initrd_len: u64,
    /// How many untyped objects of memory there are.
    pub untyped: u64,
    /// Slot of the untyped that holds the registers of the serial port; 0 where it has none.
    pub serial_untyped: u64,
    /// The serial port: 1 a 16550 at I/O ports, 2 a 16550 in memory, 3 a PL011.
    pub serial_kind: u64,
    /// Its first I/O port, or the offset of its registers in the untyped's first page.
    pub serial_base: u64,
    /// Its interrupt; 0 when it is not known.
    pub serial_interrupt: u64,
    /// How many CPUs run.
    pub cpus: u64,
    /// Where its heap shall begin: as many bytes are free there as a heap may have.
    pub heap: u64,
    /// Whether the seed holds randomness from the CPU or firmware. If not, it is made of the clock.
    pub has_seed: u64,
    /// For a generator of random numbers; nobody else got the same.
    pub seed: [u64; 4],
}

/// What [`RootInfo`] is as numbers.
pub const ROOT_INFO_WORDS: usize = size_of::<RootInfo>() / 8;

impl RootInfo {
    /// As numbers, in the order of the fields.
    pub const fn to_words(self) -> [u64; ROOT_INFO_WORDS] {
        let [a, b, c, d] = self.seed;
        [
            self.initrd,
            self.initrd_len,
            self.untyped,
            self.serial_untyped,
            self.serial_kind,
            self.serial_base,
            self.serial_interrupt,
            self.cpus,
            self.heap,
            self.has_seed,
            a,
            b,
            c,
            d,
        ]
    }

    /// From numbers.
    pub const fn from_words(words: [u64; ROOT_INFO_WORDS]) -> Self {
        let [
            initrd,
            initrd_len,
            untyped,
            serial_untyped,
            serial_kind,
            serial_base,
            serial_interrupt,
            cpus,
            heap,
            has_seed,
            a,
            b,
            c,
            d,
        ] = words;
        Self {
            initrd,
            initrd_len,
            untyped,
            serial_untyped,
            serial_kind,
            serial_base,
            serial_interrupt,
            cpus,
            heap,
            has_seed,
            seed: [a, b, c, d],
        }
    }
}

/// What `kernel_statistics` tells: numbers of 64 bits in this order. A newer kernel may have more behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct KernelInfo {
    /// Bytes of usable memory.
    pub memory: u64,
    /// Kernel objects alive.
    pub objects: u64,
    /// Room for so many.
    pub objects_max: u64,
    /// Bytes free in the kernel's heap, which only boot takes from.
    pub heap_free: u64,
    /// CPUs that run.
    pub cpus: u64,
    /// CPUs that the machine has.
    pub cpus_max: u64,
    /// Times that a CPU went from one thread to another.
    pub switches: u64,
    /// Nanoseconds that all CPUs together have idled.
    pub idle: u64,
}

impl KernelInfo {
    /// As numbers, in the order of the fields.
    pub const fn to_words(self) -> [u64; 8] {
        [
            self.memory,
            self.objects,
            self.objects_max,
            self.heap_free,
            self.cpus,
            self.cpus_max,
            self.switches,
            self.idle,
        ]
    }
}
