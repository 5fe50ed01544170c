//! The page tables that the kernel is entered with, for all three architectures.
//!
//! All three use 4 KiB pages and tables of 512 entries; they differ in the bits of an entry ([`Format`]) and
//! in the number of levels. Where tables live is the caller's business ([`TableMemory`]), so all formats are
//! tested on the host.

use crate::PAGE;

const ENTRIES: u64 = 512;

/// Rights and memory type of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// May be written. A mapping must not be both writable and executable.
    pub write: bool,
    /// May be executed, by the kernel only.
    pub execute: bool,
    /// What is behind the address.
    pub memory: Memory,
}

impl Access {
    /// Memory for data.
    pub const READ_WRITE: Self = Self {
        write: true,
        execute: false,
        memory: Memory::Normal,
    };
    /// Memory for code.
    pub const READ_EXECUTE: Self = Self {
        write: false,
        execute: true,
        memory: Memory::Normal,
    };
    /// Memory for constants.
    pub const READ_ONLY: Self = Self {
        write: false,
        execute: false,
        memory: Memory::Normal,
    };
    /// Registers of devices.
    pub const DEVICE: Self = Self {
        write: true,
        execute: false,
        memory: Memory::Device,
    };
    /// A screen outside of RAM: no caching, but none of the alignment rules of device registers.
    pub const FRAMEBUFFER: Self = Self {
        write: true,
        execute: false,
        memory: Memory::Uncached,
    };
}

/// Memory type. Only aarch64 has it in its page tables; x86_64 has MTRRs and riscv64 physical memory
/// attributes for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Cached RAM.
    Normal,
    /// Uncached RAM.
    Uncached,
    /// Device registers: no caching, no reordering, no speculation.
    Device,
}

/// How one architecture writes page-table entries.
///
/// Level 0 is the one with 4 KiB pages. An entry of 0 is invalid on every architecture.
pub trait Format {
    /// Levels of tables.
    const LEVELS: u32;
    /// The highest level whose entries may map memory themselves.
    const BLOCK_LEVEL: u32;
    /// Addresses below this one can be mapped to themselves.
    const IDENTITY_LIMIT: u64;

    /// Entry that points to the table at the physical address `table`.
    fn table(table: u64) -> u64;
    /// Entry that maps `phys` at `level`.
    fn leaf(phys: u64, level: u32, access: Access) -> u64;
    /// The table that an entry points to, or `None` for an entry that maps memory. Not for invalid entries.
    fn as_table(entry: u64, level: u32) -> Option<u64>;
    /// The same mapping `offset` bytes further and one level lower.
    fn split(entry: u64, level: u32, offset: u64) -> u64;
}

/// x86_64, four levels. AMD64 Architecture Programmer's Manual volume 2, section 5.3.
#[derive(Clone, Copy, Debug)]
pub struct X86_64;

impl X86_64 {
    const PRESENT: u64 = 1 << 0;
    const WRITE: u64 = 1 << 1;
    const LARGE: u64 = 1 << 7;
    const NO_EXECUTE: u64 = 1 << 63;
    const ADDRESS: u64 = 0x000f_ffff_ffff_f000;
}

impl Format for X86_64 {
    const LEVELS: u32 = 4;
    // 1 GiB pages are optional in the architecture and would save little.
    const BLOCK_LEVEL: u32 = 1;
    const IDENTITY_LIMIT: u64 = 1 << 47;

    fn table(table: u64) -> u64 {
        table | Self::PRESENT | Self::WRITE
    }

    fn leaf(phys: u64, level: u32, access: Access) -> u64 {
        let mut entry = phys | Self::PRESENT;
        if access.write {
            entry |= Self::WRITE;
        }
        if !access.execute {
            entry |= Self::NO_EXECUTE;
        }
        if level > 0 {
            entry |= Self::LARGE;
        }
        entry
    }

    fn as_table(entry: u64, level: u32) -> Option<u64> {
        (level > 0 && entry & Self::LARGE == 0).then_some(entry & Self::ADDRESS)
    }

