//! Control registers and single instructions. Source: Intel SDM volumes 2 and 3A.

use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count};

use crate::cpu::Local;

/// Model-specific registers that this kernel uses.
pub(super) mod msr {
    pub(crate) const APIC_BASE: u32 = 0x1b;
    pub(crate) const EFER: u32 = 0xc000_0080;
    pub(crate) const STAR: u32 = 0xc000_0081;
    pub(crate) const LSTAR: u32 = 0xc000_0082;
    pub(crate) const SFMASK: u32 = 0xc000_0084;
    pub(crate) const FS_BASE: u32 = 0xc000_0100;
    pub(crate) const GS_BASE: u32 = 0xc000_0101;
    /// What `swapgs` exchanges with the base of gs.
    pub(crate) const OTHER_GS_BASE: u32 = 0xc000_0102;
    pub(crate) const TSC_DEADLINE: u32 = 0x6e0;
}

const CR0_MONITOR_COPROCESSOR: u64 = 1 << 1;
const CR0_EMULATION: u64 = 1 << 2;
const CR0_TASK_SWITCHED: u64 = 1 << 3;
const CR0_NUMERIC_ERROR: u64 = 1 << 5;
const CR0_WRITE_PROTECT: u64 = 1 << 16;
const CR4_GLOBAL_PAGES: u64 = 1 << 7;
const CR4_OSFXSR: u64 = 1 << 9;
const CR4_OSXMMEXCPT: u64 = 1 << 10;
const CR4_OSXSAVE: u64 = 1 << 18;
const CR4_FSGSBASE: u64 = 1 << 16;
const CR4_UMIP: u64 = 1 << 11;
const CR4_SMEP: u64 = 1 << 20;
const CR4_SMAP: u64 = 1 << 21;
const EFER_SYSCALL: u64 = 1;
const EFER_NO_EXECUTE: u64 = 1 << 11;

/// Reads a model-specific register.
///
/// # Safety
/// The CPU has it.
pub(super) unsafe fn read_msr(register: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the caller vouches for the register; reading it changes nothing.
    unsafe { asm!("rdmsr", in("ecx") register, out("eax") low, out("edx") high, options(nomem, nostack)) };
    u64::from(high) << 32 | u64::from(low)
}

/// Writes a model-specific register.
///
/// # Safety
/// The CPU has it, and the value keeps the kernel's assumptions.
pub(super) unsafe fn write_msr(register: u32, value: u64) {
    let (low, high) = (value as u32, (value >> 32) as u32);
    // SAFETY: the caller vouches for register and value.
    unsafe { asm!("wrmsr", in("ecx") register, in("eax") low, in("edx") high, options(nostack)) };
}

