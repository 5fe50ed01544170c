//! Page tables as data: three encodings of one model, and a walker that works on any of them.
//!
//! All three formats have 4 KiB pages and tables of 512 entries. Level 0 holds pages; an entry of a higher level points
//! to a table or, from level 1 on, maps a large page. [`Access`] has no value for "writable and executable", so no
//! mapping made here can be both.

mod aarch64;
mod mapper;
mod riscv64;
mod x86_64;

pub use aarch64::{Aarch64, MAIR};
pub use mapper::{MapError, Mapper, Released, TableMemory, Translation};
pub use riscv64::Riscv64;
pub use x86_64::X86_64;

/// Size of a page in bytes.
pub const PAGE_SIZE: u64 = 4096;

/// Entries of a table.
pub const ENTRIES: usize = 512;

/// What may be done with a page. Every page is readable, and none is both writable and executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Data that does not change.
    ReadOnly,
    /// Data.
    ReadWrite,
    /// Code.
    ReadExecute,
}

/// What lies behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Cached memory.
    Normal,
    /// Device registers: neither cached nor reordered. On riscv64 the machine itself knows which addresses these are.
    Device,
}

/// Who may use a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The kernel alone. The same in every address space.
    Kernel,
    /// A user program. Kernel code cannot be made to execute it.
    User,
}

/// Everything that a leaf entry says besides the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// What may be done.
    pub access: Access,
    /// What lies behind.
    pub memory: Memory,
    /// Who may.
    pub owner: Owner,
}

impl Attributes {
    /// Ordinary memory of the kernel.
    pub const fn kernel(access: Access) -> Self {
        Self {
            access,
            memory: Memory::Normal,
            owner: Owner::Kernel,
        }
    }

    /// Ordinary memory of a user program.
    pub const fn user(access: Access) -> Self {
        Self {
            access,
            memory: Memory::Normal,
            owner: Owner::User,
        }
    }

    /// Device registers.
    pub const DEVICE: Self = Self {
        access: Access::ReadWrite,
        memory: Memory::Device,
        owner: Owner::Kernel,
    };
}

/// What an entry means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing is mapped.
    Empty,
    /// A table of the next lower level at this physical address.
    Table(u64),
    /// A page, or a large page, at this physical address.
    Leaf(u64, Attributes),
    /// Present, but nothing that [`Encoding::leaf`] or [`Encoding::table`] makes.
    Unknown,
}

/// One architecture's format of table entries.
pub trait Encoding {
    /// Levels of a tree: the root is at level `LEVELS - 1`.
    const LEVELS: usize;

    /// Significant bits of a physical address.
    const PHYSICAL_BITS: u32;

    /// Highest level at which a leaf may stand.
    const MAX_LEAF_LEVEL: usize;

    /// An entry that points to a table.
    fn table(table: u64) -> u64;

    /// An entry that maps memory at `phys`, a multiple of the level's page size.
    fn leaf(phys: u64, level: usize, attributes: Attributes) -> u64;

    /// What an entry at a level means.
    fn decode(entry: u64, level: usize) -> Entry;
}

/// Bytes that one entry of a level maps.
pub const fn level_size(level: usize) -> u64 {
    PAGE_SIZE << (9 * level)
}

/// Index of an address in a table of a level.
pub const fn index(virt: u64, level: usize) -> usize {
    (virt >> (12 + 9 * level)) as usize % ENTRIES
}

/// Whether the bits above the significant ones all equal the highest significant one.
pub const fn is_canonical<I: Encoding>(virt: u64) -> bool {
    let shift = 64 - (12 + 9 * I::LEVELS as u32);
    ((virt << shift) as i64 >> shift) as u64 == virt
}
