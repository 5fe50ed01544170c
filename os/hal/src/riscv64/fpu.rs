//! Floating-point registers, on harts that have double precision (extensions F and D). Source: RISC-V Unprivileged
//! Architecture, chapters "F" and "D"; Privileged Architecture, field FS of `sstatus`.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering};

use kcore::fdt::{Fdt, number};

use crate::device_tree;

/// Field FS of `sstatus`; any value but 0 switches the instructions on.
pub(super) const STATUS: u64 = 3 << 13;

/// f0 to f31 and fcsr.
#[repr(C)]
pub(crate) struct FpuRegisters {
    registers: [u64; 32],
    control: u64,
}

/// Rounding to nearest, no flags.
pub(super) const START: FpuRegisters = FpuRegisters {
    registers: [0; 32],
    control: 0,
};

static EXISTS: AtomicBool = AtomicBool::new(false);

/// Looks in the device tree whether the harts have double precision: the letter d, or g, among those of one letter.
pub(super) fn use_device_tree(tree: &Fdt<'_>, boot: u64) {
    device_tree::walk(tree, |node, parents| {
        let is_boot_hart = node.name.starts_with("cpu@")
            && parents.last().is_some_and(|parent| parent.name == "cpus")
            && node.property(tree, "reg").and_then(number) == Some(boot);
        if is_boot_hart {
            let isa = node.property(tree, "riscv,isa").unwrap_or_default();
            let letters = isa.strip_prefix(b"rv64").unwrap_or_default();
            let mut letters = letters.iter().take_while(|letter| !b"_szx\0".contains(letter));
            EXISTS.store(letters.any(|letter| b"dg".contains(letter)), Ordering::Relaxed);
        }
    });
}

/// Whether an instruction is one that needs floating point switched on. Harts may give 0 for "not said".
pub(super) fn is_instruction(instruction: u64) -> bool {
    let (low, function) = (instruction & 3, instruction >> 13 & 7);
    let needs = match instruction & 0x7f {
        // Loads and stores, operations, the four that multiply and add.
        0x07 | 0x27 | 0x53 | 0x43 | 0x47 | 0x4b | 0x4f => true,
        // Control registers 1 to 3.
        0x73 => (1..=3).contains(&(instruction >> 20 & 0xfff)),
        // Compressed loads and stores.
        _ => low != 3 && low != 1 && matches!(function, 1 | 5),
    };
    EXISTS.load(Ordering::Relaxed) && (instruction == 0 || needs)
}

/// Switches the instructions on, or makes them trap.
pub(super) fn enable(on: bool) {
    // SAFETY: the kernel is compiled without these instructions.
    unsafe {
        if on {
            asm!("csrs sstatus, {}", in(reg) STATUS, options(nomem, nostack));
        } else {
            asm!("csrc sstatus, {}", in(reg) STATUS, options(nomem, nostack));
        }
    }
}

/// Saves the registers.
pub(super) fn save(registers: &mut FpuRegisters) {
    // SAFETY: there is room for everything that is stored; the instructions are switched on.
    unsafe {
        asm!(
            ".option push",
            ".option arch, +d",
            "fsd f0, 0({p})",
            "fsd f1, 8({p})",
            "fsd f2, 16({p})",
            "fsd f3, 24({p})",
            "fsd f4, 32({p})",
            "fsd f5, 40({p})",
            "fsd f6, 48({p})",
            "fsd f7, 56({p})",
            "fsd f8, 64({p})",
            "fsd f9, 72({p})",
            "fsd f10, 80({p})",
            "fsd f11, 88({p})",
            "fsd f12, 96({p})",
            "fsd f13, 104({p})",
            "fsd f14, 112({p})",
            "fsd f15, 120({p})",
            "fsd f16, 128({p})",
            "fsd f17, 136({p})",
            "fsd f18, 144({p})",
            "fsd f19, 152({p})",
            "fsd f20, 160({p})",
            "fsd f21, 168({p})",
            "fsd f22, 176({p})",
            "fsd f23, 184({p})",
            "fsd f24, 192({p})",
            "fsd f25, 200({p})",
            "fsd f26, 208({p})",
            "fsd f27, 216({p})",
            "fsd f28, 224({p})",
            "fsd f29, 232({p})",
            "fsd f30, 240({p})",
            "fsd f31, 248({p})",
            "csrr {control}, fcsr",
            ".option pop",
            p = in(reg) &raw mut registers.registers,
            control = out(reg) registers.control,
            options(nostack),
        );
    }
}

/// Loads the registers.
pub(super) fn load(registers: &FpuRegisters) {
    // SAFETY: only registers that the kernel does not use change; the instructions are switched on.
    unsafe {
        asm!(
            ".option push",
            ".option arch, +d",
            "fld f0, 0({p})",
            "fld f1, 8({p})",
            "fld f2, 16({p})",
            "fld f3, 24({p})",
            "fld f4, 32({p})",
            "fld f5, 40({p})",
            "fld f6, 48({p})",
            "fld f7, 56({p})",
            "fld f8, 64({p})",
            "fld f9, 72({p})",
            "fld f10, 80({p})",
            "fld f11, 88({p})",
            "fld f12, 96({p})",
            "fld f13, 104({p})",
            "fld f14, 112({p})",
            "fld f15, 120({p})",
            "fld f16, 128({p})",
            "fld f17, 136({p})",
            "fld f18, 144({p})",
            "fld f19, 152({p})",
            "fld f20, 160({p})",
            "fld f21, 168({p})",
            "fld f22, 176({p})",
            "fld f23, 184({p})",
            "fld f24, 192({p})",
            "fld f25, 200({p})",
            "fld f26, 208({p})",
            "fld f27, 216({p})",
            "fld f28, 224({p})",
            "fld f29, 232({p})",
            "fld f30, 240({p})",
            "fld f31, 248({p})",
            "csrw fcsr, {control}",
            ".option pop",
            p = in(reg) &raw const registers.registers,
            control = in(reg) registers.control,
            options(nostack, readonly),
        );
    }
}
