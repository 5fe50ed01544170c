//! riscv64: machines with SBI firmware, as QEMU's virt machine.

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
mod tlb;
mod trap;

use core::ops::Range;
use core::sync::atomic::Ordering;

use bootinfo::BootInfo;
use kcore::cause::Cause;
use kcore::paging::Riscv64;

use crate::console::Uart;
use crate::cpu::Local;
use crate::{Architecture, Device, Event, MAX_DEVICES, device_tree};

/// The machine.
pub(crate) enum Machine {}

impl Architecture for Machine {
    const REMEMBERS_ABSENCE: bool = true;
    const PORTS: bool = false;

    fn read_port(_port: u16, _width: usize) -> Option<u64> {
        None
    }

    fn write_port(_port: u16, _width: usize, _value: u64) -> bool {
        false
    }

    const NAME: &'static str = "riscv64";
    const ELF_MACHINE: u16 = 243;
    /// The lowest address of the kernel's half in Sv39.
    const PHYSICAL_MAP: u64 = 0xffff_ffc0_0000_0000;
    const USER_SLOTS: Range<usize> = 0..256;
    type Encoding = Riscv64;
    type Registers = trap::Registers;
    type FpuRegisters = fpu::FpuRegisters;
    const FPU_START: fpu::FpuRegisters = fpu::START;
    const FRAME_RECORD: (i64, i64) = (-16, -8);

    fn install_traps(local: &'static Local) {
        trap::install(local);
    }

    fn local() -> &'static Local {
        cpu::local()
    }

    /// From the device tree. Without one there is the firmware's console, and no other device.
    unsafe fn discover(record: &BootInfo) -> [Device; MAX_DEVICES] {
        if record.dtb == 0 {
            return [(0, 0); MAX_DEVICES];
        }
        // SAFETY: the boot contract maps the tree at its own address.
        let tree = unsafe { device_tree::at(record.dtb) };
        let test = device_tree::find(&tree, &["sifive,test0", "sifive,test1"]);
        timer::use_device_tree(&tree);
        start::use_device_tree(&tree, record.boot_cpu);
        fpu::use_device_tree(&tree, record.boot_cpu);
        [
            console::use_device_tree(&tree),
            power::use_test_device(test.map(|ranges| ranges[0].0)),
            devices::use_device_tree(&tree, record.boot_cpu),
            (0, 0),
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
        let active = &Self::local().root;
        if active.load(Ordering::Relaxed) != root {
            active.store(root, Ordering::Relaxed);
            // SAFETY: the caller vouches for the tables.
            unsafe { cpu::set_root(root) };
        }
    }

    fn deactivate_user_space() {
        Self::local().root.store(0, Ordering::Relaxed);
        // SAFETY: these are the kernel's own tables.
        unsafe { cpu::set_root(crate::boot::kernel_root()) };
    }

    fn publish_code(_start: *const u8, _len: usize) {
        tlb::publish_code();
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
        interrupts::send(local.id.load(Ordering::Relaxed));
    }

    fn halt_other(local: &Local) {
        interrupts::send(local.id.load(Ordering::Relaxed));
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
        cpu::active_root()
    }

    fn table_of(entry: u64) -> u64 {
        (entry >> 10 & ((1 << 44) - 1)) << 12
    }

    fn forget_everything() {
        cpu::forget(0, u64::MAX);
    }

    unsafe fn go_on(target: u64, argument: u64, distance: u64) -> ! {
        // SAFETY: the caller's promise.
        unsafe { cpu::go_on(target, argument, distance) }
    }

    fn init_interrupts(is_first: bool) -> Result<(), &'static str> {
        timer::init(is_first)?;
        interrupts::init();
        if is_first {
            devices::init();
        }
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

    fn flush(_root: u64, first_page: u64, pages: u64, cpus: u64) {
        tlb::flush(first_page, pages, cpus);
    }

    fn answer_flushes() {}

    fn uart() -> Option<Uart> {
        console::device()
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
