//! x86_64: PC-compatible machines with a local APIC.

mod console;
mod cpu;
mod devices;
mod entry;
mod fpu;
mod interrupts;
mod multiboot;
mod power;
mod pvh;
mod registers;
mod start;
mod timer;
mod tlb;
mod trap;

use core::ops::Range;
use core::sync::atomic::Ordering;

use bootinfo::BootInfo;
use kcore::acpi::Tables;
use kcore::cause::Cause;
use kcore::paging::X86_64;

use crate::acpi::Firmware;
use crate::console::Uart;
use crate::cpu::Local;
use crate::{Architecture, Device, Event, MAX_DEVICES};

/// The machine.
pub(crate) enum Machine {}

impl Architecture for Machine {
    const REMEMBERS_ABSENCE: bool = false;
    const PORTS: bool = true;

    fn read_port(port: u16, width: usize) -> Option<u64> {
        cpu::read_port_for_program(port, width)
    }

    fn write_port(port: u16, width: usize, value: u64) -> bool {
        cpu::write_port_for_program(port, width, value)
    }

    const NAME: &'static str = "x86_64";
    const ELF_MACHINE: u16 = 62;
    const PHYSICAL_MAP: u64 = 0xffff_8000_0000_0000;
    const USER_SLOTS: Range<usize> = 0..256;
    type Encoding = X86_64;
    type Registers = trap::Registers;
    type FpuRegisters = fpu::FpuRegisters;
    const FPU_START: fpu::FpuRegisters = fpu::START;
    const FRAME_RECORD: (i64, i64) = (0, 8);

    fn install_traps(local: &'static Local) {
        trap::install(local);
        if local.index() == 0 {
            console::init();
        }
    }

    fn local() -> &'static Local {
        cpu::local()
    }

    unsafe fn discover(record: &BootInfo) -> [Device; MAX_DEVICES] {
        // SAFETY: the boot contract maps all memory that holds firmware tables at its own address.
        let firmware = unsafe { Firmware::new(1 << 46) };
        let controller = interrupts::registers();
        if let Some(tables) = Tables::new(&firmware, record.rsdp) {
            power::use_soft_off(tables.soft_off());
            devices::use_acpi(&tables);
            start::use_acpi(&tables);
        }
        let [first, second] = devices::registers();
        [controller, first, second, (0, 0), (0, 0), (0, 0)]
    }

    unsafe fn activate_kernel_space(root: u64) {
        cpu::enable_protection();
        // SAFETY: the caller vouches for the tables.
        unsafe { cpu::set_root(root) };
        cpu::enable_global_pages();
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

    /// Instruction fetches are coherent with data on this architecture.
    fn publish_code(_start: *const u8, _len: usize) {}

    #[inline(always)]
    unsafe fn enter_user(registers: &mut trap::Registers) -> Cause {
        // SAFETY: the caller has activated the program's address space.
        unsafe { trap::enter(registers) }
    }

    fn start_page(_record: &BootInfo, usable: impl Iterator<Item = (u64, u64)>) -> Option<u64> {
        start::page(usable)
    }

    unsafe fn prepare_start(page: u64, root: u64) -> bool {
        // SAFETY: the caller's promise.
        unsafe { start::prepare(page, root) }
    }

    fn start_cpu(local: &'static Local, limit: u64) -> Result<(), &'static str> {
        start::start(local, limit)
    }

    fn stop_cpu() -> ! {
        start::stop()
    }

    fn kick(local: &Local) {
        interrupts::send(local.id.load(Ordering::Relaxed), interrupts::KICK_VECTOR);
    }

    fn halt_other(local: &Local) {
        interrupts::send(local.id.load(Ordering::Relaxed), interrupts::NON_MASKABLE);
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
        trap::own_stacks(index)
    }

    fn random() -> Option<u64> {
        cpu::random()
    }

    fn boot_root() -> u64 {
        cpu::active_root()
    }

    fn table_of(entry: u64) -> u64 {
        entry & 0xf_ffff_ffff_f000
    }

    fn forget_everything() {
        // SAFETY: these are the active tables.
        unsafe { cpu::set_root(cpu::active_root()) };
    }

    unsafe fn go_on(target: u64, argument: u64, distance: u64) -> ! {
        // SAFETY: the caller's promise.
        unsafe { cpu::go_on(target, argument, distance) }
    }

    fn init_interrupts(is_first: bool) -> Result<(), &'static str> {
        interrupts::init(is_first);
        if is_first {
            devices::init();
        } else {
            timer::init();
        }
        Ok(())
    }

    fn serve_interrupt() -> Option<Event> {
        interrupts::serve(Self::local())
    }

    fn take_interrupt(wait: bool) -> Option<Event> {
        interrupts::take(Self::local(), wait)
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
        timer::init_clock()
    }

    fn counter() -> u64 {
        cpu::time_stamp()
    }

    fn arm_timer(counts: Option<u64>) {
        timer::arm(counts);
    }

    /// Only tables that are active have translations here, so it does not matter whose they are.
    fn flush(_root: u64, first_page: u64, pages: u64, cpus: u64) {
        tlb::flush(first_page, pages, cpus);
    }

    fn answer_flushes() {
        tlb::answer(Self::local());
    }

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
