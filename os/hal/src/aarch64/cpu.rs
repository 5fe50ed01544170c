//! System registers and single instructions. Source: Arm ARM (DDI 0487).

use core::arch::asm;

use kcore::paging::MAIR;

use crate::cpu::Local;
use crate::tlb::MAX_PAGES;

/// `TCR_EL1` but for the size of physical addresses: both halves 48 bits (T0SZ, T1SZ = 16) in 4 KiB pages (TG0 = 0,
/// TG1 = 2), tables in inner-shareable write-back memory.
const TCR: u64 = 0xb510_3510;
/// Translations of the lower half are not looked up in tables: there is no program.
const TCR_NO_USER_TABLES: u64 = 1 << 7;

// SCTLR_EL1.
const MMU: u64 = 1;
const ALIGNMENT_CHECK: u64 = 1 << 1;
const DATA_CACHE: u64 = 1 << 2;
const STACK_ALIGNMENT_CHECK: u64 = 1 << 3;
const INSTRUCTION_CACHE: u64 = 1 << 12;
const USER_MASKS_INTERRUPTS: u64 = 1 << 9;
const USER_CTR: u64 = 1 << 15;
const USER_WFI_WFE: u64 = 1 << 16 | 1 << 18;
const WRITABLE_IS_NOT_EXECUTABLE: u64 = 1 << 19;
const USER_CACHE_MAINTENANCE: u64 = 1 << 26;
/// Do not set PSTATE.PAN on an exception.
const KEEP_PAN: u64 = 1 << 23;

macro_rules! read_register {
    ($name:literal) => {{
        let value: u64;
        // SAFETY: every aarch64 CPU has the register, and reading it changes nothing.
        unsafe { asm!(concat!("mrs {}, ", $name), out(reg) value, options(nomem, nostack, preserves_flags)) };
        value
    }};
}
pub(super) use read_register;

/// `TCR_EL1` with both halves on, and physical addresses as long as the CPU has them, up to 48 bits.
pub(super) fn tcr() -> u64 {
    TCR | (read_register!("id_aa64mmfr0_el1") & 0xf).min(5) << 32
}

/// Switches to the kernel's tables and to what they count on.
///
/// The register of memory attributes changes under the tables that are active, but no attribute that they use for the
/// kernel does: see [`MAIR`].
///
/// # Safety
/// The tables map the kernel where it is now.
pub(super) unsafe fn set_kernel_root(root: u64) {
    let mut control = read_register!("sctlr_el1");
    control |= MMU | DATA_CACHE | INSTRUCTION_CACHE | STACK_ALIGNMENT_CHECK | WRITABLE_IS_NOT_EXECUTABLE;
    control &= !(ALIGNMENT_CHECK
        | USER_MASKS_INTERRUPTS
        | USER_CTR
        | USER_WFI_WFE
        | USER_CACHE_MAINTENANCE
        | KEEP_PAN);
    // SAFETY: the caller vouches for the tables; floating point, which the kernel is compiled without, traps. Programs may
    // not read the counters.
    unsafe {
        asm!(
            "dsb ish",
            "msr mair_el1, {mair}",
            "msr tcr_el1, {tcr}",
            "msr ttbr1_el1, {root}",
            "isb",
            "tlbi vmalle1",
            "dsb ish",
            "isb",
            "msr sctlr_el1, {control}",
            "msr cpacr_el1, xzr",
            "msr cntkctl_el1, xzr",
            "msr pmuserenr_el0, xzr",
            "msr tpidrro_el0, xzr",
            "isb",
            mair = in(reg) MAIR,
            tcr = in(reg) tcr() | TCR_NO_USER_TABLES,
            root = in(reg) root,
            control = in(reg) control,
            options(nostack, preserves_flags),
        );
    }
}

/// Switches the tables of the lower half, or switches the lower half off, and forgets its translations.
///
/// # Safety
/// The tables map nothing but what a program may use.
pub(super) unsafe fn set_user_root(root: Option<u64>) {
    let tcr = read_register!("tcr_el1") & !TCR_NO_USER_TABLES;
    let tcr = if root.is_some() {
        tcr
    } else {
        tcr | TCR_NO_USER_TABLES
    };
    // SAFETY: the caller vouches for the tables; the kernel's are in the other half. The first barrier makes fresh
    // entries visible to the table walker.
    unsafe {
        asm!(
            "dsb ish",
            "msr ttbr0_el1, {root}",
            "msr tcr_el1, {tcr}",
            "isb",
            // Programs' translations all carry identifier 0; the kernel's carry none.
            "tlbi aside1, xzr",
            "dsb nsh",
            "isb",
            root = in(reg) root.unwrap_or(0),
            tcr = in(reg) tcr,
            options(nostack, preserves_flags),
        );
    }
}

