//! Exceptions, interrupts and system calls. Source: RISC-V Privileged Architecture, chapter "Supervisor-Level ISA".

use core::arch::{asm, global_asm};
use core::fmt;
use core::mem::offset_of;

use kcore::cause::{self, Cause};

use super::fpu;
use crate::cpu::Local;
use crate::image;
use crate::user::{self, MESSAGE_WORDS, RegisterFile};

global_asm!(
    include_str!("trap.s"),
    kernel_trap = sym kernel_trap,
    emergency_stack = const offset_of!(Local, emergency_stack),
);

unsafe extern "C" {
    fn enter_user(registers: *mut Registers);
    safe static trap_entry: u8;
}

/// `sstatus` after which `sret` leads to a program with interrupts on: previous interrupt enable is 1, previous
/// privilege 0, floating point off.
const USER_STATUS: u64 = 1 << 5;

/// Length of the `ecall` instruction in bytes; the program goes on behind it.
const ECALL: u64 = 4;

// Numbers of exceptions.
const ILLEGAL_INSTRUCTION: u64 = 2;
const SYSTEM_CALL: u64 = 8;

/// In `sstatus`: the trap came from the kernel.
const STATUS_SUPERVISOR: u64 = 1 << 8;

// Numbers of the thread pointer and of argument registers, as indices of `x`.
const TP: usize = 3;
const A0: usize = 9;
const A7: usize = 16;

/// Names of x1 to x31 in the calling convention.
const NAMES: [&str; 31] = [
    "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
    "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
];

/// A program's registers, or the kernel's when it trapped: the trap frame of `trap.s`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Registers {
    /// x1 to x31.
    x: [u64; 31],
    pc: u64,
    status: u64,
    cause: u64,
    value: u64,
}

const _: () = assert!(size_of::<Registers>() == 35 * 8);

impl RegisterFile for Registers {
    fn start(entry: u64, stack: u64, argument: u64) -> Self {
        let mut registers = Self {
            pc: entry,
            status: USER_STATUS,
            ..Self::default()
        };
        registers.x[1] = stack;
        registers.x[A0] = argument;
        registers
    }

    fn call(&self) -> u64 {
        self.x[A7]
    }

    fn arguments(&self) -> [u64; abi::ARGUMENTS] {
        core::array::from_fn(|index| self.x[A0 + index])
    }

    fn set_result(&mut self, result: u64) {
        self.x[A0] = result;
    }

    fn set_message(&mut self, status: u64, words: [u64; MESSAGE_WORDS]) {
        self.x[A0] = status;
        self.x[A0 + 1..=A0 + MESSAGE_WORDS].copy_from_slice(&words);
    }

    fn set_argument(&mut self, argument: u64) {
        self.x[A0] = argument;
    }

    fn retry(&mut self) {
        self.pc -= ECALL;
    }

    fn set_thread_pointer(&mut self, address: u64) {
        self.x[TP] = address;
    }

    fn instruction(&self) -> u64 {
        self.pc
    }

    fn stack_pointer(&self) -> u64 {
        self.x[1]
    }

    fn wants_fpu(&self) -> bool {
        self.cause == ILLEGAL_INSTRUCTION && self.status & fpu::STATUS == 0 && fpu::is_instruction(self.value)
    }

    fn set_fpu(&mut self, on: bool) {
        self.status = self.status & !fpu::STATUS | if on { fpu::STATUS } else { 0 };
    }
}

impl fmt::Display for Registers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value| image::shown(value, self.status & STATUS_SUPERVISOR != 0);
        for (number, (name, value)) in NAMES.iter().zip(self.x).enumerate() {
            write!(out, "  {name:<3} {:016x}", shown(value))?;
            if number % 4 == 3 {
                writeln!(out)?;
            }
        }
        writeln!(out)?;
        write!(
            out,
            "  pc  {:016x}  sstatus {:016x}  scause {:#x}  stval {:016x}",
            shown(self.pc),
            self.status,
            self.cause,
            shown(self.value)
        )
    }
}

/// Tells the CPU where the handler is, and keeps its `Local` in tp, which compiled code leaves alone.
pub(super) fn install(local: &'static Local) {
    let entry = (&raw const trap_entry).addr();
    // SAFETY: the handler takes every trap; sscratch 0 tells it that the kernel runs.
    unsafe {
        asm!(
            "csrw sscratch, zero",
            "mv tp, {local}",
            "csrw stvec, {entry}",
            local = in(reg) &raw const *local,
            entry = in(reg) entry,
            options(nostack),
        );
    }
}

/// Runs a program until it traps.
///
/// # Safety
/// The program's address space is active.
#[inline(always)]
pub(super) unsafe fn enter(registers: &mut Registers) -> Cause {
    // SAFETY: `Registers` can only be made by `start` and changed by traps and `RegisterFile`, so `status` is a program's.
    unsafe {
        asm!(
            "call {enter_user}",
            enter_user = sym enter_user,
            in("a0") &raw mut *registers,
            clobber_abi("C"),
            out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
            out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _,
        );
    }
    if registers.cause == SYSTEM_CALL {
        registers.pc += ECALL;
        return Cause::SystemCall;
    }
    cause_of(registers)
}

#[cold]
fn cause_of(registers: &Registers) -> Cause {
    cause::riscv64(registers.cause, registers.value)
}

/// A trap out of the kernel itself.
extern "C" fn kernel_trap(registers: &mut Registers) {
    let cause = cause_of(registers);
    if let Some(target) = user::kernel_trap(cause, registers) {
        registers.pc = target;
    }
}
