//! x86_64, 4-level paging. Source: Intel SDM volume 3A, section 5.5 "4-Level Paging and 5-Level Paging".

use super::{Access, Attributes, Encoding, Entry, Memory, Owner};

/// The format of x86_64.
#[derive(Clone, Copy, Debug)]
pub struct X86_64;

const PRESENT: u64 = 1;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
/// Write-through and cache-disable: with the power-on PAT these two together mean "uncacheable".
const UNCACHED: u64 = 1 << 3 | 1 << 4;
/// Set by the CPU; part of what is compared when an entry is decoded.
const ACCESSED_DIRTY: u64 = 1 << 5 | 1 << 6;
const LARGE: u64 = 1 << 7;
const GLOBAL: u64 = 1 << 8;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

impl Encoding for X86_64 {
    const LEVELS: usize = 4;
    const PHYSICAL_BITS: u32 = 52;
    /// 2 MiB: not every CPU has 1 GiB pages.
    const MAX_LEAF_LEVEL: usize = 1;

    /// The leaf decides what is allowed: the CPU combines all levels, so tables allow everything.
    fn table(table: u64) -> u64 {
        table | PRESENT | WRITABLE | USER
    }

    fn leaf(phys: u64, level: usize, attributes: Attributes) -> u64 {
        let access = match attributes.access {
            Access::ReadOnly => NO_EXECUTE,
            Access::ReadWrite => NO_EXECUTE | WRITABLE,
            Access::ReadExecute => 0,
        };
        let memory = if attributes.memory == Memory::Device {
            UNCACHED
        } else {
            0
        };
        let owner = if attributes.owner == Owner::User {
            USER
        } else {
            GLOBAL
        };
        let size = if level > 0 { LARGE } else { 0 };
        phys | PRESENT | access | memory | owner | size
    }

    fn decode(entry: u64, level: usize) -> Entry {
        if entry & PRESENT == 0 {
            return Entry::Empty;
        }
        let phys = entry & ADDRESS;
        let plain = entry & !ACCESSED_DIRTY;
        if level > 0 && entry & LARGE == 0 {
            return if plain == Self::table(phys) {
                Entry::Table(phys)
            } else {
                Entry::Unknown
            };
        }
        let access = match (entry & WRITABLE != 0, entry & NO_EXECUTE != 0) {
            (false, true) => Access::ReadOnly,
            (true, true) => Access::ReadWrite,
            (false, false) => Access::ReadExecute,
            (true, false) => return Entry::Unknown,
        };
        let memory = if entry & UNCACHED != 0 {
            Memory::Device
        } else {
            Memory::Normal
        };
        let owner = if entry & USER != 0 {
            Owner::User
        } else {
            Owner::Kernel
        };
        let attributes = Attributes {
            access,
            memory,
            owner,
        };
        if plain == Self::leaf(phys, level, attributes) {
            Entry::Leaf(phys, attributes)
        } else {
            Entry::Unknown
        }
    }
}
