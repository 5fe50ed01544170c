//! Making CPUs forget translations.

use crate::Architecture;
use crate::arch::Machine;

/// Makes the given CPUs forget the translations of `pages` pages from `first_page` on. They have when this returns.
pub(crate) fn flush(root: u64, _first_page: u64, _pages: u64, cpus: u64) {
    if cpus != 0 {
        // SAFETY: the root is that of an address space, which is active.
        unsafe { Machine::activate_user_space(root) };
    }
}
