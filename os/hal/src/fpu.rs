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

use crate::arch::Machine;
use crate::{Architecture, cpu};

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

/// Prepares the registers for a program, with its state or without floating point.
pub(crate) fn enter(state: Option<&mut FpuState>) {
    let local = cpu::this();
    let owner = local.fpu_owner.load(Ordering::Relaxed);
    let enabled = local.fpu_enabled.load(Ordering::Relaxed);
    let (id, wanted) = match &state {
        Some(state) => (state.id, true),
        None => (0, false),
    };
    let stays = owner == id && state.as_ref().is_none_or(|state| state.cpu == local.index());
    if stays && enabled == wanted {
        return;
    }
    if !enabled {
        Machine::enable_fpu(true);
    }
    if !stays {
        match state {
            Some(state) => {
                Machine::load_fpu(&state.registers);
                state.cpu = local.index();
            }
            None => Machine::load_fpu(&Machine::FPU_START),
        }
        local.fpu_owner.store(id, Ordering::Relaxed);
    }
    if !wanted {
        Machine::enable_fpu(false);
    }
    local.fpu_enabled.store(wanted, Ordering::Relaxed);
}

/// Saves the registers of the program that was entered with this state last, on this CPU.
pub(crate) fn leave(state: &mut FpuState) {
    Machine::save_fpu(&mut state.registers);
}
