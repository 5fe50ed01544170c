//! The local APIC. Source: Intel SDM volume 3A, chapter 12 "Advanced Programmable Interrupt Controller (APIC)".

use core::sync::atomic::{AtomicU64, Ordering};

use super::cpu::{msr, read_msr, write_msr, write_port};
use super::trap;
use crate::{Device, phys};

/// Vector of the timer's interrupt: the first that is no exception.
pub(super) const TIMER_VECTOR: u64 = 32;

/// Vector that the local APIC uses when an interrupt went away before it was taken.
const SPURIOUS_VECTOR: u32 = 255;

const BASE_ENABLE: u64 = 1 << 11;
const BASE_X2APIC: u64 = 1 << 10;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// Registers of the local APIC, as offsets.
pub(super) mod register {
    pub(crate) const TASK_PRIORITY: u32 = 0x80;
    pub(crate) const END_OF_INTERRUPT: u32 = 0xb0;
    pub(crate) const SPURIOUS: u32 = 0xf0;
    pub(crate) const TIMER: u32 = 0x320;
    pub(crate) const LINT0: u32 = 0x350;
    pub(crate) const LINT1: u32 = 0x360;
    pub(crate) const INITIAL_COUNT: u32 = 0x380;
    pub(crate) const CURRENT_COUNT: u32 = 0x390;
    pub(crate) const DIVIDE: u32 = 0x3e0;
}

/// Bit of a local vector table entry that keeps its interrupt away.
pub(super) const MASKED: u32 = 1 << 16;

/// Physical address of the registers; 0 in x2APIC mode, where they are model-specific registers.
static BASE: AtomicU64 = AtomicU64::new(0);

/// Where the registers are in memory.
pub(super) fn registers() -> Device {
    // SAFETY: every 64-bit CPU has this register.
    let base = unsafe { read_msr(msr::APIC_BASE) };
    if base & BASE_X2APIC != 0 {
        return (0, 0);
    }
    BASE.store(base & ADDRESS, Ordering::Relaxed);
    (base & ADDRESS, 4096)
}

/// Reads a register.
pub(super) fn read(register: u32) -> u32 {
    // SAFETY: the registers are mapped since boot, or are model-specific ones in x2APIC mode.
    unsafe {
        match BASE.load(Ordering::Relaxed) {
            0 => read_msr(0x800 + (register >> 4)) as u32,
            base => phys::read_register(base + u64::from(register)),
        }
    }
}

/// Writes a register.
pub(super) fn write(register: u32, value: u32) {
    // SAFETY: as for `read`.
    unsafe {
        match BASE.load(Ordering::Relaxed) {
            0 => write_msr(0x800 + (register >> 4), u64::from(value)),
            base => phys::write_register(base + u64::from(register), value),
        }
    }
}

/// Silences the old controllers and enables the local APIC, with everything masked.
pub(super) fn init() {
    // SAFETY: the ports are those of the two 8259 controllers, which nobody else drives.
    unsafe {
        write_port(0x21, 0xff);
        write_port(0xa1, 0xff);
        write_msr(msr::APIC_BASE, read_msr(msr::APIC_BASE) | BASE_ENABLE);
    }
    for entry in [register::TIMER, register::LINT0, register::LINT1] {
        write(entry, MASKED);
    }
    write(register::TASK_PRIORITY, 0);
    write(register::SPURIOUS, 1 << 8 | SPURIOUS_VECTOR);
}

/// Serves the interrupt whose vector the CPU took.
pub(super) fn serve() -> bool {
    let vector = trap::taken_vector();
    if vector == u64::from(SPURIOUS_VECTOR) {
        return false;
    }
    write(register::END_OF_INTERRUPT, 0);
    vector == TIMER_VECTOR
}
