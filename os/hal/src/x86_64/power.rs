//! Switching a PC off.

use core::sync::atomic::{AtomicU32, Ordering};

use kcore::acpi::SoftOff;

use super::cpu::{write_port, write_port16};

/// QEMU's isa-debug-exit, where the machine description puts it. Without the device nothing listens there.
const DEBUG_EXIT: u16 = 0xf4;

/// How long ACPI gets before it counts as broken, in turns of a loop.
const PATIENCE: u32 = 1 << 28;

/// The ACPI register and its value, as port and value; 0 when unknown.
static SOFT_OFF: AtomicU32 = AtomicU32::new(0);

/// Remembers how ACPI switches this machine off.
pub(super) fn use_soft_off(way: Option<SoftOff>) {
    if let Some(SoftOff { port, value }) = way {
        SOFT_OFF.store(u32::from(port) << 16 | u32::from(value), Ordering::Relaxed);
    }
}

/// Leaves through isa-debug-exit, which turns the value v into the status 2v+1, or through ACPI.
pub(super) fn off(success: bool) {
    let way = SOFT_OFF.load(Ordering::Relaxed);
    // SAFETY: the first port is the emulator's or nobody's; the second is ACPI's, from its own table.
    unsafe {
        write_port(DEBUG_EXIT, if success { 0x10 } else { 0x11 });
        if way != 0 {
            write_port16((way >> 16) as u16, way as u16);
            // The machine may take its time.
            (0..PATIENCE).for_each(|_| core::hint::spin_loop());
        }
    }
}
