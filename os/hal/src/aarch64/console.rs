//! The PL011 UART. Source: Arm, "PrimeCell UART (PL011) Technical Reference Manual" (DDI 0183).
//!
//! The firmware or the emulator has set its line up; this file only sends.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::{Device, phys};

/// Where QEMU's virt machine has it.
const VIRT_PORT: u64 = 0x0900_0000;

const DATA: u64 = 0;
const FLAGS: u64 = 0x18;
const TRANSMIT_FULL: u32 = 1 << 5;

/// How often the transmitter is looked at before a byte is dropped.
const PATIENCE: u32 = 1 << 20;

static PORT: AtomicU64 = AtomicU64::new(VIRT_PORT);

/// Uses the UART at this physical address, or goes on with QEMU's.
pub(super) fn use_port(port: Option<u64>) {
    PORT.store(port.unwrap_or(VIRT_PORT), Ordering::Relaxed);
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
