//! riscv64, Sv39. Source: RISC-V Privileged Architecture, section "Sv39: Page-Based 39-bit Virtual-Memory System".

use super::{Access, Attributes, Encoding, Entry, Memory, Owner};

/// The format of riscv64.
#[derive(Clone, Copy, Debug)]
pub struct Riscv64;

const VALID: u64 = 1;
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 2;
const EXECUTE: u64 = 1 << 3;
const USER: u64 = 1 << 4;
const GLOBAL: u64 = 1 << 5;
/// Set from the start: a CPU may fault instead of setting these itself.
const ACCESSED_DIRTY: u64 = 1 << 6 | 1 << 7;
const NUMBER: u64 = (1 << 44) - 1;

const fn address(entry: u64) -> u64 {
    (entry >> 10 & NUMBER) << 12
}

impl Encoding for Riscv64 {
    const LEVELS: usize = 3;
    const PHYSICAL_BITS: u32 = 56;
    const MAX_LEAF_LEVEL: usize = 2;

    fn table(table: u64) -> u64 {
        table >> 12 << 10 | VALID
    }

    fn leaf(phys: u64, _level: usize, attributes: Attributes) -> u64 {
        let access = match attributes.access {
            Access::ReadOnly => READ,
            Access::ReadWrite => READ | WRITE,
            Access::ReadExecute => READ | EXECUTE,
        };
        let owner = if attributes.owner == Owner::User {
            USER
        } else {
            GLOBAL
        };
        phys >> 12 << 10 | VALID | access | owner | ACCESSED_DIRTY
    }

    /// The format has no memory type: every leaf reads as [`Memory::Normal`].
    fn decode(entry: u64, level: usize) -> Entry {
        if entry & VALID == 0 {
            return Entry::Empty;
        }
        let phys = address(entry);
        if entry & (READ | WRITE | EXECUTE) == 0 {
            return if level > 0 && entry == Self::table(phys) {
                Entry::Table(phys)
            } else {
                Entry::Unknown
            };
        }
        let access = match entry & (READ | WRITE | EXECUTE) {
            READ => Access::ReadOnly,
            flags if flags == READ | WRITE => Access::ReadWrite,
            flags if flags == READ | EXECUTE => Access::ReadExecute,
            _ => return Entry::Unknown,
        };
        let owner = if entry & USER != 0 {
            Owner::User
        } else {
            Owner::Kernel
        };
        let attributes = Attributes {
            access,
            memory: Memory::Normal,
            owner,
        };
        if entry == Self::leaf(phys, level, attributes) {
            Entry::Leaf(phys, attributes)
        } else {
            Entry::Unknown
        }
    }
}
