//! riscv64. The PE headers and the entry that relocates the image are in `riscv64_pe.s`.

use boot_core::elf::machine;
use core::arch::{asm, global_asm};
use uefi::boot::{self, OpenProtocolAttributes, OpenProtocolParams};
use uefi::proto::unsafe_protocol;
use uefi::{Status, StatusExt};

use crate::error::Error;

global_asm!(include_str!("riscv64_pe.s"));

pub(crate) const NAME: &str = "riscv64";
pub(crate) const MACHINE: u16 = machine::RISCV;
pub(crate) type Paging = boot_core::paging::Riscv64;

/// `satp.MODE` for Sv39, which every 64-bit processor with supervisor mode and page tables has.
const SATP_SV39: u64 = 8 << 60;

/// `RISCV_EFI_BOOT_PROTOCOL` (RISC-V UEFI Protocol Specification 1.0).
#[repr(C)]
#[unsafe_protocol("ccd15fec-6f73-4eec-8395-3e69e4b940bf")]
struct RiscvBoot {
    revision: u64,
    get_boot_hart_id: unsafe extern "efiapi" fn(this: *const RiscvBoot, hart: *mut usize) -> Status,
}

pub(crate) fn check() -> Result<(), Error> {
    Ok(())
}

pub(crate) fn boot_cpu() -> Result<u64, Error> {
    let handle = boot::get_handle_for_protocol::<RiscvBoot>().map_err(Error::BootHart)?;
    let params = OpenProtocolParams {
        handle,
        agent: boot::image_handle(),
        controller: None,
    };
    // SAFETY: the protocol is asked one question, here and now; nothing in between could remove it.
    let protocol = unsafe { boot::open_protocol::<RiscvBoot>(params, OpenProtocolAttributes::GetProtocol) };
    let protocol = protocol.map_err(Error::BootHart)?;
    let mut hart = 0;
    // SAFETY: the firmware installed this function for this protocol record; `hart` is a place for its
    // result.
    unsafe { (protocol.get_boot_hart_id)(&*protocol, &mut hart) }
        .to_result()
        .map_err(Error::BootHart)?;
    Ok(hart as u64)
}

pub(crate) fn counter() -> u64 {
    let count: u64;
    // SAFETY: firmware for UEFI gives supervisor mode the `time` register.
    unsafe { asm!("rdtime {}", out(reg) count, options(nomem, nostack, preserves_flags)) };
    count
}

pub(crate) fn sync_code(_start: u64, _len: u64) {
    // SAFETY: makes this hart see its own stores when it fetches instructions; changes nothing else.
    unsafe { asm!("fence.i", options(nostack)) };
}

// a0 = boot record, a1 = satp, a2 = entry point.
global_asm!(
    ".section .text.veridian_enter, \"ax\"",
    ".balign 256",
    ".global veridian_enter",
    "veridian_enter:",
    "csrci sstatus, 2",
    "csrw sie, zero",
    "fence",
    "sfence.vma",
    "csrw satp, a1",
    "sfence.vma",
    "fence.i",
    "jr a2",
    ".global veridian_enter_end",
    "veridian_enter_end:",
    ".text",
);

unsafe extern "C" {
    fn veridian_enter(record: u64, satp: u64, entry: u64) -> !;
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
    // SAFETY: the caller guarantees that code, tables and entry are in place.
    unsafe { veridian_enter(record, root >> 12 | SATP_SV39, entry) }
}
