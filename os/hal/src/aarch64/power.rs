//! Switching the machine off. Source: Arm, "Power State Coordination Interface" (DEN 0022) and "Semihosting for AArch32
//! and AArch64".

use core::arch::asm;
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

/// Whether somebody has said that there is firmware to call.
static HAS_FIRMWARE: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    // In `trap.s`: instructions that fault where nobody answers them.
    fn probe_semihosting(operation: u64, parameter: *const [u64; 2]) -> bool;
    fn probe_monitor_call(function: u64) -> bool;
    fn probe_hypervisor_call(function: u64) -> bool;
}

/// Calls firmware as the device tree says.
pub(super) fn use_device_tree(tree: &Fdt<'_>) {
    let method = device_tree::property(tree, "psci", "method");
    CALLS_MONITOR.store(method == Some(b"smc\0"), Ordering::Relaxed);
    HAS_FIRMWARE.store(method.is_some(), Ordering::Relaxed);
}

/// Calls firmware as ACPI says: bit 0 of the fixed table's Arm boot flags is "PSCI", bit 1 "by hvc".
pub(super) fn use_acpi(tables: &Tables<'_, Firmware>) {
    if let Some(flags) = tables
        .find(b"FACP")
        .and_then(|table| kcore::bytes::le16(table, 129))
    {
        CALLS_MONITOR.store(flags & 3 == 1, Ordering::Relaxed);
        HAS_FIRMWARE.store(flags & 1 != 0, Ordering::Relaxed);
    }
}

/// Whether somebody has said that there is firmware to call.
pub(super) fn has_firmware() -> bool {
    HAS_FIRMWARE.load(Ordering::Relaxed)
}

/// Calls firmware. Returns its answer, in which numbers below 0 are errors.
///
/// # Safety
/// There is firmware, and the call does nothing to memory that is in use.
pub(super) unsafe fn firmware(function: u64, arguments: [u64; 3]) -> i64 {
    let [a, b, c] = arguments;
    let answer;
    macro_rules! call {
        ($instruction:literal) => {
            asm!(
                $instruction,
                inlateout("x0") function => answer,
                inlateout("x1") a => _, inlateout("x2") b => _, inlateout("x3") c => _,
                lateout("x4") _, lateout("x5") _, lateout("x6") _, lateout("x7") _,
                lateout("x8") _, lateout("x9") _, lateout("x10") _, lateout("x11") _,
                lateout("x12") _, lateout("x13") _, lateout("x14") _, lateout("x15") _,
                lateout("x16") _, lateout("x17") _,
                options(nostack),
            )
        };
    }
    // SAFETY: the caller vouches for the call; firmware keeps all registers from x18 on.
    unsafe {
        if CALLS_MONITOR.load(Ordering::Relaxed) {
            call!("smc #0");
        } else {
            call!("hvc #0");
        }
    }
    answer
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
