//! I/O ports, for programs that drive devices behind them.

use crate::Architecture;
use crate::arch::Machine;

/// Whether the architecture has I/O ports.
pub const EXIST: bool = Machine::PORTS;

/// Reads 1, 2 or 4 bytes from a port; `None` for another width, and where there are no ports.
pub fn read(port: u16, width: usize) -> Option<u64> {
    Machine::read_port(port, width)
}

/// Writes 1, 2 or 4 bytes to a port; `None` for another width, and where there are no ports. Returns zero.
pub fn write(port: u16, width: usize, value: u64) -> Option<u64> {
    Machine::write_port(port, width, value).then_some(0)
}
