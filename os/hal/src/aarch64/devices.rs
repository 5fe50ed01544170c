//! Interrupts of devices: the GIC's shared peripheral interrupts. Source: as for `interrupts.rs`.

use core::sync::atomic::{AtomicU32, Ordering};

use kcore::bytes::be32;

use super::interrupts;
use crate::sync::Lock;
use crate::{cpu, phys};

/// The first shared interrupt.
const FIRST: u32 = 32;

// Registers of the distributor.
const TYPE: u64 = 4;
const SET_ENABLE: u64 = 0x100;
const CLEAR_ENABLE: u64 = 0x180;
const CLEAR_PENDING: u64 = 0x280;
const PRIORITY: u64 = 0x400;
const TARGETS: u64 = 0x800;

/// First number behind the interrupts that the distributor has.
static END: AtomicU32 = AtomicU32::new(0);

/// One bit for each interrupt that is enabled, taken or not.
static ENABLED: Lock<[u32; 32]> = Lock::new([0; 32]);

/// The number in a device tree's `interrupts` property: type (0 is shared), number among its type, trigger.
pub(super) fn number(property: &[u8]) -> Option<u32> {
    let shared = be32(property, 0)? == 0;
    be32(property, 4)?.checked_add(FIRST).filter(|_| shared)
}

/// Masks everything. This CPU's part of the controller has been set up.
pub(super) fn init() {
    // SAFETY: the registers of the distributor, which the kernel's tables map.
    let groups = unsafe { phys::read_register::<u32>(interrupts::distributor() + TYPE) } & 0x1f;
    END.store((32 * (groups + 1)).min(1020), Ordering::Relaxed);
    for group in 1..=groups {
        write(CLEAR_ENABLE + 4 * u64::from(group), u32::MAX);
    }
}

fn write(register: u64, value: u32) {
    // SAFETY: as in `init`; what is enabled has a handler.
    unsafe { phys::write_register(interrupts::distributor() + register, value) };
}

/// Writes the bit of an interrupt.
fn write_bit(registers: u64, number: u32) {
    write(registers + u64::from(number / 32 * 4), 1 << (number % 32));
}

fn exists(number: u32) -> bool {
    (FIRST..END.load(Ordering::Relaxed)).contains(&number)
}

/// See `Architecture::enable_interrupt`.
pub(super) fn enable(number: u32) -> bool {
    if !exists(number) {
        return false;
    }
    let mut enabled = ENABLED.lock();
    let target = cpu::local(0).interrupt_id.load(Ordering::Relaxed) as u8;
    let byte = interrupts::distributor() + u64::from(number);
    // SAFETY: each interrupt has a byte of priority and one of targets.
    unsafe {
        phys::write_register(byte + PRIORITY, 0x80_u8);
        phys::write_register(byte + TARGETS, target);
    }
    enabled[number as usize / 32] |= 1 << (number % 32);
    write_bit(CLEAR_PENDING, number);
    write_bit(SET_ENABLE, number);
    true
}

/// See `Architecture::disable_interrupt`.
pub(super) fn disable(number: u32) {
    if exists(number) {
        let mut enabled = ENABLED.lock();
        enabled[number as usize / 32] &= !(1 << (number % 32));
        write_bit(CLEAR_ENABLE, number);
    }
}

/// See `Architecture::complete_interrupt`.
pub(super) fn complete(number: u32) {
    if exists(number) && ENABLED.lock()[number as usize / 32] >> (number % 32) & 1 != 0 {
        write_bit(SET_ENABLE, number);
    }
}

/// Masks an interrupt that has been acknowledged. It stays pending when it comes again. Returns its number, unless
/// nobody is to hear of it.
pub(super) fn taken(number: u32) -> Option<u32> {
    write_bit(CLEAR_ENABLE, number);
    let enabled = ENABLED.lock();
    (enabled[number as usize / 32] >> (number % 32) & 1 != 0).then_some(number)
}
