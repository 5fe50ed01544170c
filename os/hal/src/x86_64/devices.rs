//! Interrupts of devices: the I/O APIC. Source: Intel, "82093AA I/O Advanced Programmable Interrupt Controller"; ACPI
//! Specification 6.5, section 5.2.12.

use core::sync::atomic::{AtomicU64, Ordering};

use kcore::acpi::Tables;
use kcore::bytes::{le16, le32};

use super::interrupts;
use crate::acpi::{Firmware, controllers};
use crate::sync::Lock;
use crate::{Device, phys};

/// Vector of interrupt 0, and how many there may be.
const FIRST_VECTOR: u32 = 48;
const COUNT: usize = 128;

/// Interrupts of the old bus, which are edges when nothing else is said.
const OLD_INTERRUPTS: u32 = 16;

// Registers, and those behind the window.
const SELECT: u64 = 0;
const WINDOW: u64 = 0x10;
const VERSION: u32 = 1;
const REDIRECTION: u32 = 0x10;

const ACTIVE_LOW: u32 = 1 << 13;
const LEVEL: u32 = 1 << 15;
const MASKED: u32 = 1 << 16;

/// Most I/O APICs that are used.
const MAX_CONTROLLERS: usize = 2;

#[derive(Clone, Copy)]
struct Interrupt {
    enabled: bool,
    /// It was taken and has not been completed.
    taken: bool,
    /// It came again since: an edge is not repeated.
    again: bool,
    /// Polarity and trigger mode of its redirection entry.
    mode: u32,
}

struct State {
    /// Physical address, first interrupt, and number of interrupts.
    controllers: [(u64, u32, u32); MAX_CONTROLLERS],
    interrupts: [Interrupt; COUNT],
    /// What the interrupts of the old bus are here.
    old: [u32; OLD_INTERRUPTS as usize],
}

static STATE: Lock<State> = Lock::new(State {
    controllers: [(0, 0, 0); MAX_CONTROLLERS],
    interrupts: [Interrupt {
        enabled: false,
        taken: false,
        again: false,
        mode: 0,
    }; COUNT],
    old: [0; OLD_INTERRUPTS as usize],
});

/// Who gets the interrupts: the boot CPU's number in the local APIC.
static TARGET: AtomicU64 = AtomicU64::new(0);

/// Finds the controllers, and the wiring of the old bus.
pub(super) fn use_acpi(tables: &Tables<'_, Firmware>) {
    let state = &mut *STATE.lock();
    for (number, old) in (0..).zip(&mut state.old) {
        *old = number;
    }
    for (number, interrupt) in (0..).zip(&mut state.interrupts) {
        interrupt.mode = if number < OLD_INTERRUPTS {
            0
        } else {
            ACTIVE_LOW | LEVEL
        };
    }
    let mut found = 0;
    for (kind, entry) in controllers(tables) {
        match kind {
            1 if found < MAX_CONTROLLERS => {
                if let (Some(address), Some(first)) = (le32(entry, 4), le32(entry, 8)) {
                    state.controllers[found] = (u64::from(address), first, 0);
                    found += 1;
                }
            }
            2 => {
                let (source, flags) = (entry.get(3).copied().unwrap_or(255), le16(entry, 8).unwrap_or(0));
                let number = le32(entry, 4).unwrap_or(u32::MAX);
                let old = state.old.get_mut(usize::from(source));
                if let (Some(old), Some(interrupt)) = (old, state.interrupts.get_mut(number as usize)) {
                    *old = number;
                    // In both fields 1 and 3 are explicit, 0 is what the bus has.
                    interrupt.mode = if flags & 3 == 3 { ACTIVE_LOW } else { 0 };
                    interrupt.mode |= if flags >> 2 & 3 == 3 { LEVEL } else { 0 };
                }
            }
            _ => {}
        }
    }
}

/// Number of an interrupt of the old bus.
pub(super) fn of_old_bus(interrupt: usize) -> Option<u32> {
    let state = STATE.lock();
    state.controllers[0].0.ne(&0).then_some(state.old[interrupt])
}

