//! The generic interrupt controller, version 2: a CPU's own interrupts, and the way in for all. Source: Arm, "Generic Interrupt Controller Architecture Specification,
//! version 2.0" (IHI 0048).

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use kcore::acpi::Gic;
use kcore::fdt::Fdt;

use super::{devices, timer};
use crate::{Device, Event, cpu, device_tree, phys, power};

/// Where QEMU's virt machine has it.
const VIRT_DISTRIBUTOR: u64 = 0x0800_0000;
const VIRT_CPU_INTERFACE: u64 = 0x0801_0000;

// Registers of the distributor.
const DISTRIBUTOR_CONTROL: u64 = 0;
const SET_ENABLE: u64 = 0x100;
const PRIORITY: u64 = 0x400;
const TARGETS: u64 = 0x800;
const SEND: u64 = 0xf00;

/// What CPUs send each other: attention, and an order to halt.
pub(super) const KICK: u32 = 0;
pub(super) const HALT: u32 = 1;

// Registers of the CPU interface.
const CPU_CONTROL: u64 = 0;
const PRIORITY_MASK: u64 = 4;
const ACKNOWLEDGE: u64 = 0xc;
const END_OF_INTERRUPT: u64 = 0x10;

/// From this number on an acknowledged interrupt is none.
const SPURIOUS: u32 = 1020;

static DISTRIBUTOR: AtomicU64 = AtomicU64::new(VIRT_DISTRIBUTOR);
static CPU_INTERFACE: AtomicU64 = AtomicU64::new(VIRT_CPU_INTERFACE);
static IS_OTHER_VERSION: AtomicBool = AtomicBool::new(false);

/// Uses the controller that the device tree names.
pub(super) fn use_device_tree(tree: &Fdt<'_>) {
    if let Some([distributor, cpu_interface]) = device_tree::find(
        tree,
        &[
            "arm,cortex-a15-gic",
            "arm,gic-400",
            "arm,cortex-a9-gic",
            "arm,cortex-a7-gic",
        ],
    ) {
        DISTRIBUTOR.store(distributor.0, Ordering::Relaxed);
        CPU_INTERFACE.store(cpu_interface.0, Ordering::Relaxed);
    } else if device_tree::find(tree, &["arm,gic-v3"]).is_some() {
        IS_OTHER_VERSION.store(true, Ordering::Relaxed);
    }
}

/// Uses the controller that ACPI names.
pub(super) fn use_acpi(gic: Option<Gic>) {
    match gic {
        // Version 0 is "look at the hardware": then the CPU interface's address tells.
        Some(Gic {
            version: 0..=2,
            distributor,
            cpu_interface,
        }) if cpu_interface != 0 => {
            DISTRIBUTOR.store(distributor, Ordering::Relaxed);
            CPU_INTERFACE.store(cpu_interface, Ordering::Relaxed);
        }
        Some(_) => IS_OTHER_VERSION.store(true, Ordering::Relaxed),
        None => {}
    }
}

/// Where the registers of distributor and CPU interface are in memory.
pub(super) fn registers() -> [Device; 2] {
    if IS_OTHER_VERSION.load(Ordering::Relaxed) {
        return [(0, 0); 2];
    }
    [
        (DISTRIBUTOR.load(Ordering::Relaxed), 4096),
        (CPU_INTERFACE.load(Ordering::Relaxed), 4096),
    ]
}

/// Physical address of the distributor's registers.
pub(super) fn distributor() -> u64 {
    DISTRIBUTOR.load(Ordering::Relaxed)
}

/// Enables this CPU's part of the controller, and in it the timer's interrupt and those of other CPUs; first of all the
/// distributor.
pub(super) fn init(is_first: bool) -> Result<(), &'static str> {
    if IS_OTHER_VERSION.load(Ordering::Relaxed) {
        return Err("the interrupt controller is no GICv2 (QEMU: -M virt,gic-version=2)");
    }
    let (distributor, cpu) = (distributor(), CPU_INTERFACE.load(Ordering::Relaxed));
    // SAFETY: the registers of this file's device, mapped by the kernel's tables. Each interrupt has one byte of
    // priority and one bit to enable it; the first 32 are this CPU's own.
    unsafe {
        for interrupt in [timer::INTERRUPT, KICK, HALT] {
            phys::write_register(distributor + PRIORITY + u64::from(interrupt), 0x80_u8);
        }
        let enabled = 1_u32 << timer::INTERRUPT | 1 << KICK | 1 << HALT;
        phys::write_register(distributor + SET_ENABLE, enabled);
        if is_first {
            phys::write_register(distributor + DISTRIBUTOR_CONTROL, 1_u32);
        }
        phys::write_register(cpu + PRIORITY_MASK, 0xff_u32);
        phys::write_register(cpu + CPU_CONTROL, 1_u32);
        // Who reads where its own interrupts go reads itself; a controller for one CPU has zeros there.
        let target = (phys::read_register::<u32>(distributor + TARGETS) & 0xff).max(1);
        cpu::this()
            .interrupt_id
            .store(u64::from(target), Ordering::Relaxed);
    }
    Ok(())
}

/// Sends an interrupt to the CPUs in the controller's mask.
pub(super) fn send(targets: u64, interrupt: u32) {
    let command = (targets as u32 & 0xff) << 16 | interrupt;
    // SAFETY: as in `init`; these interrupts are served below. The barrier makes earlier writes visible to the receiver.
    unsafe {
        core::arch::asm!("dsb ishst", options(nostack, preserves_flags));
        phys::write_register(distributor() + SEND, command);
    }
}

/// Serves what interrupts.
pub(super) fn serve() -> Option<Event> {
    let cpu = CPU_INTERFACE.load(Ordering::Relaxed);
    // SAFETY: as in `init`.
    let acknowledged = unsafe { phys::read_register::<u32>(cpu + ACKNOWLEDGE) };
    let interrupt = acknowledged & 0x3ff;
    let event = match interrupt {
        SPURIOUS.. => return None,
        KICK => Some(Event::Kick),
        HALT => {
            power::obey();
            None
        }
        timer::INTERRUPT => {
            timer::arm(None);
            Some(Event::Timer)
        }
        device => devices::taken(device).map(Event::Device),
    };
    // SAFETY: the value that was acknowledged ends that interrupt.
    unsafe { phys::write_register(cpu + END_OF_INTERRUPT, acknowledged) };
    event
}
