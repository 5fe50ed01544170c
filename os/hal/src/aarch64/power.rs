//! Switching the machine off. Source: Arm, "Power State Coordination Interface" (DEN 0022) and "Semihosting for AArch32
//! and AArch64".

use core::sync::atomic::{AtomicBool, Ordering};

use kcore::acpi::Tables;
use kcore::fdt::Fdt;

use crate::acpi::Firmware;
use crate::{device_tree, probe};

const SYSTEM_OFF: u64 = 0x8400_0008;
const SEMIHOSTING_EXIT_EXTENDED: u64 = 0x20;
const APPLICATION_EXIT: u64 = 0x2_0026;

/// Whether firmware is called with `smc`; else with `hvc`, as on QEMU's virt machine.
static CALLS_MONITOR: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    // In `trap.s`: instructions that fault where nobody answers them.
    fn probe_semihosting(operation: u64, parameter: *const [u64; 2]) -> bool;
    fn probe_monitor_call(function: u64) -> bool;
    fn probe_hypervisor_call(function: u64) -> bool;
}

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

/// Switches off through PSCI. That has no status, so a failure first tries semihosting, where an emulator has it.
pub(super) fn off(success: bool) {
    let status = [APPLICATION_EXIT, 1];
    // SAFETY: the machine ends at the first call that something answers; the others fault, or return an error.
    unsafe {
        if !success {
            probe::faults(|| probe_semihosting(SEMIHOSTING_EXIT_EXTENDED, &raw const status));
        }
        if CALLS_MONITOR.load(Ordering::Relaxed) {
            probe::faults(|| probe_monitor_call(SYSTEM_OFF));
        } else {
            probe::faults(|| probe_hypervisor_call(SYSTEM_OFF));
        }
    }
}
