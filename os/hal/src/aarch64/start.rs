//! Starting and stopping further CPUs. Source: Arm, "Power State Coordination Interface" (DEN 0022).

use core::arch::asm;
use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::sync::atomic::Ordering;

use kcore::acpi::Tables;
use kcore::bytes::{le32, le64};
use kcore::fdt::{Fdt, number};
use kcore::paging::MAIR;

use super::cpu::{self as instructions, read_register};
use super::power;
use crate::acpi::{Firmware, controllers};
use crate::cpu::{self, Local};
use crate::{boot, device_tree, image, timer};

const CPU_ON: u64 = 0xc400_0003;
const CPU_OFF: u64 = 0x8400_0002;
const ALREADY_ON: i64 = -4;
const ON_PENDING: i64 = -5;

/// The affinity fields of `MPIDR_EL1`.
const AFFINITY: u64 = 0xff_00ff_ffff;

unsafe extern "C" {
    // In `entry.s`.
    safe static secondary_start: u8;
}

/// What a starting CPU reads with the MMU off.
#[repr(C, align(64))]
struct Start {
    mair: u64,
    tcr: u64,
    user_root: u64,
    kernel_root: u64,
    stack: u64,
    entry: u64,
    index: u64,
}

const _: () = assert!(offset_of!(Start, stack) == 4 * 8 && size_of::<Start>() == 64);

struct Shared(UnsafeCell<Start>);

// SAFETY: written by the one CPU that starts others, while none is starting.
unsafe impl Sync for Shared {}

static START: Shared = Shared(UnsafeCell::new(Start {
    mair: MAIR,
    tcr: 0,
    user_root: 0,
    kernel_root: 0,
    stack: 0,
    entry: 0,
    index: 0,
}));

/// Finds the CPUs that the device tree lists and firmware can start.
pub(super) fn use_device_tree(tree: &Fdt<'_>) {
    let mut ids = [u64::MAX; cpu::MAX_CPUS];
    let mut rest = ids.iter_mut();
    device_tree::walk(tree, |node, parents| {
        let is_cpu =
            node.name.starts_with("cpu@") && parents.last().is_some_and(|parent| parent.name == "cpus");
        let can_start = node.enabled && node.property(tree, "enable-method") == Some(b"psci\0");
        if is_cpu
            && can_start
            && let Some(id) = node.property(tree, "reg").and_then(number)
            && let Some(place) = rest.next()
        {
            *place = id;
        }
    });
    found(ids.into_iter().filter(|&id| id != u64::MAX));
}

/// Finds the CPUs that ACPI lists: the enabled ones among the entries of type 11 in the table of interrupt controllers.
pub(super) fn use_acpi(tables: &Tables<'_, Firmware>) {
    let cpus = controllers(tables).filter(|&(kind, entry)| {
        let is_enabled = le32(entry, 12).is_some_and(|flags| flags & 1 != 0);
        kind == 11 && is_enabled
    });
    found(cpus.filter_map(|(_, entry)| le64(entry, 68)));
}

fn found(ids: impl Iterator<Item = u64>) {
    let boot = read_register!("mpidr_el1") & AFFINITY;
    cpu::found(boot, ids.filter(|_| power::has_firmware()));
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
    // SAFETY: no other CPU runs yet.
    unsafe { (*START.0.get()).user_root = root };
}

/// See `Architecture::start_cpu`.
pub(super) fn start(local: &'static Local, limit: u64) -> Result<(), &'static str> {
    // SAFETY: one call at a time, and the CPU that was started last has read it. The line is written back to where a CPU
    // without caches reads.
    unsafe {
        let start = &mut *START.0.get();
        start.tcr = instructions::tcr();
        start.kernel_root = boot::kernel_root();
        start.stack = cpu::stack_top(local.index());
        start.entry = cpu::secondary_entry as *const () as u64;
        start.index = local.index() as u64;
        asm!("dc cvac, {}", "dsb sy", in(reg) START.0.get(), options(nostack, preserves_flags));
    }
    let arguments = [
        local.id.load(Ordering::Relaxed),
        physical(&raw const secondary_start),
        physical(START.0.get()),
    ];
    loop {
        // SAFETY: the CPU runs this kernel's code, on tables and a stack that are its own.
        match unsafe { power::firmware(CPU_ON, arguments) } {
            0 => return Ok(()),
            // It has said that it stops and has not yet.
            ALREADY_ON | ON_PENDING if timer::now() < limit => core::hint::spin_loop(),
            ALREADY_ON | ON_PENDING => return Err("the firmware says that the CPU runs already"),
            _ => return Err("the firmware does not start the CPU (PSCI CPU_ON)"),
        }
    }
}

/// See `Architecture::stop_cpu`.
pub(super) fn stop() -> ! {
    // SAFETY: this CPU has nothing to lose.
    unsafe { power::firmware(CPU_OFF, [0; 3]) };
    instructions::halt()
}
