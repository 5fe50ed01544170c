//! The hardware: everything that needs `unsafe`, assembly or the name of an architecture.
//!
//! # The contract
//!
//! Upwards, to the kernel, this crate is safe: no call of its public functions, in any order, breaks memory safety.
//! The kernel defines its entry point with [`entry!`] and gets a [`Boot`] once.
//!
//! Downwards, [`Architecture`] lists what an architecture has to provide. Each of `x86_64/`, `aarch64/` and `riscv64/`
//! has the same files, and the line at the end of this file proves that the compiled one keeps to the list:
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | the implementation of [`Architecture`] |
//! | `entry.s`, `entry.rs` | first instructions; the boot record when no loader made one |
//! | `start.rs` | starting and stopping further CPUs |
//! | `trap.s`, `trap.rs` | entering and leaving user mode, exceptions, register dumps |
//! | `cpu.rs` | control registers and single instructions |
//! | `console.rs` | the serial port |
//! | `interrupts.rs` | the interrupt controller: a CPU's own interrupts |
//! | `devices.rs` | the interrupt controller: interrupts of devices |
//! | `timer.rs` | the counter and the timer |
//! | `tlb.rs` | forgetting translations |
//! | `fpu.rs` | floating-point registers |
//! | `power.rs` | switching the machine off |
//! | `registers.rs` | registers that a panic shows |
//!
//! # What is absent
//!
//! - The kernel is not interrupted: interrupts arrive while a program runs or in [`cpu::wait`], so no state of the kernel
//!   is ever seen half changed by its own CPU. Between CPUs, [`sync::Mutex`] does that.
//! - There is no periodic interrupt: an idle CPU sleeps until [`timer::arm`]'s deadline.
//! - The kernel never uses an address of user space: it reaches a program's memory through the map of physical memory,
//!   after looking the address up in the program's page tables.
//! - Nothing is writable and executable, in no alias: physical memory that holds the kernel's code and constants is
//!   read-only in the map of physical memory too.
#![no_std]

extern crate alloc;

#[cfg(not(target_arch = "riscv64"))]
mod acpi;
#[cfg_attr(target_arch = "x86_64", path = "x86_64/mod.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64/mod.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64/mod.rs")]
mod arch;
mod backtrace;
mod boot;
pub mod console;
pub mod cpu;
#[cfg(not(target_arch = "x86_64"))]
mod device_tree;
mod entropy;
mod fpu;
mod heap;
mod image;
pub mod interrupts;
pub mod memory;
mod moving;
mod phys;
pub mod ports;
pub mod power;
mod probe;
mod space;
pub mod stamp;
mod stored;
pub mod sync;
pub mod timer;
pub mod tlb;
mod user;

use bootinfo::BootInfo;
use kcore::cause::Cause;
use kcore::paging::Encoding;

pub use backtrace::{backtrace, registers};
pub use boot::Boot;
pub use entropy::{Source, random};
pub use fpu::FpuState;
pub use heap::free as heap_free;
pub use image::{link_address, offset as image_offset, symbols};
pub use phys::map_start as physical_map;
pub use probe::check_protection;
pub use space::{AddressSpace, run};
pub use stored::{Array, Stored};
pub use user::{Context, Event, MESSAGE_WORDS};

/// Name of the architecture, as in file names and the identity stamp.
pub const ARCHITECTURE: &str = arch::Machine::NAME;

/// The `e_machine` number of ELF files for this architecture.
pub const ELF_MACHINE: u16 = arch::Machine::ELF_MACHINE;

/// Size of a large page, which a frame may have, in bytes.
pub const LARGE_PAGE: u64 = 2 << 20;

/// Device registers to be mapped: physical address and length, both page aligned.
type Device = (u64, u64);

/// Most devices that an architecture names.
const MAX_DEVICES: usize = 6;

/// What an architecture provides. A type implements it without ever being made.
trait Architecture {
    /// Name of the architecture.
    const NAME: &'static str;

