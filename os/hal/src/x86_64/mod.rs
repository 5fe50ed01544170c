//! x86_64: PC-compatible machines with a local APIC.

mod console;
mod cpu;
mod entry;
mod interrupts;
mod multiboot;
mod power;
mod pvh;
mod timer;
mod trap;

use core::ops::Range;

use bootinfo::BootInfo;
use kcore::acpi::Tables;
use kcore::cause::Cause;
use kcore::paging::X86_64;

use crate::acpi::Firmware;
use crate::{Architecture, Device, MAX_DEVICES};

/// The machine.
pub(crate) enum Machine {}

impl Architecture for Machine {
    const NAME: &'static str = "x86_64";
    const ELF_MACHINE: u16 = 62;
    const PHYSICAL_MAP: u64 = 0xffff_8000_0000_0000;
    const USER_SLOTS: Range<usize> = 0..256;
    type Encoding = X86_64;
    type Registers = trap::Registers;

    fn install_traps() {
        console::init();
        trap::install();
    }

    unsafe fn discover(record: &BootInfo) -> [Device; MAX_DEVICES] {
        // SAFETY: the boot contract maps all memory that holds firmware tables at its own address.
        let firmware = unsafe { Firmware::new(1 << 46) };
        if let Some(tables) = Tables::new(&firmware, record.rsdp) {
            power::use_soft_off(tables.soft_off());
        }
        [interrupts::registers(), (0, 0), (0, 0), (0, 0)]
    }

    unsafe fn activate_kernel_space(root: u64) {
        cpu::enable_protection();
        // SAFETY: the caller vouches for the tables.
        unsafe { cpu::set_root(root) };
        cpu::enable_global_pages();
    }

    unsafe fn activate_user_space(root: u64) {
        // SAFETY: the caller vouches for the tables.
        unsafe { cpu::set_root(root) };
    }

    fn deactivate_user_space() {
        // SAFETY: these are the kernel's own tables.
        unsafe { cpu::set_root(crate::boot::kernel_root()) };
    }

    /// Instruction fetches are coherent with data on this architecture.
    fn publish_code(_start: *const u8, _len: usize) {}

    unsafe fn enter_user(registers: &mut trap::Registers) -> Cause {
        // SAFETY: the caller has activated the program's address space.
        unsafe { trap::enter(registers) }
    }

    fn serve_interrupt() -> bool {
        interrupts::serve()
    }

    fn start_timer(hz: u32) -> Result<u64, &'static str> {
        timer::start(hz)
    }

    fn counter() -> u64 {
        cpu::time_stamp()
    }

    fn take_interrupts() {
        cpu::take_interrupts();
    }

    fn write_console(byte: u8) {
        console::write(byte);
    }

    fn power_off(success: bool) {
        power::off(success);
    }

    fn halt() -> ! {
        cpu::halt()
    }
}