    fn split(entry: u64, level: u32, offset: u64) -> u64 {
        // Bit 7 means something else in a 4 KiB entry.
        let entry = if level == 1 { entry & !Self::LARGE } else { entry };
        entry + offset
    }
}

/// aarch64, 4 KiB granule, 48-bit addresses. Arm Architecture Reference Manual, section D8.3.
#[derive(Clone, Copy, Debug)]
pub struct Aarch64;

impl Aarch64 {
    /// What `MAIR_EL1` must hold for the attribute indices used here: device nGnRnE in slot 0, write-back
    /// normal memory in slot 1, uncached normal memory in slot 2.
    pub const MAIR: u64 = 0x44_ff_00;

    const VALID: u64 = 1 << 0;
    const TABLE_OR_PAGE: u64 = 1 << 1;
    const READ_ONLY: u64 = 0b10 << 6;
    const INNER_SHAREABLE: u64 = 0b11 << 8;
    const ACCESSED: u64 = 1 << 10;
    const PRIVILEGED_NO_EXECUTE: u64 = 1 << 53;
    const USER_NO_EXECUTE: u64 = 1 << 54;
    const ADDRESS: u64 = 0x0000_ffff_ffff_f000;
}

impl Format for Aarch64 {
    const LEVELS: u32 = 4;
    const BLOCK_LEVEL: u32 = 2;
    // The last entry of the root is left to the upper half, so that one tree can serve both.
    const IDENTITY_LIMIT: u64 = 1 << 47;

    fn table(table: u64) -> u64 {
        table | Self::VALID | Self::TABLE_OR_PAGE
    }

    fn leaf(phys: u64, level: u32, access: Access) -> u64 {
        let slot = match access.memory {
            Memory::Device => 0,
            Memory::Normal => 1,
            Memory::Uncached => 2,
        };
        let mut entry =
            phys | Self::VALID | slot << 2 | Self::INNER_SHAREABLE | Self::ACCESSED | Self::USER_NO_EXECUTE;
        if !access.write {
            entry |= Self::READ_ONLY;
        }
        if !access.execute {
            entry |= Self::PRIVILEGED_NO_EXECUTE;
        }
        if level == 0 {
            entry |= Self::TABLE_OR_PAGE;
        }
        entry
    }

    fn as_table(entry: u64, level: u32) -> Option<u64> {
        (level > 0 && entry & Self::TABLE_OR_PAGE != 0).then_some(entry & Self::ADDRESS)
    }

    fn split(entry: u64, level: u32, offset: u64) -> u64 {
        let entry = if level == 1 {
            entry | Self::TABLE_OR_PAGE
        } else {
            entry
        };
        entry + offset
    }
}

/// riscv64 with Sv39. RISC-V Privileged Architecture, section 12.4.
#[derive(Clone, Copy, Debug)]
pub struct Riscv64;

impl Riscv64 {
    const VALID: u64 = 1 << 0;
    const READ: u64 = 1 << 1;
    const WRITE: u64 = 1 << 2;
    const EXECUTE: u64 = 1 << 3;
    // Set beforehand: hardware may fault instead of setting them itself.
    const ACCESSED: u64 = 1 << 6;
    const DIRTY: u64 = 1 << 7;
    const ADDRESS: u64 = (1 << 44) - 1;

    /// Page numbers start two bits lower in an entry than in an address.
    fn page_number(phys: u64) -> u64 {
        phys >> 12 << 10
    }
}

impl Format for Riscv64 {
    const LEVELS: u32 = 3;
    const BLOCK_LEVEL: u32 = 2;
    const IDENTITY_LIMIT: u64 = 1 << 38;

    fn table(table: u64) -> u64 {
        Self::page_number(table) | Self::VALID
    }

    fn leaf(phys: u64, _level: u32, access: Access) -> u64 {
        let mut entry = Self::page_number(phys) | Self::VALID | Self::READ | Self::ACCESSED | Self::DIRTY;
        if access.write {
            entry |= Self::WRITE;
        }
        if access.execute {
            entry |= Self::EXECUTE;
        }
        entry
    }

