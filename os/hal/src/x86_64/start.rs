//! Starting and stopping further CPUs. Source: Intel SDM volume 3A, section 10.4 "Multiple-Processor (MP)
//! Initialization".

use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicU64, Ordering};

use kcore::acpi::Tables;
use kcore::bytes::le32;

use super::interrupts::{self, INIT, STARTUP};
use crate::acpi::{Firmware, controllers};
use crate::cpu::{self, Local};
use crate::{phys, timer};

global_asm!(
    include_str!("start.s"),
    stack = sym STACK,
    index = sym INDEX,
    secondary_entry = sym cpu::secondary_entry,
);

unsafe extern "C" {
    safe static start_code: u8;
    safe static start_code_end: u8;
    safe static start_gdt_base: u8;
    safe static start_gdt: u8;
    safe static start_root: u8;
    safe static start_target: u8;
    safe static start_64: u8;
    safe static start_entry: u8;
    safe static start_high: u8;
}

/// End of the memory in which a CPU can start, below the firmware's data.
const START_END: u64 = 0x9_f000;

/// How long a CPU gets between the steps, in nanoseconds.
const AFTER_INIT: u64 = 10_000_000;
const AFTER_STARTUP: u64 = 200_000;

/// The page that CPUs start in, and what the CPU that starts now is to use.
static PAGE: AtomicU64 = AtomicU64::new(0);
static STACK: AtomicU64 = AtomicU64::new(0);
static INDEX: AtomicU64 = AtomicU64::new(0);

/// Finds the machine's CPUs: entries of type 0 and 9 in the table of interrupt controllers, those that are enabled.
pub(super) fn use_acpi(tables: &Tables<'_, Firmware>) {
    let cpus = controllers(tables).filter_map(|(kind, entry)| match kind {
        0 => Some((u32::from(*entry.get(3)?), le32(entry, 4)?)),
        9 => Some((le32(entry, 4)?, le32(entry, 8)?)),
        _ => None,
    });
    let enabled = cpus.filter(|(_, flags)| flags & 1 != 0);
    cpu::found(interrupts::id(), enabled.map(|(id, _)| u64::from(id)));
}

/// See `Architecture::start_page`.
pub(super) fn page(usable: impl Iterator<Item = (u64, u64)>) -> Option<u64> {
    // Not the first page: firmware's data is there.
    usable
        .map(|(start, end)| (start.max(4096), end.min(START_END)))
        .filter(|(start, end)| start < end)
        .map(|(_, end)| end - 4096)
        .max()
}

/// See `Architecture::prepare_start`.
pub(super) unsafe fn prepare(page: u64, root: u64) -> bool {
    let Ok(root) = u32::try_from(root) else {
        return false;
    };
    let start = (&raw const start_code).addr();
    let offset = |symbol: *const u8| symbol.addr() - start;
    let len = offset(&raw const start_code_end);
    let patches = [
        (offset(&raw const start_root), root),
        (
            offset(&raw const start_gdt_base),
            page as u32 + offset(&raw const start_gdt) as u32,
        ),
        (
            offset(&raw const start_target),
            page as u32 + offset(&raw const start_64) as u32,
        ),
    ];
    let entry = (
        offset(&raw const start_entry),
        (&raw const start_high).addr() as u64,
    );
    // SAFETY: the page is ours, and longer than the code, which has room for each of the words.
    unsafe {
        let target = phys::pointer::<u8>(page);
        core::ptr::copy_nonoverlapping(&raw const start_code, target, len);
        for (offset, value) in patches {
            target.add(offset).cast::<u32>().write_unaligned(value);
        }
        target.add(entry.0).cast::<u64>().write_unaligned(entry.1);
    }
    PAGE.store(page, Ordering::Relaxed);
    true
}

fn pause(nanoseconds: u64) {
    let end = timer::now() + nanoseconds;
    while timer::now() < end {
        core::hint::spin_loop();
    }
}

/// See `Architecture::start_cpu`: an initialisation, and once or twice the page to start in.
pub(super) fn start(local: &'static Local, _limit: u64) -> Result<(), &'static str> {
    STACK.store(cpu::stack_top(local.index()), Ordering::Relaxed);
    INDEX.store(local.index() as u64, Ordering::Release);
    let id = local.id.load(Ordering::Relaxed);
    let page = PAGE.load(Ordering::Relaxed);
    interrupts::send(id, INIT);
    pause(AFTER_INIT);
    for _ in 0..2 {
        interrupts::send(id, STARTUP | (page >> 12) as u32);
        pause(AFTER_STARTUP);
        if local.online.load(Ordering::Acquire) {
            break;
        }
    }
    Ok(())
}

/// See `Architecture::stop_cpu`. The next initialisation wakes the CPU, and nothing else.
pub(super) fn stop() -> ! {
    loop {
        // SAFETY: the CPU just sleeps.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}
