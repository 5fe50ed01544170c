//! Firmware's ACPI tables.

use kcore::acpi::{PhysicalMemory, Tables};

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

/// Length of what comes before the entries of the table of interrupt controllers (MADT).
const CONTROLLERS_HEADER: usize = 44;

/// The entries of the table of interrupt controllers: their kinds and their bytes, the first two of which are kind and
/// length. Source: ACPI Specification 6.5, section 5.2.12.
pub(crate) fn controllers<'a>(
    tables: &Tables<'a, Firmware>,
) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
    let table = tables.find(b"APIC").unwrap_or_default();
    let mut rest = table.get(CONTROLLERS_HEADER..).unwrap_or_default();
    core::iter::from_fn(move || {
        let (&kind, &len) = (rest.first()?, rest.get(1)?);
        let (entry, behind) = rest.split_at_checked(usize::from(len).max(2))?;
        rest = behind;
        Some((kind, entry))
    })
}
