//! Accesses that may fault, and the check that forbidden ones do.

use core::sync::atomic::Ordering;

use crate::{boot, cpu, image, phys};

unsafe extern "C" {
    // In each architecture's `trap.s`: they return whether the access faulted.
    fn probe_read(address: u64) -> bool;
    fn probe_write(address: u64) -> bool;
    fn probe_jump(address: u64) -> bool;
    fn probe_faulted();
}

/// Whether the fault in the kernel that is being handled was to be expected. It then goes on where this says.
pub(crate) fn recovery() -> Option<u64> {
    cpu::this()
        .probes
        .swap(false, Ordering::Relaxed)
        .then_some(probe_faulted as *const () as u64)
}

/// Makes an access that may fault. Returns whether it did.
///
/// # Safety
/// `access` runs one of the functions of `trap.s` that can go on at `probe_faulted`, and the access does no harm when it
/// does not fault.
pub(crate) unsafe fn faults(access: impl FnOnce() -> bool) -> bool {
    let probes = &cpu::this().probes;
    probes.store(true, Ordering::Relaxed);
    let faulted = access();
    probes.store(false, Ordering::Relaxed);
    faulted
}

#[derive(Clone, Copy)]
enum Access {
    Read,
    /// Writes what was there.
    Write,
    Jump,
}

/// Data that nobody executes.
static mut DATA: u64 = 0;

/// Tries what the kernel's page tables forbid to the kernel itself. Returns how many accesses were refused.
///
/// # Errors
/// Says which access was not refused. (One that jumps where it must not may also never come back.)
pub fn check_protection() -> Result<usize, &'static str> {
    let image = boot::image_start();
    let alias = phys::map_start() + image;
    let accesses = [
        ("writing to the kernel's code", Access::Write, image::start()),
        (
            "writing to the kernel's constants",
            Access::Write,
            image::text_end(),
        ),
        (
            "writing to the kernel's code in the map of physical memory",
            Access::Write,
            alias,
        ),
        ("executing the map of physical memory", Access::Jump, alias),
        (
            "executing the kernel's data",
            Access::Jump,
            (&raw const DATA).addr() as u64,
        ),
        (
            "executing the kernel's stack",
            Access::Jump,
            (&raw const image).addr() as u64,
        ),
        (
            "reading below the kernel's stack",
            Access::Read,
            image::stack_guard(),
        ),
        ("reading physical memory at its own address", Access::Read, image),
        ("reading the page at address 0", Access::Read, 0),
    ];
    for (name, access, address) in accesses {
        // SAFETY: the functions are those of `trap.s`. Reading, or writing what is there, does no harm; a jump that is
        // not refused runs into bytes that are no code, for which the machine is then stopped at the latest by a fault
        // that nobody expects.
        let faulted = unsafe {
            match access {
                Access::Read => faults(|| probe_read(address)),
                Access::Write => faults(|| probe_write(address)),
                Access::Jump => faults(|| probe_jump(address)),
            }
        };
        if !faulted {
            return Err(name);
        }
    }
    Ok(accesses.len())
}