    fn as_table(entry: u64, _level: u32) -> Option<u64> {
        let rights = Self::READ | Self::WRITE | Self::EXECUTE;
        (entry & rights == 0).then_some((entry >> 10 & Self::ADDRESS) << 12)
    }

    fn split(entry: u64, _level: u32, offset: u64) -> u64 {
        entry + Self::page_number(offset)
    }
}

/// Where page tables are kept.
pub trait TableMemory {
    /// Why no further table can be had.
    type Error;
    /// Physical address of a fresh table with all entries 0.
    ///
    /// # Errors
    ///
    /// When memory is exhausted.
    fn allocate(&mut self) -> Result<u64, Self::Error>;
    /// Entry `index` (below 512) of the table at `table`, an address that [`allocate`](Self::allocate)
    /// returned.
    fn read(&self, table: u64, index: u64) -> u64;
    /// Replaces that entry.
    fn write(&mut self, table: u64, index: u64, entry: u64);
}

/// A tree of page tables in the format `F`.
#[derive(Debug)]
pub struct PageTables<F, M> {
    memory: M,
    root: u64,
    format: core::marker::PhantomData<F>,
}

impl<F: Format, M: TableMemory> PageTables<F, M> {
    /// An empty tree.
    ///
    /// # Errors
    ///
    /// When `memory` has no table left.
    pub fn new(mut memory: M) -> Result<Self, M::Error> {
        let root = memory.allocate()?;
        Ok(Self {
            memory,
            root,
            format: core::marker::PhantomData,
        })
    }

    /// Physical address of the top table.
    pub fn root(&self) -> u64 {
        self.root
    }

    /// Maps `len` bytes of physical memory from `phys` on at the virtual address `virt`, in the largest
    /// blocks that fit. What was mapped there before is replaced. All three numbers are multiples of
    /// [`PAGE`]; sign-extension bits of `virt` are ignored.
    ///
    /// # Errors
    ///
    /// When no table can be had; part of the range is mapped then.
    pub fn map(&mut self, virt: u64, phys: u64, len: u64, access: Access) -> Result<(), M::Error> {
        let mut done = 0;
        while done < len {
            let (v, p, left) = (virt.wrapping_add(done), phys.wrapping_add(done), len - done);
            let level = (0..=F::BLOCK_LEVEL)
                .rev()
                .find(|&level| (v | p) % block_size(level) == 0 && left >= block_size(level))
                .unwrap_or(0);
            self.map_block(v, level, F::leaf(p, level, access), access, p)?;
            done += block_size(level);
        }
        Ok(())
    }

    /// Puts `leaf` at `level` for `virt`; where smaller blocks exist there already, each of them is replaced
    /// instead, because a table that is left out of the tree could not be given back.
    fn map_block(
        &mut self,
        virt: u64,
        level: u32,
        leaf: u64,
        access: Access,
        phys: u64,
    ) -> Result<(), M::Error> {
        let mut table = self.root;
        for above in (level + 1..F::LEVELS).rev() {
            table = self.descend(table, index(virt, above), above)?;
        }
        let at = index(virt, level);
        let old = self.memory.read(table, at);
        match F::as_table(old, level) {
            Some(_) if old != 0 => {
                let part = block_size(level - 1);
                for n in 0..ENTRIES {
                    let (v, p) = (virt + n * part, phys + n * part);
                    self.map_block(v, level - 1, F::leaf(p, level - 1, access), access, p)?;
                }
            }
            _ => self.memory.write(table, at, leaf),
        }
        Ok(())
    }

    /// The table below entry `at` of `table`, made if need be, with what a block there maps.
    fn descend(&mut self, table: u64, at: u64, level: u32) -> Result<u64, M::Error> {
        let entry = self.memory.read(table, at);
        if entry != 0
            && let Some(next) = F::as_table(entry, level)
        {
            return Ok(next);
        }
        let next = self.memory.allocate()?;
        if entry != 0 {
            for n in 0..ENTRIES {
                self.memory
                    .write(next, n, F::split(entry, level, n * block_size(level - 1)));
            }
        }
        self.memory.write(table, at, F::table(next));
        Ok(next)
    }
}

