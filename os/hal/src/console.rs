//! The kernel's console: the serial port, one byte after the other.

use core::fmt;

use crate::Architecture;
use crate::arch::Machine;
use crate::sync::Lock;

/// Keeps the lines of several CPUs apart.
static LINES: Lock<()> = Lock::new(());

/// How a serial port is programmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UartKind {
    /// A 16550 behind I/O ports.
    Ns16550Ports,
    /// A 16550 in memory, with registers of one byte.
    Ns16550,
    /// Arm's PL011, in memory.
    Pl011,
}

/// The serial port that the console uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uart {
    /// How it is programmed.
    pub kind: UartKind,
    /// Its first I/O port, or the physical address of its registers.
    pub base: u64,
    /// Number of its interrupt, when firmware says which.
    pub interrupt: Option<u32>,
}

/// The serial port, for a program that is to drive it. `None` when the console is firmware's.
pub fn device() -> Option<Uart> {
    Machine::uart()
}

/// Writes to the serial port. Lines end with carriage return and line feed, as terminals want it.
#[derive(Clone, Copy, Debug)]
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let _line = LINES.lock();
        Unlocked.write_str(text)
    }
}

struct Unlocked;

impl fmt::Write for Unlocked {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                Machine::write_console(b'\r');
            }
            Machine::write_console(byte);
        }
        Ok(())
    }
}

/// Prints a line. No other CPU's output comes in between.
pub fn print_line(text: fmt::Arguments<'_>) {
    use fmt::Write as _;
    let _line = LINES.lock();
    // The console takes everything.
    let _ = writeln!(Unlocked, "{text}");
}

/// Takes the console away from whoever prints: for the end of the kernel, when nobody else runs any more.
pub(crate) fn seize() {
    LINES.reset();
}

/// Prints a line to the console, formatted as by `format!`.
#[macro_export]
macro_rules! println {
    ($($argument:tt)*) => {
        $crate::console::print_line(::core::format_args!($($argument)*))
    };
}
