//! Switching the machine off.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::arch::Machine;
use crate::{Architecture, console, cpu, timer};

/// How long other CPUs get to halt, in nanoseconds. On a host with much to do an emulator's CPUs stand still for a while.
const HALT_LIMIT: u64 = 2_000_000_000;

/// Number of the CPU that has told all others to halt, plus 1; 0 while none has.
static STOPPER: AtomicUsize = AtomicUsize::new(0);

/// Makes all other CPUs halt for good, and gives this one the console: for the end of the kernel. When several CPUs call
/// this, it returns on one of them. Returns how many others have halted, and how many have not said so in time.
pub fn stop_other_cpus() -> (usize, usize) {
    let this = cpu::current();
    match STOPPER.compare_exchange(0, this + 1, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {}
        // Again: whoever asks knows.
        Err(stopper) if stopper == this + 1 => return (0, 0),
        Err(_) => halt_as_told(),
    }
    let others = || {
        let runs = move |other: &&cpu::Local| other.index() != this && other.online.load(Ordering::Acquire);
        cpu::all().iter().filter(runs)
    };
    let running = others().count();
    others().for_each(Machine::halt_other);
    let limit = timer::now() + HALT_LIMIT;
    while others().next().is_some() && timer::now() < limit {
        core::hint::spin_loop();
    }
    console::seize();
    let left = others().count();
    (running - left, left)
}

/// Halts when another CPU has told this one to. For where it may not notice an interrupt.
pub(crate) fn obey() {
    let stopper = STOPPER.load(Ordering::Acquire);
    if stopper != 0 && stopper != cpu::current() + 1 {
        halt_as_told();
    }
}

fn halt_as_told() -> ! {
    cpu::this().online.store(false, Ordering::Release);
    Machine::halt()
}

/// Ends the machine. An emulator that runs it gets a status that tells success from failure.
pub fn off(success: bool) -> ! {
    Machine::power_off(success);
    crate::println!(
        "kernel: this machine offers no way to switch it off; it can be switched off by hand now"
    );
    Machine::halt()
}

/// Stops without a word, when even reporting a failure has failed.
pub fn give_up() -> ! {
    Machine::power_off(false);
    Machine::halt()
}
