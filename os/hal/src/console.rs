//! The kernel's console: the serial port, one byte after the other.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use kcore::paging::PAGE_SIZE;

use crate::Architecture;
use crate::arch::Machine;
use crate::memory::Memory;
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

/// The serial port as a program gets it.
#[derive(Debug)]
pub struct Claimed {
    /// Its registers; `None` for one at I/O ports, one that there is not, and when it has been claimed before.
    pub memory: Option<Memory>,
    /// How it is programmed, as `abi::start::RootInfo` numbers it; 0 when there is none.
    pub kind: u64,
    /// Its first I/O port, or the offset of its registers in the memory.
    pub base: u64,
    /// Its interrupt; 0 when it is not known.
    pub interrupt: u64,
}

/// Gives the serial port's registers away, once. The kernel's own console still writes to them.
pub fn claim_device() -> Claimed {
    static CLAIMED: AtomicBool = AtomicBool::new(false);
    let Some(uart) = device() else {
        return Claimed {
            memory: None,
            kind: 0,
            base: 0,
            interrupt: 0,
        };
    };
    let (kind, in_memory) = match uart.kind {
        UartKind::Ns16550Ports => (1, false),
        UartKind::Ns16550 => (2, true),
        UartKind::Pl011 => (3, true),
    };
    let first = !CLAIMED.swap(true, Ordering::Relaxed);
    Claimed {
        // SAFETY: the registers are a device's, in a page of its own; they are claimed once, and this crate only writes
        // bytes to be sent.
        memory: (in_memory && first)
            .then(|| unsafe { Memory::claim(uart.base / PAGE_SIZE * PAGE_SIZE, PAGE_SIZE, true) }),
        kind,
        base: if in_memory {
            uart.base % PAGE_SIZE
        } else {
            uart.base
        },
        interrupt: uart.interrupt.map_or(0, u64::from),
    }
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