/// Bytes that one entry covers.
fn block_size(level: u32) -> u64 {
    PAGE << (9 * level)
}

fn index(virt: u64, level: u32) -> u64 {
    virt / block_size(level) % ENTRIES
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    const KERNEL: u64 = 0xffff_ffff_8020_0000;
    const GIB: u64 = 1 << 30;
    const MIB: u64 = 1 << 20;

    /// Table n lies at physical address (n + 1) * PAGE; fails once `limit` tables are there.
    struct Tables {
        tables: Vec<[u64; 512]>,
        limit: usize,
    }

    impl TableMemory for &mut Tables {
        type Error = &'static str;
        fn allocate(&mut self) -> Result<u64, Self::Error> {
            if self.tables.len() == self.limit {
                return Err("no memory");
            }
            self.tables.push([0; 512]);
            Ok(self.tables.len() as u64 * PAGE)
        }
        fn read(&self, table: u64, index: u64) -> u64 {
            self.tables[(table / PAGE) as usize - 1][index as usize]
        }
        fn write(&mut self, table: u64, index: u64, entry: u64) {
            self.tables[(table / PAGE) as usize - 1][index as usize] = entry;
        }
    }

    fn tables() -> Tables {
        Tables {
            tables: Vec::new(),
            limit: usize::MAX,
        }
    }

    /// What hardware would find for `virt`: physical address and the entry without it.
    fn translate<F: Format>(pt: &PageTables<F, &mut Tables>, virt: u64) -> Option<(u64, u64)> {
        let mut table = pt.root();
        for level in (0..F::LEVELS).rev() {
            let entry = pt.memory.read(table, index(virt, level));
            if entry == 0 {
                return None;
            }
            match F::as_table(entry, level) {
                Some(next) if level > 0 => table = next,
                _ => {
                    let bare = F::leaf(0, level, Access::READ_EXECUTE)
                        | F::leaf(0, level, Access::DEVICE)
                        | F::leaf(0, level, Access::READ_WRITE)
                        | F::leaf(0, level, Access::FRAMEBUFFER);
                    let address = entry & !bare;
                    let address = if F::LEVELS == 3 {
                        address >> 10 << 12
                    } else {
                        address
                    };
                    return Some((address + virt % block_size(level), entry & bare));
                }
            }
        }
        panic!("a table at level 0");
    }

    fn rights<F: Format>(level: u32, access: Access) -> u64 {
        F::leaf(0, level, access)
    }

    fn kernel_and_identity<F: Format>() {
        let mut memory = tables();
        let mut pt = PageTables::<F, _>::new(&mut memory).unwrap();
        pt.map(0, 0, 4 * GIB, Access::DEVICE).unwrap();
        pt.map(GIB, GIB, GIB + 5 * PAGE, Access::READ_WRITE).unwrap();
        // The page that the processor runs from while tables are exchanged.
        let enter = GIB + 300 * MIB + 3 * PAGE;
        pt.map(enter, enter, PAGE, Access::READ_EXECUTE).unwrap();
        pt.map(KERNEL, GIB + 2 * MIB, 2 * PAGE, Access::READ_EXECUTE)
            .unwrap();
        pt.map(
            KERNEL + 2 * PAGE,
            GIB + 2 * MIB + 2 * PAGE,
            PAGE,
            Access::READ_WRITE,
        )
        .unwrap();

        let found = |virt| translate(&pt, virt).map(|(phys, _)| phys);
        for virt in [
            0,
            0x900_0000,
            GIB - 1,
            GIB,
            enter - 1,
            enter + 8,
            enter + PAGE,
            2 * GIB + 5 * PAGE,
            4 * GIB - 1,
        ] {
            assert_eq!(found(virt), Some(virt), "{virt:#x}");
        }
        assert_eq!(found(4 * GIB), None);
        assert_eq!(found(KERNEL), Some(GIB + 2 * MIB));
        assert_eq!(found(KERNEL + 2 * PAGE + 7), Some(GIB + 2 * MIB + 2 * PAGE + 7));
        assert_eq!(found(KERNEL + 3 * PAGE), None);
        assert_eq!(found(KERNEL - 1), None);

        let bits = |virt| translate(&pt, virt).unwrap().1;
        assert_eq!(bits(enter), rights::<F>(0, Access::READ_EXECUTE));
        assert_eq!(bits(enter + PAGE), rights::<F>(0, Access::READ_WRITE));
        assert_eq!(bits(enter - 2 * MIB), rights::<F>(1, Access::READ_WRITE));
        assert_eq!(bits(2 * GIB + 4 * PAGE), rights::<F>(0, Access::READ_WRITE));
        assert_eq!(bits(2 * GIB + 5 * PAGE), rights::<F>(0, Access::DEVICE));
        assert_eq!(bits(KERNEL + PAGE), rights::<F>(0, Access::READ_EXECUTE));
        assert_eq!(bits(KERNEL + 2 * PAGE), rights::<F>(0, Access::READ_WRITE));
    }

    #[test]
    fn kernel_and_identity_map_on_x86_64() {
        kernel_and_identity::<X86_64>();
    }

    #[test]
    fn kernel_and_identity_map_on_aarch64() {
        kernel_and_identity::<Aarch64>();
    }

    #[test]
    fn kernel_and_identity_map_on_riscv64() {
        kernel_and_identity::<Riscv64>();
    }

    fn large_block_over_small_pages<F: Format>() {
        let mut memory = tables();
        let mut pt = PageTables::<F, _>::new(&mut memory).unwrap();
        pt.map(GIB + PAGE, GIB + PAGE, PAGE, Access::READ_EXECUTE)
            .unwrap();
        pt.map(GIB, GIB, GIB, Access::READ_WRITE).unwrap();
        for virt in [GIB, GIB + PAGE, GIB + 2 * MIB, 2 * GIB - PAGE] {
            let (phys, bits) = translate(&pt, virt).unwrap();
            let level = if virt < GIB + 2 * MIB { 0 } else { 1 };
            assert_eq!(
                (phys, bits),
                (virt, rights::<F>(level, Access::READ_WRITE)),
                "{virt:#x}"
            );
        }
    }

    #[test]
    fn a_large_block_replaces_small_pages() {
        large_block_over_small_pages::<X86_64>();
        large_block_over_small_pages::<Aarch64>();
        large_block_over_small_pages::<Riscv64>();
    }

    #[test]
    fn entries_are_those_of_the_manuals() {
        let (rx, rw) = (Access::READ_EXECUTE, Access::READ_WRITE);
        assert_eq!(X86_64::leaf(0x20_0000, 0, rx), 0x20_0001);
        assert_eq!(X86_64::leaf(0x20_0000, 1, rw), 0x8000_0000_0020_0083);
        assert_eq!(X86_64::table(0x1000), 0x1003);
        assert_eq!(Aarch64::leaf(0x4000_0000, 2, rw), 0x0060_0000_4000_0705);
        assert_eq!(Aarch64::leaf(0x4000_0000, 0, rx), 0x0040_0000_4000_0787);
        assert_eq!(
            Aarch64::leaf(0x900_0000, 0, Access::DEVICE),
            0x0060_0000_0900_0703
        );
        assert_eq!(Aarch64::table(0x1000), 0x1003);
        assert_eq!(Riscv64::leaf(0x8000_0000, 2, rw), 0x2000_00c7);
        assert_eq!(Riscv64::leaf(0x8000_0000, 0, rx), 0x2000_00cb);
        assert_eq!(Riscv64::table(0x1000), 0x401);
    }

    #[test]
    fn lack_of_memory_is_reported() {
        let mut memory = Tables {
            tables: Vec::new(),
            limit: 2,
        };
        let mut pt = PageTables::<Riscv64, _>::new(&mut memory).unwrap();
        assert_eq!(pt.map(KERNEL, 0, PAGE, Access::READ_WRITE), Err("no memory"));
    }
}
