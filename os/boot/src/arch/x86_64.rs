//! x86_64.

use boot_core::elf::machine;
use core::arch::{asm, global_asm};

use crate::error::Error;

pub(crate) const NAME: &str = "x86_64";
pub(crate) const MACHINE: u16 = machine::X86_64;
pub(crate) type Paging = boot_core::paging::X86_64;

/// CR4: five levels of page tables. It cannot be changed without leaving 64-bit mode.
const CR4_LA57: u64 = 1 << 12;

/// CPUID 0x80000001, EDX: pages can be made not executable.
const CPUID_NX: u32 = 1 << 20;

pub(crate) fn check() -> Result<(), Error> {
    let cr4: u64;
    // SAFETY: reads a control register, which UEFI applications, running at ring 0, may do.
    unsafe { asm!("mov {}, cr4", out(reg) cr4, options(nomem, nostack, preserves_flags)) };
    if cr4 & CR4_LA57 != 0 {
        return Err(Error::Processor {
            expected: "firmware with four-level paging (start the machine with a processor model without LA57)",
            found: "five-level paging",
        });
    }
    if core::arch::x86_64::__cpuid(0x8000_0001).edx & CPUID_NX == 0 {
        return Err(Error::Processor {
            expected: "a processor with no-execute pages (in firmware setup: enable NX or XD)",
            found: "one without",
        });
    }
    Ok(())
}

pub(crate) fn boot_cpu() -> Result<u64, Error> {
    // The kernel reads its APIC id itself.
    Ok(0)
}

pub(crate) fn counter() -> u64 {
    // SAFETY: every 64-bit processor has the time-stamp counter, and firmware's ring 0 may read it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

pub(crate) fn sync_code(_start: u64, _len: u64) {
    // Instruction fetches are coherent with stores.
}

// rdi = boot record, rsi = page-table root, rdx = entry point.
global_asm!(
    ".section .text.veridian_enter, \"xr\"",
    ".balign 256",
    ".global veridian_enter",
    "veridian_enter:",
    "cli",
    "cld",
    "mov r8, rdx",
    // EFER.NXE, before tables with no-execute bits are in use.
    "mov ecx, 0xc0000080",
    "rdmsr",
    "or eax, 1 << 11",
    "wrmsr",
    "mov cr3, rsi",
    // Switching global pages off flushes what the firmware may have marked global.
    "mov rax, cr4",
    "and rax, ~(1 << 7)",
    "mov cr4, rax",
    // CR0.WP: read-only pages are read-only for the kernel as well.
    "mov rax, cr0",
    "or rax, 1 << 16",
    "mov cr0, rax",
    "jmp r8",
    ".global veridian_enter_end",
    "veridian_enter_end:",
    ".text",
);

unsafe extern "sysv64" {
    fn veridian_enter(record: u64, root: u64, entry: u64) -> !;
    safe fn veridian_enter_end();
}

/// First address of `enter`'s code and the one behind it.
pub(super) fn enter_code() -> (u64, u64) {
    (
        veridian_enter as *const () as u64,
        veridian_enter_end as *const () as u64,
    )
}

/// # Safety
///
/// Boot services have ended. `root` is a page-table tree that maps `enter_page` executable and `record`
/// readable at their own addresses, and the kernel's segments at theirs; `entry` is the kernel's entry point.
pub(crate) unsafe fn enter(record: u64, root: u64, entry: u64) -> ! {
    // SAFETY: the caller guarantees that code, tables and entry are in place; `check` has seen four-level
    // paging and NX.
    unsafe { veridian_enter(record, root, entry) }
}
