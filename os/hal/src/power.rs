//! Switching the machine off.

use crate::Architecture;
use crate::arch::Machine;

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