/// Where the registers are in memory.
pub(super) fn registers() -> [Device; MAX_CONTROLLERS] {
    let state = STATE.lock();
    state.controllers.map(|(address, ..)| match address {
        0 => (0, 0),
        address => (address & !4095, 4096),
    })
}

/// Masks everything, and counts the interrupts. The kernel's own tables are active.
pub(super) fn init() {
    TARGET.store(interrupts::id(), Ordering::Relaxed);
    let state = &mut *STATE.lock();
    for controller in &mut state.controllers {
        if controller.0 == 0 {
            continue;
        }
        controller.2 = (read(controller.0, VERSION) >> 16 & 0xff) + 1;
        for pin in 0..controller.2 {
            write(controller.0, REDIRECTION + 2 * pin, MASKED);
        }
    }
}

fn read(controller: u64, register: u32) -> u32 {
    // SAFETY: the registers of this file's device, which the kernel's tables map; the lock is held.
    unsafe {
        phys::write_register(controller + SELECT, register);
        phys::read_register(controller + WINDOW)
    }
}

fn write(controller: u64, register: u32, value: u32) {
    // SAFETY: as for `read`; the entries lead to this kernel's vectors.
    unsafe {
        phys::write_register(controller + SELECT, register);
        phys::write_register(controller + WINDOW, value);
    }
}

impl State {
    /// The controller of an interrupt, and its pin there.
    fn pin(&self, number: u32) -> Option<(u64, u32)> {
        let of = |&(address, first, count): &(u64, u32, u32)| {
            let pin = number.checked_sub(first).filter(|&pin| pin < count)?;
            Some((address, pin))
        };
        self.controllers
            .iter()
            .find_map(of)
            .filter(|_| (number as usize) < COUNT)
    }

    /// Writes an interrupt's redirection entry as its state wants it.
    fn apply(&self, number: u32) {
        let Some((controller, pin)) = self.pin(number) else {
            return;
        };
        let Interrupt {
            enabled, taken, mode, ..
        } = self.interrupts[number as usize];
        // A masked edge would be lost, so only levels are masked until they are completed.
        let masked = !enabled || taken && mode & LEVEL != 0;
        let target = (TARGET.load(Ordering::Relaxed) as u32) << 24;
        write(controller, REDIRECTION + 2 * pin + 1, target);
        let mask = if masked { MASKED } else { 0 };
        write(
            controller,
            REDIRECTION + 2 * pin,
            (FIRST_VECTOR + number) | mode | mask,
        );
    }
}

/// See `Architecture::enable_interrupt`.
pub(super) fn enable(number: u32) -> bool {
    let state = &mut *STATE.lock();
    if state.pin(number).is_none() {
        return false;
    }
    let interrupt = &mut state.interrupts[number as usize];
    (interrupt.enabled, interrupt.taken, interrupt.again) = (true, false, false);
    state.apply(number);
    true
}

/// See `Architecture::disable_interrupt`.
pub(super) fn disable(number: u32) {
    let state = &mut *STATE.lock();
    if state.pin(number).is_some() {
        state.interrupts[number as usize].enabled = false;
        state.apply(number);
    }
}

/// See `Architecture::complete_interrupt`.
pub(super) fn complete(number: u32) {
    let state = &mut *STATE.lock();
    if state.pin(number).is_none() {
        return;
    }
    let interrupt = &mut state.interrupts[number as usize];
    interrupt.taken = false;
    let again = core::mem::take(&mut interrupt.again) && interrupt.enabled;
    if interrupt.mode & LEVEL != 0 {
        state.apply(number);
    } else if again {
        interrupts::send(TARGET.load(Ordering::Relaxed), FIRST_VECTOR + number);
    }
}

/// Number of the interrupt that came with a vector, unless nobody is to hear of it.
pub(super) fn taken(vector: u32) -> Option<u32> {
    let number = vector
        .checked_sub(FIRST_VECTOR)
        .filter(|&number| (number as usize) < COUNT)?;
    let state = &mut *STATE.lock();
    let interrupt = &mut state.interrupts[number as usize];
    if !interrupt.enabled {
        return None;
    }
    if interrupt.taken {
        interrupt.again = true;
        return None;
    }
    interrupt.taken = true;
    if interrupt.mode & LEVEL != 0 {
        state.apply(number);
    }
    Some(number)
}
