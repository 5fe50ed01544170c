//! The local APIC. Source: Intel SDM volume 3A, chapter 12 "Advanced Programmable Interrupt Controller (APIC)".

use core::sync::atomic::{AtomicU64, Ordering};

use super::cpu::{self, msr, read_msr, write_msr, write_port};
use super::devices;
use crate::cpu::Local;
use crate::{Device, Event, phys, tlb};

/// Vector of the timer's interrupt: the first that is no exception.
pub(super) const TIMER_VECTOR: u32 = 32;

/// Vectors of interrupts that CPUs send each other: attention, and translations to be forgotten.
pub(super) const KICK_VECTOR: u32 = 33;
pub(super) const FLUSH_VECTOR: u32 = 34;

/// The non-maskable interrupt, as the way an interrupt is delivered.
pub(super) const NON_MASKABLE: u32 = 4 << 8;
pub(super) const INIT: u32 = 5 << 8;
pub(super) const STARTUP: u32 = 6 << 8;

/// Vector that the local APIC uses when an interrupt went away before it was taken.
const SPURIOUS_VECTOR: u32 = 255;

const BASE_ENABLE: u64 = 1 << 11;
const BASE_X2APIC: u64 = 1 << 10;

/// Level "assert" of a command, and "on its way".
const ASSERT: u32 = 1 << 14;
const PENDING: u32 = 1 << 12;

const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// Registers of the local APIC, as offsets.
pub(super) mod register {
    pub(crate) const ID: u32 = 0x20;
    pub(crate) const TASK_PRIORITY: u32 = 0x80;
    pub(crate) const END_OF_INTERRUPT: u32 = 0xb0;
    pub(crate) const SPURIOUS: u32 = 0xf0;
    pub(crate) const COMMAND: u32 = 0x300;
    pub(crate) const COMMAND_TARGET: u32 = 0x310;
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

/// This CPU's number in the local APIC.
pub(super) fn id() -> u64 {
    match BASE.load(Ordering::Relaxed) {
        0 => u64::from(read(register::ID)),
        _ => u64::from(read(register::ID) >> 24),
    }
}

/// Sends an interrupt to the CPU with this number in its local APIC.
pub(super) fn send(target: u64, command: u32) {
    let command = command | ASSERT;
    match BASE.load(Ordering::Relaxed) {
        // SAFETY: one write; interrupts of this kernel's vectors have handlers, and the others are its own decision.
        0 => unsafe {
            write_msr(
                0x800 + (register::COMMAND >> 4),
                target << 32 | u64::from(command),
            )
        },
        _ => {
            while read(register::COMMAND) & PENDING != 0 {
                core::hint::spin_loop();
            }
            write(register::COMMAND_TARGET, (target as u32) << 24);
            write(register::COMMAND, command);
        }
    }
}

/// Silences the old controllers (on the CPU that boots) and enables the local APIC, with everything masked.
pub(super) fn init(is_first: bool) {
    // SAFETY: the ports are those of the two 8259 controllers, which nobody else drives.
    unsafe {
        if is_first {
            write_port(0x21, 0xff);
            write_port(0xa1, 0xff);
        }
        let mode = match BASE.load(Ordering::Relaxed) {
            0 => BASE_ENABLE | BASE_X2APIC,
            _ => BASE_ENABLE,
        };
        write_msr(msr::APIC_BASE, read_msr(msr::APIC_BASE) | mode);
    }
    for entry in [register::TIMER, register::LINT0, register::LINT1] {
        write(entry, MASKED);
    }
    write(register::TASK_PRIORITY, 0);
    write(register::SPURIOUS, 1 << 8 | SPURIOUS_VECTOR);
}

/// Serves the interrupt whose vector the CPU took.
pub(super) fn serve(local: &Local) -> Option<Event> {
    let vector = local.taken.swap(0, Ordering::Relaxed) as u32;
    match vector {
        0 | SPURIOUS_VECTOR => return None,
        FLUSH_VECTOR => tlb::answer(),
        _ => {}
    }
    let event = match vector {
        TIMER_VECTOR => Some(Event::Timer),
        KICK_VECTOR => Some(Event::Kick),
        _ => devices::taken(vector).map(Event::Device),
    };
    write(register::END_OF_INTERRUPT, 0);
    event
}

/// Takes and serves an interrupt.
pub(super) fn take(local: &Local, wait: bool) -> Option<Event> {
    if wait {
        cpu::wait_for_interrupt();
    } else {
        cpu::take_interrupt();
    }
    serve(local)
}
