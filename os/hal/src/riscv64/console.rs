//! The console: firmware's until the device tree names a 16550, then that.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use kcore::bytes::be32;
use kcore::fdt::Fdt;

use super::cpu;
use crate::console::{Uart, UartKind};
use crate::{Device, device_tree, phys};

/// Console Putchar of SBI 0.1, which firmware still has.
const PUTCHAR: u64 = 1;

const LINE_STATUS: u64 = 5;
const TRANSMITTER_EMPTY: u8 = 1 << 5;

/// How often the transmitter is looked at before a byte is dropped.
const PATIENCE: u32 = 1 << 20;

/// Physical address of the 16550; 0 while it is unknown.
static PORT: AtomicU64 = AtomicU64::new(0);

/// Its interrupt; 0 when unknown.
static INTERRUPT: AtomicU32 = AtomicU32::new(0);

/// Uses the 16550 that the device tree names, with registers of one byte, as firmware has set it up. Returns where it is.
pub(super) fn use_device_tree(tree: &Fdt<'_>) -> Device {
    const MODELS: &[&str] = &["ns16550a", "ns16550"];
    let port = device_tree::find(tree, MODELS).map(|ranges| ranges[0].0);
    let Some(port) = port.filter(|port| port.is_multiple_of(4096)) else {
        return (0, 0);
    };
    PORT.store(port, Ordering::Relaxed);
    let interrupt = device_tree::property_of(tree, MODELS, "interrupts").and_then(|value| be32(value, 0));
    INTERRUPT.store(interrupt.unwrap_or(0), Ordering::Relaxed);
    (port, 4096)
}

/// The 16550 as a device.
pub(super) fn device() -> Option<Uart> {
    let (base, interrupt) = (PORT.load(Ordering::Relaxed), INTERRUPT.load(Ordering::Relaxed));
    let uart = Uart {
        kind: UartKind::Ns16550,
        base,
        interrupt: (interrupt != 0).then_some(interrupt),
    };
    (base != 0).then_some(uart)
}

/// Sends a byte.
pub(super) fn write(byte: u8) {
    let port = PORT.load(Ordering::Relaxed);
    if port == 0 {
        // SAFETY: firmware prints a byte.
        unsafe { cpu::firmware(PUTCHAR, 0, [u64::from(byte), 0, 0, 0]) };
        return;
    }
    for _ in 0..PATIENCE {
        // SAFETY: the registers of this file's device: mapped at their own address before the kernel's tables are
        // active, and as a device since then.
        unsafe {
            if phys::read_register::<u8>(port + LINE_STATUS) & TRANSMITTER_EMPTY != 0 {
                phys::write_register(port, byte);
                return;
            }
        }
    }
}
