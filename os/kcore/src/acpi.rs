//! The few facts that the kernel takes from ACPI: how to switch the machine off, and where aarch64's devices are.
//!
//! Source: ACPI Specification 6.5, chapters 5.2 "ACPI System Description Tables" and 16.3 "OEM-supplied AML"; Serial Port
//! Console Redirection Table 1.08. AML is not interpreted: the one package that is needed is found by its name.

use crate::bytes::{le16, le32, le64};

/// Physical memory that holds firmware tables.
pub trait PhysicalMemory {
    /// `len` bytes at a physical address, or `None` when they cannot be read.
    fn bytes(&self, start: u64, len: usize) -> Option<&[u8]>;
}

/// Length of the header that every table begins with.
const HEADER: usize = 36;

/// Longest table that is read.
const MAX_LEN: usize = 4 << 20;

/// How to enter the soft-off state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftOff {
    /// I/O port of the PM1a control register.
    pub port: u16,
    /// Value to write: sleep type and the enable bit.
    pub value: u16,
}

/// Where the interrupt controller of an Arm machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gic {
    /// Version of the architecture: 2, 3, …; 0 when the table does not say.
    pub version: u8,
    /// Physical address of the distributor.
    pub distributor: u64,
    /// Physical address of a CPU's own interface, from version 2 on below 3.
    pub cpu_interface: u64,
}

/// The tables that an ACPI root pointer leads to.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a, M> {
    memory: &'a M,
    /// The table that lists all others.
    root: &'a [u8],
    /// Width of its entries in bytes: 4 (RSDT) or 8 (XSDT).
    width: usize,
}

/// Sum of all bytes, which has to be zero in a table.
fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(byte))
}

/// The table at an address, when its length and checksum are right.
fn table<M: PhysicalMemory>(memory: &M, start: u64) -> Option<&[u8]> {
    let len = le32(memory.bytes(start, HEADER)?, 4)? as usize;
    let table = (HEADER..=MAX_LEN)
        .contains(&len)
        .then(|| memory.bytes(start, len))??;
    (sum(table) == 0).then_some(table)
}

impl<'a, M: PhysicalMemory> Tables<'a, M> {
    /// Follows the root pointer. `None` when it or the table that it names is malformed.
    pub fn new(memory: &'a M, rsdp: u64) -> Option<Self> {
        let pointer = memory.bytes(rsdp, 20)?;
        if pointer.get(..8)? != b"RSD PTR " || sum(pointer) != 0 {
            return None;
        }
        let extended = if pointer[15] >= 2 {
            memory.bytes(rsdp, 36)
        } else {
            None
        };
        let (start, width) = match extended.and_then(|extended| le64(extended, 24)) {
            Some(start) if start != 0 => (start, 8),
            _ => (u64::from(le32(pointer, 16)?), 4),
        };
        let root = table(memory, start)?;
        let signature: &[u8] = if width == 8 { b"XSDT" } else { b"RSDT" };
        (root.get(..4)? == signature).then_some(Self { memory, root, width })
    }

    /// The first table with this signature.
    pub fn find(&self, signature: &[u8; 4]) -> Option<&'a [u8]> {
        self.root[HEADER..].chunks_exact(self.width).find_map(|entry| {
            let start = le64(entry, 0).or_else(|| le32(entry, 0).map(u64::from))?;
            table(self.memory, start).filter(|table| table[..4] == *signature)
        })
    }

    /// How to switch the machine off, from the fixed table and the `\_S5` package.
    pub fn soft_off(&self) -> Option<SoftOff> {
        let fixed = self.find(b"FACP")?;
        let dsdt = le64(fixed, 140)
            .filter(|&start| start != 0)
            .or_else(|| le32(fixed, 40).map(u64::from))?;
        let port = u16::try_from(le32(fixed, 64)?).ok().filter(|&port| port != 0)?;
        let sleep_type = sleep_type_s5(table(self.memory, dsdt)?)?;
        Some(SoftOff {
            port,
            value: u16::from(sleep_type & 7) << 10 | 1 << 13,
        })
    }

    /// The interrupt controller, from the MADT's distributor (type 12) and first CPU interface (type 11).
    pub fn gic(&self) -> Option<Gic> {
        let mut rest = self.find(b"APIC")?.get(HEADER + 8..)?;
        let (mut distributor, mut cpu_interface, mut version) = (None, None, 0);
        while let (Some(&kind), Some(&len)) = (rest.first(), rest.get(1)) {
            let Some((entry, behind)) = rest.split_at_checked(usize::from(len).max(2)) else {
                break;
            };
            match kind {
                11 if cpu_interface.is_none() => cpu_interface = le64(entry, 32),
                12 => {
                    distributor = le64(entry, 8);
                    version = entry.get(20).copied().unwrap_or(0);
                }
                _ => {}
            }
            rest = behind;
        }
        Some(Gic {
            version,
            distributor: distributor?,
            cpu_interface: cpu_interface?,
        })
    }

    /// Physical address of the console's PL011 UART, from the SPCR table.
    pub fn pl011(&self) -> Option<u64> {
        let console = self.find(b"SPCR")?;
        // Interface types 3 and 0xe are PL011 and its subset; address space 0 is memory.
        let is_pl011 = matches!(console.get(HEADER)?, 3 | 0xe) && *console.get(40)? == 0;
        is_pl011.then(|| le64(console, 44))?
    }
}

/// The first value of the package `_S5_` in AML: `NameOp "_S5_" PackageOp length count value …`.
fn sleep_type_s5(aml: &[u8]) -> Option<u8> {
    let at = aml.windows(4).position(|name| name == b"_S5_")?;
    let package = aml.get(at + 4..)?;
    if *package.first()? != 0x12 {
        return None;
    }
    // The top two bits of the first length byte say how many more follow; then comes the number of values.
    let more = usize::from(package.get(1)? >> 6);
    let value = package.get(3 + more..)?;
    match value.first()? {
        0x0a => value.get(1).copied(),
        0x0b => u8::try_from(le16(value, 1)?).ok(),
        &constant @ (0 | 1) => Some(constant),
        _ => None,
    }
}