    /// Its ELF number.
    const ELF_MACHINE: u16;

    /// Lowest virtual address at which physical address 0 may appear, in the kernel's half.
    const PHYSICAL_MAP: u64;

    /// Format of its page tables.
    type Encoding: Encoding;

    /// What a program sees of the CPU.
    type Registers: user::RegisterFile;

    /// Floating-point registers in memory, and their values at the start of a program.
    type FpuRegisters;
    const FPU_START: Self::FpuRegisters;

    /// Where a frame record has the caller's frame pointer and the return address, from the frame pointer.
    const FRAME_RECORD: (i64, i64);

    /// Makes this CPU's exceptions arrive in this crate, and `local` findable. First thing that runs; again harmless.
    fn install_traps(local: &'static cpu::Local);

    /// State of the CPU that runs.
    fn local() -> &'static cpu::Local;

    /// Finds the devices that this crate drives, and remembers them. Memory is still mapped at its own address. Entries
    /// of length 0 are none.
    ///
    /// # Safety
    /// `record` has been checked, and its tables are where it says.
    unsafe fn discover(record: &BootInfo) -> [Device; MAX_DEVICES];

    /// Sets up the CPU's protection features and switches to the kernel's own tables.
    ///
    /// # Safety
    /// The tables map the kernel image and its stack where they are now.
    unsafe fn activate_kernel_space(root: u64);

    /// Slots of a program's root table that are the program's own. The others are copied from the kernel's root.
    const USER_SLOTS: core::ops::Range<usize>;

    /// Switches to the address space of a program; nothing when it is active already.
    ///
    /// # Safety
    /// The tables map the kernel as the kernel's own do.
    unsafe fn activate_user_space(root: u64);

    /// Leaves the address space of a program: no translation of it is used any more.
    fn deactivate_user_space();

    /// Makes fresh code at a kernel address visible to instruction fetches.
    fn publish_code(start: *const u8, len: usize);

    /// Runs a program until it stops.
    ///
    /// # Safety
    /// The program's address space is active.
    unsafe fn enter_user(registers: &mut Self::Registers) -> Cause;

    /// Physical address of the page in which other CPUs start to run, at its own address: a page of the kernel's code, or
    /// one in `usable` memory (start and end) that is then no longer usable.
    fn start_page(record: &BootInfo, usable: impl Iterator<Item = (u64, u64)>) -> Option<u64>;

    /// Prepares that page. The tables at `root` map it executable at its own address, and the kernel's half as the
    /// kernel's own tables do. Returns whether CPUs can be started with that.
    ///
    /// # Safety
    /// The page is the one that `start_page` chose, and nobody uses it. Memory is still mapped at its own address.
    unsafe fn prepare_start(page: u64, root: u64) -> bool;

    /// Makes a CPU run [`cpu::secondary_entry`]; tries again until `limit` (as [`timer::now`] counts) while it is still
    /// stopping. One call at a time.
    ///
    /// # Errors
    /// Says what refused.
    fn start_cpu(local: &'static cpu::Local, limit: u64) -> Result<(), &'static str>;

    /// Takes this CPU off.
    fn stop_cpu() -> !;

    /// Makes a CPU get [`Event::Kick`].
    fn kick(local: &cpu::Local);

    /// Makes a CPU call [`power::obey`], whatever it does.
    fn halt_other(local: &cpu::Local);

    /// Switches floating point on or off, and saves and loads its registers while it is on. The kernel uses none.
    fn enable_fpu(on: bool);
    fn save_fpu(registers: &mut Self::FpuRegisters);
    fn load_fpu(registers: &Self::FpuRegisters);

    /// The frame pointer of the function that calls this.
    fn frame_pointer() -> u64;

    /// Names and values of this CPU's registers that tell something in the middle of the kernel.
    fn registers() -> impl Iterator<Item = (&'static str, u64)>;

    /// Where a CPU's stacks for traps that cannot use the ordinary one are, as start and end.
    fn trap_stacks(index: usize) -> (u64, u64);

    /// Random bits from a generator in the CPU.
    fn random() -> Option<u64>;

    /// Root of the tables that the kernel was entered with, which map its image.
    fn boot_root() -> u64;

    /// Physical address of the table that an entry of those tables points to.
    fn table_of(entry: u64) -> u64;

    /// Forgets all translations of this CPU, and makes it see changed entries.
    fn forget_everything();

    /// Goes on at `target` with `argument`, without a caller, on the same stack that is mapped `distance` higher as well.
    ///
    /// # Safety
    /// There is a function that takes the argument, and nothing of the caller's is needed any more.
    unsafe fn go_on(target: u64, argument: u64, distance: u64) -> !;

    /// Prepares this CPU's interrupt controller and timer; on the CPU that boots also the machine's.
    ///
    /// # Errors
    /// Says what about the hardware does not work.
    fn init_interrupts(is_first: bool) -> Result<(), &'static str>;

    /// Serves the interrupt that made a program stop. `None` when there is nothing for the kernel to do.
    fn serve_interrupt() -> Option<Event>;

    /// Serves an interrupt that is there, or comes while the CPU idles when it is to wait. `None` when there is none, or
    /// nothing for the kernel to do.
    fn take_interrupt(wait: bool) -> Option<Event>;

    /// Lets a device's interrupt arrive, keeps it away, lets it come again after one: see [`interrupts`].
    fn enable_interrupt(number: u32) -> bool;
    fn disable_interrupt(number: u32);
    fn complete_interrupt(number: u32);

    /// Makes the counter run. Returns its frequency in Hz.
    ///
    /// # Errors
    /// Says what about the hardware does not work.
    fn init_clock() -> Result<u64, &'static str>;

    /// A counter that only grows, the same on all CPUs.
    fn counter() -> u64;

    /// Makes this CPU's timer interrupt once, in so many counts, or not at all.
    fn arm_timer(counts: Option<u64>);

    /// See [`tlb::flush`].
    fn flush(root: u64, first_page: u64, pages: u64, cpus: u64);

    /// Does what other CPUs have asked of this one in `flush`.
    fn answer_flushes();

    /// The serial port that `write_console` uses, when it is a device.
    fn uart() -> Option<console::Uart>;

    /// Writes a byte to the serial port.
    fn write_console(byte: u8);

    /// Tries every way to end the machine with a status, and returns when none works.
    fn power_off(success: bool);

    /// Whether the CPU may remember that an address was not mapped.
    const REMEMBERS_ABSENCE: bool;

    /// Whether there are I/O ports.
    const PORTS: bool;

    /// Reads 1, 2 or 4 bytes from an I/O port; `None` when that cannot be.
    fn read_port(port: u16, width: usize) -> Option<u64>;

    /// Writes 1, 2 or 4 bytes to an I/O port; `false` when that cannot be.
    fn write_port(port: u16, width: usize, value: u64) -> bool;

    /// Does nothing for ever.
    fn halt() -> !;
}

/// Defines the kernel's entry points: a function of type `fn(Boot) -> !` for the CPU that boots, and one of type
/// `fn(usize) -> !` for the others, which get their number. Without the second, CPUs that are started stop again.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        $crate::entry!($main, |_| $crate::cpu::stop());
    };
    ($main:path, $secondary:expr) => {
        #[unsafe(no_mangle)]
        extern "Rust" fn kernel_main(boot: $crate::Boot) -> ! {
            let main: fn($crate::Boot) -> ! = $main;
            main(boot)
        }

        #[unsafe(no_mangle)]
        extern "Rust" fn kernel_secondary(cpu: usize) -> ! {
            let secondary: fn(usize) -> ! = $secondary;
            secondary(cpu)
        }
    };
}

const fn keeps_the_contract<A: Architecture>() {}
const _: () = keeps_the_contract::<arch::Machine>();
