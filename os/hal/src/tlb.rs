//! Forgetting translations on several CPUs.

use crate::Architecture;
use crate::arch::Machine;

/// From how many pages on everything is forgotten instead of each page alone.
pub(crate) const MAX_PAGES: u64 = 32;

/// Makes the CPUs in `cpus` (bit n is CPU n) forget what they know of `pages` pages from the address `first_page` on, in
/// the address space with this root, and of its tables. When it returns they have.
///
/// To be called after entries were cleared or lost rights, and before the memory behind them gets another use. On riscv64
/// also after entries were added in an address space that a CPU may be in: it may remember that there was nothing. It may
/// forget more than was asked for, and needs no lock; CPUs that wait for each other here answer each other.
pub fn flush(root: u64, first_page: u64, pages: u64, cpus: u64) {
    Machine::flush(root, first_page, pages, cpus);
}

/// Does what other CPUs have asked of this one.
pub(crate) fn answer() {
    Machine::answer_flushes();
}
