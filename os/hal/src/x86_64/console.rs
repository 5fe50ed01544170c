//! The first serial port: a 16550 at its traditional place.

use super::cpu::{read_port, write_port};
use super::devices;
use crate::console::{Uart, UartKind};

const PORT: u16 = 0x3f8;
const LINE_STATUS: u16 = PORT + 5;
const TRANSMITTER_EMPTY: u8 = 1 << 5;

/// Its interrupt on the old bus.
const INTERRUPT: usize = 4;

/// How often the transmitter is looked at before a byte is dropped: a port that never becomes ready is not there.
const PATIENCE: u32 = 1 << 20;

/// 115200 baud, 8 bits, no parity, FIFOs on, no interrupts.
pub(super) fn init() {
    let sequence = [
        (1, 0x00),
        (3, 0x80),
        (0, 0x01),
        (1, 0x00),
        (3, 0x03),
        (2, 0xc7),
        (4, 0x03),
    ];
    for (register, value) in sequence {
        // SAFETY: the port belongs to this file.
        unsafe { write_port(PORT + register, value) };
    }
}

/// Sends a byte.
pub(super) fn write(byte: u8) {
    for _ in 0..PATIENCE {
        // SAFETY: the port belongs to this file.
        unsafe {
            if read_port(LINE_STATUS) & TRANSMITTER_EMPTY != 0 {
                write_port(PORT, byte);
                return;
            }
        }
    }
}

/// The port as a device.
pub(super) fn device() -> Uart {
    Uart {
        kind: UartKind::Ns16550Ports,
        base: u64::from(PORT),
        interrupt: devices::of_old_bus(INTERRUPT),
    }
}
