//! Where the parts of the kernel image are, from the symbols of the linker script.

use bootinfo::KERNEL_VMA;
use kcore::paging::Access;

macro_rules! symbols {
    ($($(#[doc = $doc:literal])+ $name:ident = $symbol:ident;)+) => {
        unsafe extern "C" {
            $(static $symbol: u8;)+
        }
        $($(#[doc = $doc])+ pub(crate) fn $name() -> u64 { (&raw const $symbol).addr() as u64 })+
    };
}

symbols! {
    /// End of the code, page aligned.
    text_end = kernel_text_end;
    /// End of the constants, page aligned.
    rodata_end = kernel_rodata_end;
    /// The page below the kernel's stack, which stays unmapped.
    stack_guard = kernel_stack_guard;
    /// Top of the emergency stack that the boot CPU starts with.
    emergency_stack_top = kernel_emergency_stack_top;
    /// End of the image in memory, page aligned.
    end = kernel_image_end;
}

/// Length of the image in memory.
pub(crate) fn len() -> u64 {
    end() - KERNEL_VMA
}

/// The parts of the image that are mapped, as virtual address, end, and access.
pub(crate) fn parts() -> [(u64, u64, Access); 4] {
    [
        (KERNEL_VMA, text_end(), Access::ReadExecute),
        (text_end(), rodata_end(), Access::ReadOnly),
        (rodata_end(), stack_guard(), Access::ReadWrite),
        (stack_guard() + kcore::paging::PAGE_SIZE, end(), Access::ReadWrite),
    ]
}
