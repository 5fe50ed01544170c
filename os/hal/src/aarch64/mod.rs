//! aarch64: machines with a GICv2 and a PL011, as QEMU's virt machine.

mod console;
mod cpu;
mod devices;
mod entry;
mod fpu;
mod interrupts;
mod power;
mod registers;
mod start;
mod timer;
mod trap;

use core::ops::Range;
use core::sync::atomic::Ordering;

use bootinfo::BootInfo;
use kcore::acpi::Tables;
use kcore::cause::Cause;
use kcore::paging::{Aarch64, ENTRIES};

use crate::acpi::Firmware;
use crate::console::Uart;
use crate::cpu::Local;
use crate::{Architecture, Device, Event, MAX_DEVICES, device_tree};

/// The machine.
pub(crate) enum Machine {}

impl Architecture for Machine {
    const REMEMBERS_ABSENCE: bool = false;
    const PORTS: bool = false;

    fn read_port(_port: u16, _width: usize) -> Option<u64> {
        None
    }

    fn write_port(_port: u16, _width: usize, _value: u64) -> bool {
        false
    }

    const NAME: &'static str = "aarch64";
    const ELF_MACHINE: u16 = 183;
    const PHYSICAL_MAP: u64 = 0xffff_8000_0000_0000;
    /// Programs have a tree of their own: the CPU chooses by the top bit of the address.
    const USER_SLOTS: Range<usize> = 0..ENTRIES;
    type Encoding = Aarch64;
    type Registers = trap::Registers;
    type FpuRegisters = fpu::FpuRegisters;
    const FPU_START: fpu::FpuRegisters = fpu::START;
    const FRAME_RECORD: (i64, i64) = (0, 8);

    fn install_traps(local: &'static Local) {
        trap::install(local);
    }

    fn local() -> &'static Local {
        cpu::local()
    }

    /// From the device tree when there is one, else from ACPI, else as on QEMU's virt machine.
    unsafe fn discover(record: &BootInfo) -> [Device; MAX_DEVICES] {
        if record.dtb != 0 {
            // SAFETY: the boot contract maps the tree at its own address.
            let tree = unsafe { device_tree::at(record.dtb) };
            console::use_device_tree(&tree);
            interrupts::use_device_tree(&tree);
            power::use_device_tree(&tree);
            start::use_device_tree(&tree);
        } else {
            // SAFETY: the boot contract maps all memory that holds firmware tables at its own address.
            let firmware = unsafe { Firmware::new(1 << 48) };
            if let Some(tables) = Tables::new(&firmware, record.rsdp) {
                console::use_acpi(&tables);
                interrupts::use_acpi(tables.gic());
                power::use_acpi(&tables);
                start::use_acpi(&tables);
            }
        }
        let [distributor, cpu_interface] = interrupts::registers();
        [
            console::registers(),
            distributor,
            cpu_interface,
            (0, 0),
            (0, 0),
            (0, 0),
        ]
    }

    unsafe fn activate_kernel_space(root: u64) {
        // SAFETY: the caller vouches for the tables.
        unsafe { cpu::set_kernel_root(root) };
    }

    unsafe fn activate_user_space(root: u64) {
        let active = &Self::local().root;
        if active.load(Ordering::Relaxed) != root {
            active.store(root, Ordering::Relaxed);
            // SAFETY: the caller vouches for the tables.
            unsafe { cpu::set_user_root(Some(root)) };
        }
    }

    fn deactivate_user_space() {
        Self::local().root.store(0, Ordering::Relaxed);
        // SAFETY: without tables for programs, nothing of theirs is mapped.
        unsafe { cpu::set_user_root(None) };
    }

    fn publish_code(start: *const u8, len: usize) {
        cpu::publish_code(start, len);
    }

    #[inline(always)]
    unsafe fn enter_user(registers: &mut trap::Registers) -> Cause {
        // SAFETY: the caller has activated the program's address space.
        unsafe { trap::enter(registers) }
    }

    fn start_page(_record: &BootInfo, _usable: impl Iterator<Item = (u64, u64)>) -> Option<u64> {
        Some(start::page())
    }

    unsafe fn prepare_start(_page: u64, root: u64) -> bool {
        start::prepare(root);
        true
    }

    fn start_cpu(local: &'static Local, limit: u64) -> Result<(), &'static str> {
        start::start(local, limit)
    }

    fn stop_cpu() -> ! {
        start::stop()
    }

    fn kick(local: &Local) {
        interrupts::send(local.interrupt_id.load(Ordering::Relaxed), interrupts::KICK);
    }

    fn halt_other(local: &Local) {
        interrupts::send(local.interrupt_id.load(Ordering::Relaxed), interrupts::HALT);
    }

    fn enable_fpu(on: bool) {
        fpu::enable(on);
    }

    fn save_fpu(registers: &mut fpu::FpuRegisters) {
        fpu::save(registers);
    }

    fn load_fpu(registers: &fpu::FpuRegisters) {
        fpu::load(registers);
    }

    #[inline(always)]
    fn frame_pointer() -> u64 {
        cpu::frame_pointer()
    }

    fn registers() -> impl Iterator<Item = (&'static str, u64)> {
        registers::read().into_iter()
    }

    fn trap_stacks(index: usize) -> (u64, u64) {
        crate::cpu::emergency_range(index)
    }

    fn random() -> Option<u64> {
        cpu::random()
    }

    fn boot_root() -> u64 {
        cpu::active_kernel_root()
    }

    fn table_of(entry: u64) -> u64 {
        entry & 0xffff_ffff_f000
    }

    fn forget_everything() {
        cpu::forget_everything();
    }

    unsafe fn go_on(target: u64, argument: u64, distance: u64) -> ! {
        // SAFETY: the caller's promise.
        unsafe { cpu::go_on(target, argument, distance) }
    }

    fn init_interrupts(is_first: bool) -> Result<(), &'static str> {
        interrupts::init(is_first)?;
        if is_first {
            devices::init();
        }
        timer::init();
        Ok(())
    }

    fn serve_interrupt() -> Option<Event> {
        interrupts::serve()
    }

    fn take_interrupt(wait: bool) -> Option<Event> {
        if wait {
            cpu::wait_for_interrupt();
        }
        interrupts::serve()
    }

    fn enable_interrupt(number: u32) -> bool {
        devices::enable(number)
    }

    fn disable_interrupt(number: u32) {
        devices::disable(number);
    }

    fn complete_interrupt(number: u32) {
        devices::complete(number);
    }

    fn init_clock() -> Result<u64, &'static str> {
        timer::frequency()
    }

    fn counter() -> u64 {
        cpu::counter()
    }

    fn arm_timer(counts: Option<u64>) {
        timer::arm(counts);
    }

    /// The instruction reaches all CPUs.
    fn flush(_root: u64, first_page: u64, pages: u64, _cpus: u64) {
        cpu::forget(first_page, pages);
    }

    fn answer_flushes() {}

    fn uart() -> Option<Uart> {
        Some(console::device())
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