/// Writes fresh code from the data cache to where instruction fetches look.
pub(super) fn publish_code(start: *const u8, len: usize) {
    // CTR_EL0 gives the smallest cache lines as the logarithm of their length in words.
    let lines = read_register!("ctr_el0");
    let (data_line, code_line) = (4 << (lines >> 16 & 0xf), 4 << (lines & 0xf));
    // SAFETY: cache maintenance by address changes no memory, and the range is mapped.
    unsafe {
        for offset in (0..len).step_by(data_line) {
            asm!("dc cvau, {}", in(reg) start.wrapping_add(offset), options(nostack, preserves_flags));
        }
        asm!("dsb ish", options(nostack, preserves_flags));
        for offset in (0..len).step_by(code_line) {
            asm!("ic ivau, {}", in(reg) start.wrapping_add(offset), options(nostack, preserves_flags));
        }
        asm!("dsb ish", "isb", options(nostack, preserves_flags));
    }
}

/// The virtual counter.
pub(super) fn counter() -> u64 {
    let value;
    // SAFETY: reading the counter changes nothing; the barrier keeps it from being read early.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

/// State of the CPU that runs.
#[inline]
pub(super) fn local() -> &'static Local {
    let local: *const Local;
    // SAFETY: the register holds the address of a static from the first instruction in Rust on.
    unsafe {
        asm!("mrs {}, tpidr_el1", out(reg) local, options(pure, nomem, nostack, preserves_flags));
        &*local
    }
}

/// Sleeps until an interrupt is there. Masked ones count, so none is slept through.
pub(super) fn wait_for_interrupt() {
    // SAFETY: the CPU just waits.
    unsafe { asm!("dsb sy", "wfi", options(nostack, preserves_flags)) };
}

/// Makes all CPUs forget the translations of some pages, whosever they are.
pub(super) fn forget(first_page: u64, pages: u64) {
    // SAFETY: at worst they are looked up again. The first barrier makes earlier changes of tables visible to that.
    unsafe {
        asm!("dsb ishst", options(nostack, preserves_flags));
        if pages > MAX_PAGES {
            asm!("tlbi vmalle1is", options(nostack, preserves_flags));
        } else {
            for page in 0..pages {
                let number = first_page.wrapping_add(page << 12) >> 12 & ((1 << 44) - 1);
                asm!("tlbi vaae1is, {}", in(reg) number, options(nostack, preserves_flags));
            }
        }
        asm!("dsb ish", "isb", options(nostack, preserves_flags));
    }
}

/// The frame pointer of the caller.
#[inline(always)]
pub(super) fn frame_pointer() -> u64 {
    let frame;
    // SAFETY: reading the register changes nothing.
    unsafe { asm!("mov {}, x29", out(reg) frame, options(nomem, nostack, preserves_flags)) };
    frame
}

/// Random bits, where the CPU has a generator (FEAT_RNG).
pub(super) fn random() -> Option<u64> {
    /// The generator may be busy.
    const TRIES: usize = 100;
    let step = || {
        let (word, valid): (u64, u64);
        // SAFETY: the CPU has the register RNDR, and reading it sets only the flags.
        unsafe {
            asm!("mrs {}, s3_3_c2_c4_0", "cset {}, ne", out(reg) word, out(reg) valid, options(nomem, nostack));
        }
        (valid != 0).then_some(word)
    };
    let exists = read_register!("id_aa64isar0_el1") >> 60 != 0;
    exists.then(|| (0..TRIES).find_map(|_| step()))?
}

/// Does nothing for ever.
pub(super) fn halt() -> ! {
    loop {
        // SAFETY: the CPU just waits.
        unsafe { asm!("msr daifset, #15", "wfi", options(nomem, nostack)) };
    }
}

/// Root of the active tables for the kernel's half.
pub(super) fn active_kernel_root() -> u64 {
    read_register!("ttbr1_el1") & 0xffff_ffff_f000
}

/// Forgets all translations, and makes changed entries visible.
pub(super) fn forget_everything() {
    // SAFETY: at worst they are looked up again.
    unsafe { asm!("dsb ish", "tlbi vmalle1", "dsb ish", "isb", options(nostack)) };
}

/// See `Architecture::go_on`.
///
/// # Safety
/// As there.
pub(super) unsafe fn go_on(target: u64, argument: u64, distance: u64) -> ! {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "add x2, sp, x2",
            "mov sp, x2",
            "mov x29, xzr",
            "mov x30, xzr",
            "br x1",
            in("x2") distance,
            in("x1") target,
            in("x0") argument,
            options(noreturn),
        )
    }
}
