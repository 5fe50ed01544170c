//! Starting and stopping further harts. Source: RISC-V SBI Specification 1.0, chapter 9 "Hart State Management
//! Extension".

use core::cell::UnsafeCell;
use core::sync::atomic::Ordering;

use kcore::fdt::{Fdt, number};

use super::cpu as instructions;
use crate::cpu::{self, Local};
use crate::{boot, device_tree, image, timer};

const HART_EXTENSION: u64 = 0x48_534d;
const HART_START: u64 = 0;
const HART_STOP: u64 = 1;
const INVALID_PARAMETER: i64 = -3;
const ALREADY_AVAILABLE: i64 = -6;

unsafe extern "C" {
    // In `entry.s`.
    safe static secondary_start: u8;
}

/// What a starting hart reads.
#[repr(C)]
struct Start {
    satp: u64,
    stack: u64,
    entry: u64,
    index: u64,
}

pub(super) struct Shared(UnsafeCell<Start>);

// SAFETY: written by the one hart that starts others, while none is starting.
unsafe impl Sync for Shared {}

/// `entry.s` reads it too.
pub(super) static START: Shared = Shared(UnsafeCell::new(Start {
    satp: 0,
    stack: 0,
    entry: 0,
    index: 0,
}));

/// Finds the harts that the device tree lists and that have an MMU; `boot` is the one that runs.
pub(super) fn use_device_tree(tree: &Fdt<'_>, boot: u64) {
    let mut ids = [u64::MAX; cpu::MAX_CPUS];
    let mut rest = ids.iter_mut();
    device_tree::walk(tree, |node, parents| {
        let is_hart =
            node.name.starts_with("cpu@") && parents.last().is_some_and(|parent| parent.name == "cpus");
        let has_mmu = node
            .property(tree, "mmu-type")
            .is_some_and(|kind| kind.starts_with(b"riscv,sv"));
        if is_hart
            && has_mmu
            && node.enabled
            && let Some(id) = node.property(tree, "reg").and_then(number)
            && let Some(place) = rest.next()
        {
            *place = id;
        }
    });
    cpu::found(boot, ids.into_iter().filter(|&id| id != u64::MAX));
}

/// Physical address of something in the kernel image.
fn physical<T>(place: *const T) -> u64 {
    place.addr() as u64 - image::start() + boot::image_start()
}

/// See `Architecture::start_page`.
pub(super) fn page() -> u64 {
    physical(&raw const secondary_start) & !4095
}

/// See `Architecture::prepare_start`.
pub(super) fn prepare(root: u64) {
    // SAFETY: no other hart runs yet.
    unsafe { (*START.0.get()).satp = instructions::satp(root) };
}

/// See `Architecture::start_cpu`.
pub(super) fn start(local: &'static Local, limit: u64) -> Result<(), &'static str> {
    // SAFETY: one call at a time, and the hart that was started last has read it.
    unsafe {
        let start = &mut *START.0.get();
        start.stack = cpu::stack_top(local.index());
        start.entry = cpu::secondary_entry as *const () as u64;
        start.index = local.index() as u64;
        core::arch::asm!("fence", options(nostack));
    }
    let arguments = [
        local.id.load(Ordering::Relaxed),
        physical(&raw const secondary_start),
        physical(START.0.get()),
        0,
    ];
    loop {
        // SAFETY: the hart runs this kernel's code, on tables and a stack that are its own.
        match unsafe { instructions::firmware(HART_EXTENSION, HART_START, arguments) } {
            0 => return Ok(()),
            // It has said that it stops and has not yet, or is on the way, which OpenSBI calls an invalid parameter.
            ALREADY_AVAILABLE | INVALID_PARAMETER if timer::now() < limit => core::hint::spin_loop(),
            ALREADY_AVAILABLE => return Err("the firmware says that the hart runs already"),
            _ => return Err("the firmware does not start the hart (SBI HSM)"),
        }
    }
}

/// See `Architecture::stop_cpu`.
pub(super) fn stop() -> ! {
    // SAFETY: this hart has nothing to lose.
    unsafe { instructions::firmware(HART_EXTENSION, HART_STOP, [0; 4]) };
    instructions::halt()
}
