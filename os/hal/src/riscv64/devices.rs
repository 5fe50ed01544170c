//! Interrupts of devices: the platform-level interrupt controller. Source: RISC-V Platform-Level Interrupt Controller
//! Specification 1.0.

use kcore::bytes::be32;
use kcore::fdt::{Fdt, number};

use crate::sync::Lock;
use crate::{Device, device_tree, phys};

const MODELS: &[&str] = &["sifive,plic-1.0.0", "riscv,plic0"];

/// Number of the interrupt by which the controller interrupts a hart's supervisor mode.
const SUPERVISOR_EXTERNAL: u32 = 9;

/// Sources that the registers have room for.
const MAX_SOURCES: u32 = 1024;

// Registers: priority of each source; enable bits and threshold and claim of each context.
const ENABLE: u64 = 0x2000;
const ENABLE_STRIDE: u64 = 0x80;
const CONTEXT: u64 = 0x20_0000;
const CONTEXT_STRIDE: u64 = 0x1000;
const CLAIM: u64 = 4;

struct Controller {
    /// Physical address; 0 when there is none.
    base: u64,
    /// The supervisor mode of the hart that boots.
    context: u64,
    /// First number behind its sources.
    end: u32,
    /// One bit for each source that is enabled, taken or not.
    enabled: [u32; (MAX_SOURCES / 32) as usize],
}

static CONTROLLER: Lock<Controller> = Lock::new(Controller {
    base: 0,
    context: 0,
    end: 0,
    enabled: [0; (MAX_SOURCES / 32) as usize],
});

/// Finds the controller and its context of a hart's supervisor mode. Returns where it is.
pub(super) fn use_device_tree(tree: &Fdt<'_>, hart: u64) -> Device {
    let Some([(base, len), _]) = device_tree::find(tree, MODELS) else {
        return (0, 0);
    };
    // A hart is a node with a number; its own interrupt controller is a node in it with a handle.
    let mut handle = None;
    device_tree::walk(tree, |node, parents| {
        let is_of_hart = parents.last().is_some_and(|parent| {
            parent.name.starts_with("cpu@") && parent.property(tree, "reg").and_then(number) == Some(hart)
        });
        if is_of_hart && node.is_compatible("riscv,cpu-intc") {
            handle = node.property(tree, "phandle").and_then(|value| be32(value, 0));
        }
    });
    let targets = device_tree::property_of(tree, MODELS, "interrupts-extended").unwrap_or_default();
    let wanted = |pair: &[u8]| be32(pair, 0) == handle && be32(pair, 4) == Some(SUPERVISOR_EXTERNAL);
    let context = targets.chunks_exact(8).position(wanted);
    let sources = device_tree::property_of(tree, MODELS, "riscv,ndev").and_then(|value| be32(value, 0));
    let (Some(context), Some(sources)) = (context, sources) else {
        return (0, 0);
    };
    let controller = &mut *CONTROLLER.lock();
    let context = context as u64;
    let is_mapped = base.is_multiple_of(4096) && len >= CONTEXT + (context + 1) * CONTEXT_STRIDE;
    if handle.is_none() || !is_mapped {
        return (0, 0);
    }
    controller.base = base;
    controller.context = context;
    controller.end = sources.saturating_add(1).min(MAX_SOURCES);
    (base, len & !4095)
}

impl Controller {
    fn read(&self, register: u64) -> u32 {
        // SAFETY: a register of this file's device, which the kernel's tables map.
        unsafe { phys::read_register(self.base + register) }
    }

    fn write(&self, register: u64, value: u32) {
        // SAFETY: as for `read`.
        unsafe { phys::write_register(self.base + register, value) };
    }

    fn exists(&self, number: u32) -> bool {
        (1..self.end).contains(&number)
    }

    fn is_enabled(&self, number: u32) -> bool {
        self.enabled[number as usize / 32] >> (number % 32) & 1 != 0
    }

    /// Lets a source interrupt, or keeps it away.
    fn set(&self, number: u32, on: bool) {
        let register = ENABLE + self.context * ENABLE_STRIDE + u64::from(number / 32 * 4);
        let bit = 1 << (number % 32);
        let others = self.read(register) & !bit;
        self.write(register, others | if on { bit } else { 0 });
    }

    fn claim(&self) -> u64 {
        CONTEXT + self.context * CONTEXT_STRIDE + CLAIM
    }
}

/// Masks everything.
pub(super) fn init() {
    let controller = CONTROLLER.lock();
    if controller.base == 0 {
        return;
    }
    for number in (0..controller.end).step_by(32) {
        let register = ENABLE + controller.context * ENABLE_STRIDE + u64::from(number / 32 * 4);
        controller.write(register, 0);
    }
    // Every priority above 0 interrupts.
    controller.write(CONTEXT + controller.context * CONTEXT_STRIDE, 0);
}

/// See `Architecture::enable_interrupt`.
pub(super) fn enable(number: u32) -> bool {
    let mut controller = CONTROLLER.lock();
    if !controller.exists(number) {
        return false;
    }
    controller.enabled[number as usize / 32] |= 1 << (number % 32);
    controller.write(u64::from(number) * 4, 1);
    controller.set(number, true);
    true
}

/// See `Architecture::disable_interrupt`.
pub(super) fn disable(number: u32) {
    let mut controller = CONTROLLER.lock();
    if controller.exists(number) {
        controller.enabled[number as usize / 32] &= !(1 << (number % 32));
        controller.set(number, false);
    }
}

/// See `Architecture::complete_interrupt`.
pub(super) fn complete(number: u32) {
    let controller = CONTROLLER.lock();
    if controller.exists(number) && controller.is_enabled(number) {
        controller.set(number, true);
    }
}

/// Takes the interrupt that is there, and masks it. The controller hears at once that it was served: it would not listen
/// to that while the source is masked. Returns its number, unless nobody is to hear of it.
pub(super) fn claim() -> Option<u32> {
    let controller = CONTROLLER.lock();
    let number = controller.read(controller.claim());
    if !controller.exists(number) {
        return None;
    }
    controller.write(controller.claim(), number);
    controller.set(number, false);
    controller.is_enabled(number).then_some(number)
}
