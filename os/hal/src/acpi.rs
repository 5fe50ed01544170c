//! Firmware's ACPI tables.

use kcore::acpi::PhysicalMemory;

use crate::phys;

/// Firmware tables, while all of physical memory is mapped at its own address.
pub(crate) struct Firmware {
    end: u64,
}

impl Firmware {
    /// Firmware tables below `end`.
    ///
    /// # Safety
    /// Memory below `end` is mapped at its own address wherever firmware has put tables.
    pub(crate) unsafe fn new(end: u64) -> Self {
        Self { end }
    }
}

impl PhysicalMemory for Firmware {
    fn bytes(&self, start: u64, len: usize) -> Option<&[u8]> {
        let end = start.checked_add(len as u64)?;
        // SAFETY: below the end, where `new`'s contract says that tables are mapped; firmware no longer runs.
        (start != 0 && end <= self.end).then(|| unsafe { phys::bytes(start, len) })
    }
}
