//! Forgetting translations: firmware reaches other harts. Source: RISC-V SBI Specification 1.0, chapter 8 "RFENCE
//! Extension".

use core::sync::atomic::Ordering;

use super::cpu as instructions;
use crate::cpu;
use crate::tlb::MAX_PAGES;

const FENCE_EXTENSION: u64 = 0x5246_4e43;
const REMOTE_FENCE: u64 = 1;

/// See [`crate::tlb::flush`].
pub(super) fn flush(first_page: u64, pages: u64, cpus: u64) {
    let this = cpu::current();
    if cpus >> this & 1 != 0 {
        instructions::forget(first_page, pages);
    }
    // Start 0 and length -1 are everything.
    let (start, len) = if pages > MAX_PAGES {
        (0, u64::MAX)
    } else {
        (first_page, pages << 12)
    };
    let fence = |mask: u64, base: u64| {
        // SAFETY: at worst translations are looked up again.
        unsafe { instructions::firmware(FENCE_EXTENSION, REMOTE_FENCE, [mask, base, start, len]) };
    };
    // A mask reaches 64 harts from a base on; most machines number theirs from 0.
    let mut low = 0;
    for other in cpu::all() {
        let id = other.id.load(Ordering::Relaxed);
        let index = other.index();
        if index == this || cpus >> index & 1 == 0 || !other.online.load(Ordering::Acquire) {
            continue;
        }
        if id < 64 {
            low |= 1 << id;
        } else {
            fence(1, id);
        }
    }
    if low != 0 {
        fence(low, 0);
    }
}
