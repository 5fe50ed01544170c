//! The PL011 UART. Source: Arm, "PrimeCell UART (PL011) Technical Reference Manual" (DDI 0183).
//!
//! The firmware or the emulator has set its line up; this file only sends.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use kcore::acpi::Tables;
use kcore::bytes::le32;
use kcore::fdt::Fdt;

use super::devices;
use crate::acpi::Firmware;
use crate::console::{Uart, UartKind};
use crate::{Device, device_tree, phys};

/// Where QEMU's virt machine has it.
const VIRT_PORT: u64 = 0x0900_0000;

const DATA: u64 = 0;
const FLAGS: u64 = 0x18;
const TRANSMIT_FULL: u32 = 1 << 5;

/// How often the transmitter is looked at before a byte is dropped.
const PATIENCE: u32 = 1 << 20;

static PORT: AtomicU64 = AtomicU64::new(VIRT_PORT);

/// Its interrupt; 0 when unknown.
static INTERRUPT: AtomicU32 = AtomicU32::new(0);

/// Uses the UART that the device tree names, or goes on with QEMU's.
pub(super) fn use_device_tree(tree: &Fdt<'_>) {
    const MODELS: &[&str] = &["arm,pl011"];
    if let Some(ranges) = device_tree::find(tree, MODELS) {
        PORT.store(ranges[0].0, Ordering::Relaxed);
        let interrupt = device_tree::property_of(tree, MODELS, "interrupts").and_then(devices::number);
        INTERRUPT.store(interrupt.unwrap_or(0), Ordering::Relaxed);
    }
}

/// Uses the UART that ACPI's table of the console names, or goes on with QEMU's. Bit 3 of the interrupt types says that
/// the number is that of the GIC.
pub(super) fn use_acpi(tables: &Tables<'_, Firmware>) {
    if let (Some(port), Some(table)) = (tables.pl011(), tables.find(b"SPCR")) {
        PORT.store(port, Ordering::Relaxed);
        let is_gic = table.get(52).is_some_and(|types| types & 1 << 3 != 0);
        let interrupt = le32(table, 54).filter(|_| is_gic);
        INTERRUPT.store(interrupt.unwrap_or(0), Ordering::Relaxed);
    }
}

/// The UART as a device.
pub(super) fn device() -> Uart {
    let interrupt = INTERRUPT.load(Ordering::Relaxed);
    Uart {
        kind: UartKind::Pl011,
        base: PORT.load(Ordering::Relaxed),
        interrupt: (interrupt != 0).then_some(interrupt),
    }
}

/// Where the registers are in memory.
pub(super) fn registers() -> Device {
    (PORT.load(Ordering::Relaxed), 4096)
}

/// Sends a byte.
pub(super) fn write(byte: u8) {
    let port = PORT.load(Ordering::Relaxed);
    for _ in 0..PATIENCE {
        // SAFETY: the registers of this file's device: mapped at their own address before the kernel's tables are
        // active, and as a device since then.
        unsafe {
            if phys::read_register::<u32>(port + FLAGS) & TRANSMIT_FULL == 0 {
                phys::write_register(port + DATA, u32::from(byte));
                return;
            }
        }
    }
}
