//! aarch64, 4 KiB granule, 48-bit addresses. Source: Arm ARM (DDI 0487), chapter D8 "The AArch64 Virtual Memory System
//! Architecture".

use super::{Access, Attributes, Encoding, Entry, Memory, Owner};

/// The format of aarch64, stage 1 of the EL1&0 regime.
#[derive(Clone, Copy, Debug)]
pub struct Aarch64;

/// What the kernel writes to `MAIR_EL1`: slot 0 device memory (nGnRnE), slots 3 and 4 write-back cached memory.
///
/// Slots 0 to 3 are EDK2's, slot 4 is U-Boot's for cached memory. The kernel replaces the register while it runs on
/// the loader's tables, and this choice changes no attribute that those tables use for the kernel.
pub const MAIR: u64 = 0x00_00_00_ff_ff_bb_44_00;

const VALID: u64 = 1;
/// At level 0 a page, above it a table; a large page has the bit clear.
const TABLE_OR_PAGE: u64 = 1 << 1;
const SLOT_NORMAL: u64 = 3 << 2;
const SLOT_MASK: u64 = 7 << 2;
const AP_USER: u64 = 1 << 6;
const AP_READ_ONLY: u64 = 1 << 7;
const INNER_SHAREABLE: u64 = 3 << 8;
const ACCESSED: u64 = 1 << 10;
const NOT_GLOBAL: u64 = 1 << 11;
const KERNEL_NO_EXECUTE: u64 = 1 << 53;
const USER_NO_EXECUTE: u64 = 1 << 54;
const ADDRESS: u64 = 0x0000_ffff_ffff_f000;

impl Encoding for Aarch64 {
    const LEVELS: usize = 4;
    const PHYSICAL_BITS: u32 = 48;
    const MAX_LEAF_LEVEL: usize = 2;

    fn table(table: u64) -> u64 {
        table | VALID | TABLE_OR_PAGE
    }

    fn leaf(phys: u64, level: usize, attributes: Attributes) -> u64 {
        let executable = attributes.access == Access::ReadExecute;
        let write = if attributes.access == Access::ReadWrite {
            0
        } else {
            AP_READ_ONLY
        };
        let memory = if attributes.memory == Memory::Normal {
            SLOT_NORMAL | INNER_SHAREABLE
        } else {
            0
        };
        let owner = match (attributes.owner, executable) {
            (Owner::User, true) => AP_USER | NOT_GLOBAL | KERNEL_NO_EXECUTE,
            (Owner::User, false) => AP_USER | NOT_GLOBAL | KERNEL_NO_EXECUTE | USER_NO_EXECUTE,
            (Owner::Kernel, true) => USER_NO_EXECUTE,
            (Owner::Kernel, false) => KERNEL_NO_EXECUTE | USER_NO_EXECUTE,
        };
        let kind = if level == 0 { TABLE_OR_PAGE } else { 0 };
        phys | VALID | kind | write | memory | owner | ACCESSED
    }

    fn decode(entry: u64, level: usize) -> Entry {
        if entry & VALID == 0 {
            return Entry::Empty;
        }
        let phys = entry & ADDRESS;
        if level > 0 && entry & TABLE_OR_PAGE != 0 {
            return if entry == Self::table(phys) {
                Entry::Table(phys)
            } else {
                Entry::Unknown
            };
        }
        let owner = if entry & AP_USER != 0 {
            Owner::User
        } else {
            Owner::Kernel
        };
        let no_execute = if owner == Owner::User {
            USER_NO_EXECUTE
        } else {
            KERNEL_NO_EXECUTE
        };
        let access = match (entry & AP_READ_ONLY == 0, entry & no_execute != 0) {
            (false, true) => Access::ReadOnly,
            (true, true) => Access::ReadWrite,
            (false, false) => Access::ReadExecute,
            (true, false) => return Entry::Unknown,
        };
        let memory = if entry & SLOT_MASK == SLOT_NORMAL {
            Memory::Normal
        } else {
            Memory::Device
        };
        let attributes = Attributes {
            access,
            memory,
            owner,
        };
        if entry == Self::leaf(phys, level, attributes) {
            Entry::Leaf(phys, attributes)
        } else {
            Entry::Unknown
        }
    }
}
