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
//! | `trap.s`, `trap.rs` | entering and leaving user mode, exceptions, register dumps |
//! | `cpu.rs` | control registers and single instructions |
//! | `console.rs` | the serial port |
//! | `interrupts.rs` | the interrupt controller |
//! | `timer.rs` | the periodic interrupt and the counter |
//! | `power.rs` | switching the machine off |
//!
//! # What is absent
//!
//! - One CPU runs; the firmware keeps the others parked.
//! - The kernel runs with interrupts masked. It takes them while a program runs and in [`timer::wait`], so no state of
//!   the kernel is ever seen half changed. The handler itself touches nothing but the tick counter.
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
mod boot;
pub mod console;
#[cfg(not(target_arch = "x86_64"))]
mod device_tree;
mod heap;
mod image;
pub mod memory;
mod phys;
pub mod power;
mod probe;
mod space;
pub mod stamp;
mod stored;
mod sync;
pub mod timer;
mod tlb;
mod user;

use bootinfo::BootInfo;
use kcore::cause::Cause;
use kcore::paging::Encoding;

pub use boot::Boot;
pub use probe::check_protection;
pub use space::{AddressSpace, run};
pub use stored::{Array, Stored};
pub use user::{Context, Event};

/// Name of the architecture, as in file names and the identity stamp.
pub const ARCHITECTURE: &str = arch::Machine::NAME;

/// The `e_machine` number of ELF files for this architecture.
pub const ELF_MACHINE: u16 = arch::Machine::ELF_MACHINE;

/// Size of a large page, which a frame may have, in bytes.
pub const LARGE_PAGE: u64 = 2 << 20;

/// Device registers to be mapped: physical address and length, both page aligned.
type Device = (u64, u64);

/// Most devices that an architecture names.
const MAX_DEVICES: usize = 4;

/// What an architecture provides. A type implements it without ever being made.
trait Architecture {
    /// Name of the architecture.
    const NAME: &'static str;

    /// Its ELF number.
    const ELF_MACHINE: u16;

    /// Virtual address at which physical address 0 appears, in the kernel's half.
    const PHYSICAL_MAP: u64;

    /// Format of its page tables.
    type Encoding: Encoding;

    /// What a program sees of the CPU.
    type Registers: user::RegisterFile;

    /// Makes exceptions arrive in this crate. First thing that runs; again harmless.
    fn install_traps();

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

    /// Switches to the address space of a program.
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

    /// Finds out which device interrupted, serves it, and returns whether it was the timer.
    fn serve_interrupt() -> bool;

    /// Starts an interrupt `hz` times a second. Returns the counter's frequency in Hz.
    ///
    /// # Errors
    /// Says what about the hardware does not work.
    fn start_timer(hz: u32) -> Result<u64, &'static str>;

    /// A counter that only grows.
    fn counter() -> u64;

    /// Takes the interrupts that wait, and masks them again.
    fn take_interrupts();

    /// Writes a byte to the serial port.
    fn write_console(byte: u8);

    /// Tries every way to end the machine with a status, and returns when none works.
    fn power_off(success: bool);

    /// Does nothing for ever.
    fn halt() -> !;
}

/// Defines the kernel's entry point: a function of type `fn(Boot) -> !`.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "Rust" fn kernel_main(boot: $crate::Boot) -> ! {
            let main: fn($crate::Boot) -> ! = $main;
            main(boot)
        }
    };
}

const fn keeps_the_contract<A: Architecture>() {}
const _: () = keeps_the_contract::<arch::Machine>();
