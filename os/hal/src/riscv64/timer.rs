//! The time counter and the timer: the hart's own where it has one (extension Sstc), else firmware's. Source: RISC-V
//! Privileged Architecture, "Supervisor Timer (stimecmp) Register"; RISC-V SBI Specification 1.0, chapter 6.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use kcore::fdt::{Fdt, number};

use super::{cpu, interrupts};
use crate::{device_tree, probe};

const TIME_EXTENSION: u64 = 0x5449_4d45;
const SET_TIMER: u64 = 0;

unsafe extern "C" {
    // In `trap.s`: an instruction that faults where the hart has no timer of its own.
    fn probe_timer_compare(time: u64) -> bool;
}

/// Frequency of the counter; 0 while it is unknown.
static FREQUENCY: AtomicU64 = AtomicU64::new(0);

/// Whether the harts have timers that the kernel may set.
static HAS_OWN: AtomicBool = AtomicBool::new(false);

/// Learns the frequency of the counter, which only the device tree knows.
pub(super) fn use_device_tree(tree: &Fdt<'_>) {
    let frequency = device_tree::property(tree, "cpus", "timebase-frequency").and_then(number);
    FREQUENCY.store(frequency.unwrap_or(0), Ordering::Relaxed);
}

/// Frequency of the counter in Hz.
pub(super) fn frequency() -> Result<u64, &'static str> {
    match FREQUENCY.load(Ordering::Relaxed) {
        0 => Err("no device tree says how fast the time counter counts (/cpus, timebase-frequency)"),
        frequency => Ok(frequency),
    }
}

/// Sets this hart's timer up, disarmed; first of all finds out what there is.
pub(super) fn init(is_first: bool) -> Result<(), &'static str> {
    if is_first {
        // SAFETY: sets the timer of this hart to the end of time, or faults.
        let has_own = !unsafe { probe::faults(|| probe_timer_compare(u64::MAX)) };
        HAS_OWN.store(has_own, Ordering::Relaxed);
        // SAFETY: sets the timer of this hart.
        if !has_own && unsafe { cpu::firmware(TIME_EXTENSION, SET_TIMER, [u64::MAX, 0, 0, 0]) } != 0 {
            return Err(
                "the hart has no timer that the kernel may set, and the firmware has no SBI timer extension",
            );
        }
    }
    arm(None);
    Ok(())
}

/// See `Architecture::arm_timer`. The interrupt is there as long as the time is past, so serving it disarms the timer.
pub(super) fn arm(counts: Option<u64>) {
    let Some(counts) = counts else {
        // SAFETY: keeps the interrupt away, whatever the timer says.
        unsafe { asm!("csrc sie, {}", in(reg) interrupts::TIMER, options(nomem, nostack)) };
        return;
    };
    let time = cpu::counter().saturating_add(counts);
    // SAFETY: sets the timer of this hart, whose interrupt has a handler; when firmware was asked first, it worked.
    unsafe {
        if HAS_OWN.load(Ordering::Relaxed) {
            asm!("csrw 0x14d, {}", in(reg) time, options(nomem, nostack));
        } else {
            cpu::firmware(TIME_EXTENSION, SET_TIMER, [time, 0, 0, 0]);
        }
        asm!("csrs sie, {}", in(reg) interrupts::TIMER, options(nomem, nostack));
    }
}
