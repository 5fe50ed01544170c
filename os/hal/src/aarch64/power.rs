//! Switching the machine off. Source: Arm, "Power State Coordination Interface" (DEN 0022) and "Semihosting for AArch32
//! and AArch64".

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering};

use kcore::acpi::Tables;
use kcore::fdt::Fdt;

use crate::acpi::Firmware;
use crate::device_tree;

const SYSTEM_OFF: u64 = 0x8400_0008;
const SEMIHOSTING_EXIT_EXTENDED: u64 = 0x20;
const APPLICATION_EXIT: u64 = 0x2_0026;

/// Whether firmware is called with `smc`; else with `hvc`, as on QEMU's virt machine.
static CALLS_MONITOR: AtomicBool = AtomicBool::new(false);

/// Set while an instruction runs that faults on machines without an emulator's help.
static PROBES: AtomicBool = AtomicBool::new(false);

/// Calls firmware as the device tree says.
pub(super) fn use_device_tree(tree: &Fdt<'_>) {
    let monitor = device_tree::property(tree, "psci", "method") == Some(b"smc\0");
    CALLS_MONITOR.store(monitor, Ordering::Relaxed);
}

/// Calls firmware as ACPI says: bit 0 of the fixed table's Arm boot flags is "PSCI", bit 1 "by hvc".
pub(super) fn use_acpi(tables: &Tables<'_, Firmware>) {
    if let Some(flags) = tables
        .find(b"FACP")
        .and_then(|table| kcore::bytes::le16(table, 129))
    {
        CALLS_MONITOR.store(flags & 3 == 1, Ordering::Relaxed);
    }
}

/// Whether a fault in the kernel comes from looking for an emulator, and is to be skipped.
pub(super) fn probes() -> bool {
    PROBES.swap(false, Ordering::Relaxed)
}

/// Switches off through PSCI. That has no status, so a failure first tries semihosting, where an emulator has it.
pub(super) fn off(success: bool) {
    if !success {
        let status: [u64; 2] = [APPLICATION_EXIT, 1];
        PROBES.store(true, Ordering::Relaxed);
        // SAFETY: with semihosting the machine ends here; without it the instruction is undefined, and the handler of
        // the kernel's traps skips it.
        unsafe {
            asm!("hlt #0xf000", in("x0") SEMIHOSTING_EXIT_EXTENDED, in("x1") &raw const status, options(nostack));
        }
    }
    // SAFETY: the call switches the machine off; without PSCI it returns an error. Firmware may change x0 to x17. A CPU
    // without that firmware faults, which the handler skips.
    unsafe {
        PROBES.store(true, Ordering::Relaxed);
        if CALLS_MONITOR.load(Ordering::Relaxed) {
            asm!("smc #0", inout("x0") SYSTEM_OFF => _, clobber_abi("C"), options(nostack));
        } else {
            asm!("hvc #0", inout("x0") SYSTEM_OFF => _, clobber_abi("C"), options(nostack));
        }
    }
    PROBES.store(false, Ordering::Relaxed);
}
