//! Memory from the firmware. Blocks are never given back: they go to the kernel, as memory of kind `Loader`,
//! or the firmware reclaims them when the loader fails.

use boot_core::PAGE;
use boot_core::paging::TableMemory;
use bootinfo::{BootInfo, MemoryRegion};
use core::ptr::NonNull;
use core::slice;
use uefi::boot::{self, AllocateType, MemoryType};
use uefi::mem::memory_map::MemoryMap;

use crate::error::Error;

/// Whole pages that hold `bytes`.
pub(crate) fn pages_for(bytes: u64) -> usize {
    bytes.div_ceil(PAGE) as usize
}

/// Zeroed, contiguous pages that belong to this value alone, at their physical address.
#[derive(Debug)]
pub(crate) struct Block {
    start: NonNull<u8>,
    /// Bytes that are meant; the block is as long as the pages that hold them.
    len: usize,
}

impl Block {
    /// `pages` pages anywhere.
    pub(crate) fn zeroed(pages: usize) -> Result<Self, Error> {
        Self::allocate(AllocateType::AnyPages, pages).map_err(|cause| Error::Memory { pages, cause })
    }

    /// `pages` pages from a multiple of `alignment` (at least a page, a power of two) on, as low as possible.
    pub(crate) fn aligned(pages: usize, alignment: u64) -> Result<Self, Error> {
        let map = boot::memory_map(MemoryType::LOADER_DATA).map_err(Error::MemoryMap)?;
        let wanted = pages as u64 * PAGE;
        let candidate = |start: u64, end: u64| {
            // Address 0 is avoided: it is no valid pointer.
            let aligned = start.max(alignment).checked_next_multiple_of(alignment)?;
            (aligned.checked_add(wanted)? <= end).then_some(aligned)
        };
        let mut tried = 0;
        loop {
            // The map need not be sorted, and memory that it shows as free may have been taken by the map's
            // own buffer.
            let next = map
                .entries()
                .filter(|d| d.ty == MemoryType::CONVENTIONAL)
                .filter_map(|d| candidate(d.phys_start.max(tried), d.phys_start + d.page_count * PAGE))
                .min()
                .ok_or(Error::NoBlock { pages, alignment })?;
            if let Ok(block) = Self::allocate(AllocateType::Address(next), pages) {
                return Ok(block);
            }
            tried = next + alignment;
        }
    }

    fn allocate(how: AllocateType, pages: usize) -> uefi::Result<Self> {
        let start = boot::allocate_pages(how, MemoryType::LOADER_DATA, pages)?;
        let len = pages * PAGE as usize;
        // SAFETY: the firmware has just given us `pages` pages at `start`, which nobody else uses.
        unsafe { start.write_bytes(0, len) };
        Ok(Self { start, len })
    }

    /// Declares that only the first `len` bytes are meant; no effect if the block is shorter.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Physical address of the first byte.
    pub(crate) fn start(&self) -> u64 {
        self.start.as_ptr() as u64
    }

    /// Length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The content.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: `start` and `len` describe memory that `allocate` obtained and initialised, and `truncate`
        // only lowers `len`. The block is never freed, and no other value refers to it; `&self` keeps writers
        // away.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// The content, for writing.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; `&mut self` makes this the only reference.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// The content as memory regions, as many as fit.
    pub(crate) fn as_regions(&mut self) -> &mut [MemoryRegion] {
        // SAFETY: as in `bytes_mut`; pages are aligned for a `MemoryRegion`, which consists of integers, for
        // which all bits are valid; the length is rounded down.
        unsafe { slice::from_raw_parts_mut(self.start.cast().as_ptr(), self.len / size_of::<MemoryRegion>()) }
    }

    /// Puts `record` at the start.
    pub(crate) fn store(&mut self, record: BootInfo) {
        const { assert!(size_of::<BootInfo>() <= PAGE as usize && align_of::<BootInfo>() <= PAGE as usize) };
        // SAFETY: a block has at least one page, aligned to pages, which the assertion shows to be enough;
        // `&mut self` makes this the only access.
        unsafe { self.start.cast::<BootInfo>().write(record) };
    }
}

/// Page tables in memory from the firmware, which runs with physical memory mapped to itself.
#[derive(Debug)]
pub(crate) struct FirmwareTables;

impl FirmwareTables {
    fn entry(table: u64, index: u64) -> *mut u64 {
        debug_assert!(index < 512);
        (table as *mut u64).wrapping_add(index as usize)
    }
}

impl TableMemory for FirmwareTables {
    type Error = Error;

    fn allocate(&mut self) -> Result<u64, Error> {
        Block::zeroed(1).map(|block| block.start())
    }

    fn read(&self, table: u64, index: u64) -> u64 {
        // SAFETY: by the trait's contract `table` came from `allocate`, whose page is never freed and only
        // accessed through this value, and `index` is below the 512 entries of a page.
        unsafe { Self::entry(table, index).read() }
    }

    fn write(&mut self, table: u64, index: u64, entry: u64) {
        // SAFETY: as in `read`.
        unsafe { Self::entry(table, index).write(entry) }
    }
}
