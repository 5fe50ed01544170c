//! Serial ports: a 16550 and a PL011, whatever their registers are reached by.

/// How often the port is asked whether it takes a byte before the byte is dropped.
pub const PATIENCE: u32 = 100_000;

/// How a serial port is programmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A 16550, with registers of one byte.
    Ns16550,
    /// Arm's PL011, with registers of four bytes.
    Pl011,
}

/// The registers of a port, by their offset in bytes.
pub trait Registers {
    /// Reads a register.
    fn read(&mut self, offset: u64) -> u32;
    /// Writes a register.
    fn write(&mut self, offset: u64, value: u32);
}

mod ns16550 {
    pub(super) const DATA: u64 = 0;
    pub(super) const INTERRUPT_ENABLE: u64 = 1;
    pub(super) const FIFO_CONTROL: u64 = 2;
    pub(super) const MODEM_CONTROL: u64 = 4;
    pub(super) const LINE_STATUS: u64 = 5;

    /// Of `INTERRUPT_ENABLE`: something was received.
    pub(super) const RECEIVED: u32 = 1;
    /// Of `FIFO_CONTROL`: on, with an interrupt for each byte.
    pub(super) const FIFO_ON: u32 = 1;
    /// Of `MODEM_CONTROL`: ready; the last one lets interrupts out of the port on PCs.
    pub(super) const READY: u32 = 1 | 2 | 8;
    /// Of `LINE_STATUS`.
    pub(super) const HAS_DATA: u32 = 1;
    pub(super) const CAN_SEND: u32 = 1 << 5;
}

mod pl011 {
    pub(super) const DATA: u64 = 0;
    pub(super) const FLAGS: u64 = 0x18;
    pub(super) const CONTROL: u64 = 0x30;
    pub(super) const INTERRUPT_MASK: u64 = 0x38;
    pub(super) const INTERRUPT_CLEAR: u64 = 0x44;

    /// Of `FLAGS`.
    pub(super) const NOTHING_RECEIVED: u32 = 1 << 4;
    pub(super) const CANNOT_SEND: u32 = 1 << 5;
    /// Of `CONTROL`: the port, its sender and its receiver.
    pub(super) const ON: u32 = 1 | 1 << 8 | 1 << 9;
    /// Of the interrupt registers: enough was received, or something and nothing more for a while.
    pub(super) const RECEIVED: u32 = 1 << 4 | 1 << 6;
    /// Of `DATA`: what came is no byte: a break, or garbled.
    pub(super) const WRONG: u32 = 1 << 8 | 1 << 9 | 1 << 10;
}

/// A serial port. Speed and framing are as firmware has left them.
#[derive(Debug)]
pub struct Uart<R> {
    kind: Kind,
    registers: R,
    /// Came before the port was started.
    early: Option<u8>,
}

impl<R: Registers> Uart<R> {
    /// The port with these registers.
    pub const fn new(kind: Kind, registers: R) -> Self {
        Self {
            kind,
            registers,
            early: None,
        }
    }

    /// Lets the port tell of input with an interrupt.
    pub fn start(&mut self) {
        if self.kind == Kind::Ns16550 {
            // Switching its buffer on empties the port.
            self.early = self.receive();
        }
        let registers = &mut self.registers;
        match self.kind {
            Kind::Ns16550 => {
                registers.write(ns16550::FIFO_CONTROL, ns16550::FIFO_ON);
                let ready = registers.read(ns16550::MODEM_CONTROL) | ns16550::READY;
                registers.write(ns16550::MODEM_CONTROL, ready);
                registers.write(ns16550::INTERRUPT_ENABLE, ns16550::RECEIVED);
            }
            Kind::Pl011 => {
                let on = registers.read(pl011::CONTROL) | pl011::ON;
                registers.write(pl011::CONTROL, on);
                registers.write(pl011::INTERRUPT_MASK, pl011::RECEIVED);
            }
        }
    }

    /// The interrupt has been seen. To be called before what was received is read: what comes later tells again.
    pub fn acknowledge(&mut self) {
        match self.kind {
            // Reading is enough.
            Kind::Ns16550 => {}
            Kind::Pl011 => self.registers.write(pl011::INTERRUPT_CLEAR, pl011::RECEIVED),
        }
    }

    /// The next byte that was received.
    pub fn receive(&mut self) -> Option<u8> {
        if let Some(early) = self.early.take() {
            return Some(early);
        }
        let registers = &mut self.registers;
        match self.kind {
            Kind::Ns16550 => {
                let has_data = registers.read(ns16550::LINE_STATUS) & ns16550::HAS_DATA != 0;
                has_data.then(|| registers.read(ns16550::DATA) as u8)
            }
            Kind::Pl011 => {
                while registers.read(pl011::FLAGS) & pl011::NOTHING_RECEIVED == 0 {
                    let data = registers.read(pl011::DATA);
                    if data & pl011::WRONG == 0 {
                        return Some(data as u8);
                    }
                }
                None
            }
        }
    }

    /// Sends a byte; whether the port took it.
    pub fn send(&mut self, byte: u8) -> bool {
        let registers = &mut self.registers;
        for _ in 0..PATIENCE {
            let can_send = match self.kind {
                Kind::Ns16550 => registers.read(ns16550::LINE_STATUS) & ns16550::CAN_SEND != 0,
                Kind::Pl011 => registers.read(pl011::FLAGS) & pl011::CANNOT_SEND == 0,
            };
            if can_send {
                // Both have it at the same place.
                const { assert!(ns16550::DATA == pl011::DATA) };
                registers.write(pl011::DATA, u32::from(byte));
                return true;
            }
        }
        false
    }
}
