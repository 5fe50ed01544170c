//! Exceptions, interrupts and system calls. Source: Arm ARM (DDI 0487), chapter D1.

use core::arch::{asm, global_asm};
use core::fmt;
use core::mem::offset_of;

use abi::Fault;
use kcore::cause::{self, Cause};

use crate::cpu::Local;
use crate::image;
use crate::user::{self, MESSAGE_WORDS, RegisterFile};

global_asm!(
    include_str!("trap.s"),
    kernel_trap = sym kernel_trap,
    emergency_stack = const offset_of!(Local, emergency_stack),
);

unsafe extern "C" {
    fn enter_user(registers: *mut Registers) -> u64;
    safe static trap_vectors: u8;
}

/// Kinds of traps, as the vectors number them.
const SYNCHRONOUS: u64 = 0;
const INTERRUPT: u64 = 1;

/// Length of the `svc` instruction in bytes; the program goes on behind it.
const SVC: u64 = 4;

/// Where the class of an exception begins in `ESR_EL1`, and two classes: floating point is off, and `svc`.
const CLASS: u32 = 26;
const CLASS_FPU: u64 = 0x07;
const CLASS_SVC: u64 = 0x15;

/// In `spsr`: the exception level and which stack pointer; 0 for a program.
const SPSR_MODE: u64 = 0xf;

/// A program's registers, or the kernel's when it trapped: the trap frame of `trap.s`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Registers {
    x: [u64; 31],
    sp: u64,
    elr: u64,
    spsr: u64,
    esr: u64,
    far: u64,
    /// The program's thread pointer, which it sets as it likes.
    tpidr: u64,
    reserved: u64,
}

const _: () = assert!(size_of::<Registers>() == 38 * 8);

impl RegisterFile for Registers {
    /// `spsr` 0 is EL0, aarch64, with all interrupts on.
    fn start(entry: u64, stack: u64, argument: u64) -> Self {
        let mut registers = Self {
            sp: stack,
            elr: entry,
            ..Self::default()
        };
        registers.x[0] = argument;
        registers
    }

    fn call(&self) -> u64 {
        self.x[8]
    }

    fn arguments(&self) -> [u64; abi::ARGUMENTS] {
        let [a, b, c, d, e, f, ..] = self.x;
        [a, b, c, d, e, f]
    }

    fn set_result(&mut self, result: u64) {
        self.x[0] = result;
    }

    fn set_message(&mut self, status: u64, words: [u64; MESSAGE_WORDS]) {
        self.x[0] = status;
        self.x[1..=MESSAGE_WORDS].copy_from_slice(&words);
    }

    fn set_argument(&mut self, argument: u64) {
        self.x[0] = argument;
    }

    fn retry(&mut self) {
        self.elr -= SVC;
    }

    fn set_thread_pointer(&mut self, address: u64) {
        self.tpidr = address;
    }

    fn instruction(&self) -> u64 {
        self.elr
    }

    fn stack_pointer(&self) -> u64 {
        self.sp
    }

    fn wants_fpu(&self) -> bool {
        self.esr >> CLASS == CLASS_FPU
    }

    fn set_fpu(&mut self, _on: bool) {}
}

impl fmt::Display for Registers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value| image::shown(value, self.spsr & SPSR_MODE != 0);
        for (number, value) in self.x.iter().enumerate() {
            write!(out, "  x{number:<2} {:016x}", shown(*value))?;
            if number % 4 == 3 {
                writeln!(out)?;
            }
        }
        writeln!(out, "  sp  {:016x}", shown(self.sp))?;
        write!(
            out,
            "  elr {:016x}  spsr {:08x}  esr {:08x}  far {:016x}",
            shown(self.elr),
            self.spsr,
            self.esr,
            shown(self.far)
        )
    }
}

/// Tells the CPU where the vectors and its `Local` are.
pub(super) fn install(local: &'static Local) {
    let vectors = (&raw const trap_vectors).addr();
    // SAFETY: the vectors handle every exception.
    unsafe {
        asm!(
            "msr tpidr_el1, {local}",
            "msr vbar_el1, {vectors}",
            "isb",
            local = in(reg) &raw const *local,
            vectors = in(reg) vectors,
            options(nostack, preserves_flags),
        );
    }
}

/// Runs a program until it traps.
///
/// # Safety
/// The program's address space is active.
#[inline(always)]
pub(super) unsafe fn enter(registers: &mut Registers) -> Cause {
    let kind: u64;
    // SAFETY: `Registers` can only be made by `start` and changed by traps and `RegisterFile`, so `spsr` is a program's.
    unsafe {
        asm!(
            "bl {enter_user}",
            enter_user = sym enter_user,
            inlateout("x0") &raw mut *registers => kind,
            clobber_abi("C"),
            out("x20") _, out("x21") _, out("x22") _, out("x23") _, out("x24") _,
            out("x25") _, out("x26") _, out("x27") _, out("x28") _,
        );
    }
    if kind == SYNCHRONOUS && registers.esr >> CLASS == CLASS_SVC {
        Cause::SystemCall
    } else {
        cause_of(kind, registers)
    }
}

#[cold]
fn cause_of(kind: u64, registers: &Registers) -> Cause {
    match kind {
        SYNCHRONOUS => cause::aarch64(registers.esr, registers.far),
        INTERRUPT => Cause::Interrupt,
        _ => Cause::Fault {
            fault: Fault::Other,
            address: None,
        },
    }
}

/// A trap out of the kernel itself.
extern "C" fn kernel_trap(registers: &mut Registers, kind: u64) {
    let cause = cause_of(kind, registers);
    if let Some(target) = user::kernel_trap(cause, registers) {
        registers.elr = target;
    }
}