/// Reads a byte from an I/O port.
///
/// # Safety
/// The port belongs to a device that this crate owns, or to none.
pub(super) unsafe fn read_port(port: u16) -> u8 {
    let value;
    // SAFETY: the caller vouches for the port.
    unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Writes a byte to an I/O port.
///
/// # Safety
/// As for [`read_port`].
pub(super) unsafe fn write_port(port: u16, value: u8) {
    // SAFETY: the caller vouches for the port.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack, preserves_flags)) };
}

/// Writes 16 bits to an I/O port.
///
/// # Safety
/// As for [`read_port`].
pub(super) unsafe fn write_port16(port: u16, value: u16) {
    // SAFETY: the caller vouches for the port.
    unsafe { asm!("out dx, ax", in("dx") port, in("ax") value, options(nomem, nostack, preserves_flags)) };
}

/// Reads a port for a program that has been given it. Devices that access memory by themselves could harm the kernel:
/// whoever may hand out ports decides about that.
pub(super) fn read_port_for_program(port: u16, width: usize) -> Option<u64> {
    // SAFETY: what the device does is within the trust of whoever gave the port away; the instructions change no memory.
    unsafe {
        match width {
            1 => Some(u64::from(read_port(port))),
            2 => {
                let value: u16;
                asm!("in ax, dx", in("dx") port, out("ax") value, options(nomem, nostack, preserves_flags));
                Some(u64::from(value))
            }
            4 => {
                let value: u32;
                asm!("in eax, dx", in("dx") port, out("eax") value, options(nomem, nostack, preserves_flags));
                Some(u64::from(value))
            }
            _ => None,
        }
    }
}

/// Writes a port for a program that has been given it: see [`read_port_for_program`].
pub(super) fn write_port_for_program(port: u16, width: usize, value: u64) -> bool {
    // SAFETY: as for reading.
    unsafe {
        match width {
            1 => write_port(port, value as u8),
            2 => write_port16(port, value as u16),
            4 => {
                asm!("out dx, eax", in("dx") port, in("eax") value as u32, options(nomem, nostack, preserves_flags))
            }
            _ => return false,
        }
    }
    true
}

/// Switches the protection on that the kernel's tables count on, and what the CPU has besides. Floating point can be used
/// by programs that have been given a state, and traps at first.
pub(super) fn enable_protection() {
    let (mut cr0, mut cr4): (u64, u64);
    let features = __cpuid(0);
    let (ebx, ecx) = if features.eax >= 7 {
        let extended = __cpuid_count(7, 0);
        (extended.ebx, extended.ecx)
    } else {
        (0, 0)
    };
    // SAFETY: these bits only take rights away from programs and from the kernel's own mistakes; the CPU has every
    // feature that is switched on, by CPUID or because long mode requires it.
    unsafe {
        asm!("mov {}, cr0", out(reg) cr0, options(nomem, nostack));
        asm!("mov {}, cr4", out(reg) cr4, options(nomem, nostack));
        cr0 |= CR0_WRITE_PROTECT | CR0_MONITOR_COPROCESSOR | CR0_TASK_SWITCHED | CR0_NUMERIC_ERROR;
        cr0 &= !CR0_EMULATION;
        cr4 &= !(CR4_GLOBAL_PAGES | CR4_OSXSAVE | CR4_FSGSBASE);
        cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
        for (present, bit) in [
            (ebx & 1 << 7, CR4_SMEP),
            (ebx & 1 << 20, CR4_SMAP),
            (ecx & 1 << 2, CR4_UMIP),
        ] {
            if present != 0 {
                cr4 |= bit;
            }
        }
        asm!("mov cr0, {}", in(reg) cr0, options(nostack));
        asm!("mov cr4, {}", in(reg) cr4, options(nostack));
        write_msr(msr::EFER, read_msr(msr::EFER) | EFER_SYSCALL | EFER_NO_EXECUTE);
    }
}

/// Keeps the kernel's translations over a switch of address spaces.
pub(super) fn enable_global_pages() {
    // SAFETY: only the kernel's mappings are global, and they are the same in every address space.
    unsafe {
        let mut cr4: u64;
        asm!("mov {}, cr4", out(reg) cr4, options(nomem, nostack));
        cr4 |= CR4_GLOBAL_PAGES;
        asm!("mov cr4, {}", in(reg) cr4, options(nostack));
    }
}

/// Switches page tables; all translations that are not global are forgotten.
///
/// # Safety
/// The tables map the kernel where it is now.
pub(super) unsafe fn set_root(root: u64) {
    // SAFETY: the caller vouches for the tables.
    unsafe { asm!("mov cr3, {}", in(reg) root, options(nostack, preserves_flags)) };
}

/// The address of the last page fault.
pub(super) fn fault_address() -> u64 {
    let address;
    // SAFETY: reading the register changes nothing.
    unsafe { asm!("mov {}, cr2", out(reg) address, options(nomem, nostack, preserves_flags)) };
    address
}

/// The time-stamp counter.
pub(super) fn time_stamp() -> u64 {
    // SAFETY: every 64-bit CPU has the instruction, and the kernel may always use it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// State of the CPU that runs.
#[inline]
pub(super) fn local() -> &'static Local {
    let local: *const Local;
    // SAFETY: the base of gs is this CPU's `Local`, a static, from the first instruction in Rust on; the field that is
    // read holds its address.
    unsafe {
        asm!(
            "mov {}, gs:[{}]",
            out(reg) local,
            const Local::ADDRESS,
            options(nostack, preserves_flags, pure, readonly),
        );
        &*local
    }
}

/// Takes an interrupt that waits, if one does.
pub(super) fn take_interrupt() {
    // SAFETY: the handler notes the vector and masks interrupts again. `sti` works from the end of the instruction behind
    // it on, so it takes a second one for an interrupt to come.
    unsafe { asm!("sti", "nop", "nop", "cli", options(nostack)) };
}

/// Sleeps until an interrupt, and takes it.
pub(super) fn wait_for_interrupt() {
    // SAFETY: as above; no interrupt comes between the two instructions, so none is slept through.
    unsafe { asm!("sti", "hlt", "cli", options(nostack)) };
}

/// Forgets the translation of one page.
pub(super) fn forget_page(address: u64) {
    // SAFETY: at worst the CPU looks it up again.
    unsafe { asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags)) };
}

/// Forgets all translations that are not global.
pub(super) fn forget_all() {
    // SAFETY: writes back what is there.
    unsafe {
        asm!("mov {root}, cr3", "mov cr3, {root}", root = out(reg) _, options(nostack, preserves_flags))
    };
}

/// The frame pointer of the caller.
#[inline(always)]
pub(super) fn frame_pointer() -> u64 {
    let frame;
    // SAFETY: reading the register changes nothing.
    unsafe { asm!("mov {}, rbp", out(reg) frame, options(nomem, nostack, preserves_flags)) };
    frame
}

/// Random bits, from the source itself where the CPU has it, else from its generator.
pub(super) fn random() -> Option<u64> {
    /// A source may be busy; Intel says ten times is more than enough for the generator.
    const TRIES: usize = 100;
    let has_seed = __cpuid(0).eax >= 7 && __cpuid_count(7, 0).ebx & 1 << 18 != 0;
    let has_generator = __cpuid(1).ecx & 1 << 30 != 0;
    let step = || {
        let (word, valid): (u64, u8);
        // SAFETY: the CPU has the instruction that is executed.
        unsafe {
            if has_seed {
                asm!("rdseed {}", "setc {}", out(reg) word, out(reg_byte) valid, options(nomem, nostack));
            } else {
                asm!("rdrand {}", "setc {}", out(reg) word, out(reg_byte) valid, options(nomem, nostack));
            }
        }
        // There are CPUs that give these two when the generator does not work.
        (valid != 0 && word != 0 && word != u64::MAX).then_some(word)
    };
    (has_seed || has_generator).then(|| (0..TRIES).find_map(|_| step()))?
}

/// Does nothing for ever.
pub(super) fn halt() -> ! {
    loop {
        // SAFETY: with interrupts masked the CPU just stops.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}

/// Root of the active tables.
pub(super) fn active_root() -> u64 {
    let root: u64;
    // SAFETY: reading the register changes nothing.
    unsafe { asm!("mov {}, cr3", out(reg) root, options(nomem, nostack, preserves_flags)) };
    root & 0xf_ffff_ffff_f000
}

/// See `Architecture::go_on`.
///
/// # Safety
/// As there.
pub(super) unsafe fn go_on(target: u64, argument: u64, distance: u64) -> ! {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "add rsp, rdx",
            "and rsp, -16",
            "xor ebp, ebp",
            "push rbp",
            "jmp rsi",
            in("rdx") distance,
            in("rsi") target,
            in("rdi") argument,
            options(noreturn),
        )
    }
}
