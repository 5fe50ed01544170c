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
    /// First address.
    start = kernel_image_start;
    /// Start of the list of relocations.
    relocations_start = kernel_relocations;
    /// Its end.
    relocations_end = kernel_relocations_end;
    /// End of the code, page aligned.
    text_end = kernel_text_end;
    /// Start of the bytes for the table of symbols.
    symbols_start = kernel_symbols;
    /// End of these bytes.
    symbols_end = kernel_symbols_end;
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
    end() - start()
}

/// Where the list of relocations is: start and end.
pub(crate) fn relocations() -> (u64, u64) {
    (relocations_start(), relocations_end())
}

/// How far above the address for which it was linked the image lies.
pub fn offset() -> u64 {
    start() - KERNEL_VMA
}

/// The parts of the image that are mapped, as virtual address, end, and access.
pub(crate) fn parts() -> [(u64, u64, Access); 4] {
    [
        (start(), text_end(), Access::ReadExecute),
        (text_end(), rodata_end(), Access::ReadOnly),
        (rodata_end(), stack_guard(), Access::ReadWrite),
        (stack_guard() + kcore::paging::PAGE_SIZE, end(), Access::ReadWrite),
    ]
}

/// The address for which the kernel was linked of what now lies at `address`; `None` outside of the image. Symbols and
/// debuggers' files have such addresses.
pub fn link_address(address: u64) -> Option<u64> {
    (start() <= address && address < end()).then(|| address - offset())
}

/// What is shown of a register's value: an address in the image as that for which it was linked. Not of a program's value,
/// which may be a guess that this would confirm.
pub(crate) fn shown(value: u64, is_kernel: bool) -> u64 {
    link_address(value).filter(|_| is_kernel).unwrap_or(value)
}

/// The bytes that whoever built the image has filled with a table of its symbols ([`kcore::symbols`]), or has not.
pub fn symbols() -> &'static [u8] {
    let len = symbols_end() - symbols_start();
    // SAFETY: the linker script keeps these bytes among the constants, which are mapped and never written to.
    unsafe { core::slice::from_raw_parts(symbols_start() as *const u8, len as usize) }
}
