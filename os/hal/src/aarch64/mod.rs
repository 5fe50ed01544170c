//! aarch64: machines with a GICv2 and a PL011, as QEMU's virt machine.

mod console;
mod cpu;
mod entry;
mod interrupts;
mod power;
mod timer;
mod trap;

use core::ops::Range;

use bootinfo::BootInfo;
use kcore::acpi::Tables;
use kcore::cause::Cause;
use kcore::paging::{Aarch64, ENTRIES};

use crate::acpi::Firmware;
use crate::{Architecture, Device, MAX_DEVICES, device_tree};

/// The machine.
pub(crate) enum Machine {}

impl Architecture for Machine {
    const NAME: &'static str = "aarch64";
    const ELF_MACHINE: u16 = 183;
    const PHYSICAL_MAP: u64 = 0xffff_8000_0000_0000;
    /// Programs have a tree of their own: the CPU chooses by the top bit of the address.
    const USER_SLOTS: Range<usize> = 0..ENTRIES;
    type Encoding = Aarch64;
    type Registers = trap::Registers;

    fn install_traps() {
        trap::install();
    }

    /// From the device tree when there is one, else from ACPI, else as on QEMU's virt machine.
    unsafe fn discover(record: &BootInfo) -> [Device; MAX_DEVICES] {
        if record.dtb != 0 {
            // SAFETY: the boot contract maps the tree at its own address.
            let tree = unsafe { device_tree::at(record.dtb) };
            console::use_port(device_tree::find(&tree, &["arm,pl011"]).map(|ranges| ranges[0].0));
            interrupts::use_device_tree(&tree);
            power::use_device_tree(&tree);
        } else {
            // SAFETY: the boot contract maps all memory that holds firmware tables at its own address.
            let firmware = unsafe { Firmware::new(1 << 48) };
            if let Some(tables) = Tables::new(&firmware, record.rsdp) {
                console::use_port(tables.pl011());
                interrupts::use_acpi(tables.gic());
                power::use_acpi(&tables);
            }
        }
        let [distributor, cpu_interface] = interrupts::registers();
        [console::registers(), distributor, cpu_interface, (0, 0)]
    }

    unsafe fn activate_kernel_space(root: u64) {
        // SAFETY: the caller vouches for the tables.
        unsafe { cpu::set_kernel_root(root) };
    }

    unsafe fn activate_user_space(root: u64) {
        // SAFETY: the caller vouches for the tables.
        unsafe { cpu::set_user_root(Some(root)) };
    }

    fn deactivate_user_space() {
        // SAFETY: without tables for programs, nothing of theirs is mapped.
        unsafe { cpu::set_user_root(None) };
    }

    fn publish_code(start: *const u8, len: usize) {
        cpu::publish_code(start, len);
    }

    unsafe fn enter_user(registers: &mut trap::Registers) -> Cause {
        // SAFETY: the caller has activated the program's address space.
        unsafe { trap::enter(registers) }
    }

    fn serve_interrupt() -> bool {
        interrupts::serve()
    }

    fn start_timer(hz: u32) -> Result<u64, &'static str> {
        interrupts::init()?;
        timer::start(hz)
    }

    fn counter() -> u64 {
        cpu::counter()
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
