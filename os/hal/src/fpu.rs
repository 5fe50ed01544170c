//! Floating point of programs. The kernel itself is compiled without.
//!
//! A program has no floating-point state until it uses floating point for the first time: that traps, and the kernel may
//! give it a state. From then on the state is loaded before the program runs and saved when it stops, always. It is never
//! left in the registers, switched off, until somebody asks for it: a program that runs meanwhile could read such
//! registers by speculation. When a program without a state follows one that has one, the registers are cleared.
//!
//! Loading is left out only when the registers are known to hold the very state already.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::Architecture;
use crate::arch::Machine;
use crate::cpu::Local;

/// The number of the next state. Numbers are never used again, so equal numbers mean the same state.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Floating-point registers of a program while it does not run.
pub struct FpuState {
    id: u64,
    /// The CPU that loaded it last.
    cpu: usize,
    registers: <Machine as Architecture>::FpuRegisters,
}

impl FpuState {
    /// The state that programs start with: all registers zero, no exception traps, rounding to nearest.
    pub fn new() -> Self {
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            cpu: usize::MAX,
            registers: Machine::FPU_START,
        }
    }
}

impl Default for FpuState {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for FpuState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("FpuState")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Whether floating point is off on this CPU, and the registers hold nobody's state.
pub(crate) fn is_off(local: &Local) -> bool {
    local.fpu_owner.load(Ordering::Relaxed) == 0
}

/// Prepares the registers for a program, with its state or without floating point. Floating point is on while the registers
/// hold somebody's state.
pub(crate) fn enter(local: &Local, state: Option<&mut FpuState>) {
    let owner = local.fpu_owner.load(Ordering::Relaxed);
    match state {
        None if owner == 0 => {}
        None => clear(local),
        Some(state) => load(local, owner, state),
    }
}

fn clear(local: &Local) {
    Machine::load_fpu(&Machine::FPU_START);
    Machine::enable_fpu(false);
    local.fpu_owner.store(0, Ordering::Relaxed);
}

fn load(local: &Local, owner: u64, state: &mut FpuState) {
    if owner == state.id && state.cpu == local.index() {
        return;
    }
    if owner == 0 {
        Machine::enable_fpu(true);
    }
    Machine::load_fpu(&state.registers);
    state.cpu = local.index();
    local.fpu_owner.store(state.id, Ordering::Relaxed);
}

/// Saves the registers of the program that was entered with this state last, on this CPU.
pub(crate) fn leave(state: &mut FpuState) {
    Machine::save_fpu(&mut state.registers);
}
