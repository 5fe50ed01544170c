//! riscv64: machines with SBI firmware, as QEMU's virt machine.

mod console;
mod cpu;
mod entry;
mod interrupts;
mod power;
mod timer;
mod trap;

use core::ops::Range;

use bootinfo::BootInfo;
use kcore::cause::Cause;
use kcore::paging::Riscv64;

use crate::{Architecture, Device, MAX_DEVICES, device_tree};

/// The machine.
pub(crate) enum Machine {}

impl Architecture for Machine {
    const NAME: &'static str = "riscv64";
    const ELF_MACHINE: u16 = 243;
    /// The lowest address of the kernel's half in Sv39.
    const PHYSICAL_MAP: u64 = 0xffff_ffc0_0000_0000;
    const USER_SLOTS: Range<usize> = 0..256;
    type Encoding = Riscv64;
    type Registers = trap::Registers;

    fn install_traps() {
        trap::install();
    }

    /// From the device tree. Without one there is the firmware's console, and no other device.
    unsafe fn discover(record: &BootInfo) -> [Device; MAX_DEVICES] {
        if record.dtb == 0 {
            return [(0, 0); MAX_DEVICES];
        }
        // SAFETY: the boot contract maps the tree at its own address.
        let tree = unsafe { device_tree::at(record.dtb) };
        let port = device_tree::find(&tree, &["ns16550a", "ns16550"]);
        let test = device_tree::find(&tree, &["sifive,test0", "sifive,test1"]);
        timer::use_device_tree(&tree);
        [
            console::use_port(port.map(|ranges| ranges[0].0)),
            power::use_test_device(test.map(|ranges| ranges[0].0)),
            (0, 0),
            (0, 0),
        ]
    }

    unsafe fn activate_kernel_space(root: u64) {
        cpu::enable_protection();
        // SAFETY: the caller vouches for the tables.
        unsafe { cpu::set_root(root) };
    }

    unsafe fn activate_user_space(root: u64) {
        // SAFETY: the caller vouches for the tables.
        unsafe { cpu::set_root(root) };
    }

    fn deactivate_user_space() {
        // SAFETY: these are the kernel's own tables.
        unsafe { cpu::set_root(crate::boot::kernel_root()) };
    }

    fn publish_code(_start: *const u8, _len: usize) {
        cpu::publish_code();
    }

    unsafe fn enter_user(registers: &mut trap::Registers) -> Cause {
        // SAFETY: the caller has activated the program's address space.
        unsafe { trap::enter(registers) }
    }

    fn serve_interrupt() -> bool {
        interrupts::serve()
    }

    fn start_timer(hz: u32) -> Result<u64, &'static str> {
        let frequency = timer::start(hz)?;
        interrupts::init();
        Ok(frequency)
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
