//! The registers of the serial port, behind I/O ports or in memory.

use core::ptr;

use console::{Kind, Registers};
use protocol::{address, slot};

/// Where the registers are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// At I/O ports from this one on.
    Ports(u64),
    /// In memory from this address on: `width` bytes each. Made by [`place`] alone, which knows that they are mapped.
    Memory { start: u64, width: u64 },
}

/// What the start record says as `kind,base,interrupt`: how the port is programmed, where it is, and its interrupt, 0 when
/// that is not known.
pub(crate) fn place(text: &str) -> Option<(Kind, Place, u64)> {
    let mut numbers = text.split(',').map(|number| number.parse::<u64>().ok());
    let (kind, base, interrupt) = (numbers.next()??, numbers.next()??, numbers.next()??);
    // The registers lie in one page.
    let in_memory = |width| {
        (base < abi::layout::PAGE_SIZE / 2).then_some(Place::Memory {
            start: address::DEVICE + base,
            width,
        })
    };
    let (kind, place) = match kind {
        1 => (Kind::Ns16550, Place::Ports(base)),
        2 => (Kind::Ns16550, in_memory(1)?),
        3 => (Kind::Pl011, in_memory(4)?),
        _ => return None,
    };
    Some((kind, place, interrupt))
}

impl Registers for Place {
    fn read(&mut self, offset: u64) -> u32 {
        match *self {
            // A port that cannot be read has nothing to tell.
            Self::Ports(base) => syscall::port_read(slot::PORTS, base + offset, 1).unwrap_or(0) as u32,
            Self::Memory { start, width } => {
                let register = (start + offset) as usize;
                // SAFETY: whoever starts this program maps the page of the port's registers there; drivers use offsets
                // of its registers only, which have this width.
                unsafe {
                    match width {
                        1 => ptr::with_exposed_provenance::<u8>(register)
                            .read_volatile()
                            .into(),
                        _ => ptr::with_exposed_provenance::<u32>(register).read_volatile(),
                    }
                }
            }
        }
    }

    fn write(&mut self, offset: u64, value: u32) {
        match *self {
            Self::Ports(base) => {
                // There is nobody to tell that it does not work.
                let _ = syscall::port_write(slot::PORTS, base + offset, 1, value.into());
            }
            Self::Memory { start, width } => {
                let register = (start + offset) as usize;
                // SAFETY: as for `read`; what the registers do concerns the port alone.
                unsafe {
                    match width {
                        1 => ptr::with_exposed_provenance_mut::<u8>(register).write_volatile(value as u8),
                        _ => ptr::with_exposed_provenance_mut::<u32>(register).write_volatile(value),
                    }
                }
            }
        }
    }
}
