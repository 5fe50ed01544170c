//! Forgetting translations: firmware reaches other harts. Source: RISC-V SBI Specification 1.0, chapter 8 "RFENCE
//! Extension".

use core::sync::atomic::Ordering;

use super::cpu as instructions;
use crate::cpu;
use crate::tlb::MAX_PAGES;

const FENCE_EXTENSION: u64 = 0x5246_4e43;
const REMOTE_FENCE_CODE: u64 = 0;
const REMOTE_FENCE: u64 = 1;

/// Calls firmware's fence for the harts of some CPUs, but not for this one.
fn fence(function: u64, cpus: u64, range: [u64; 2]) {
    let call = |mask: u64, base: u64| {
        // SAFETY: at worst translations are looked up, or instructions fetched, again.
        unsafe { instructions::firmware(FENCE_EXTENSION, function, [mask, base, range[0], range[1]]) };
    };
    let this = cpu::current();
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
            call(1, id);
        }
    }
    if low != 0 {
        call(low, 0);
    }
}

/// See [`crate::tlb::flush`].
pub(super) fn flush(first_page: u64, pages: u64, cpus: u64) {
    if cpus >> cpu::current() & 1 != 0 {
        instructions::forget(first_page, pages);
    }
    // Start 0 and length -1 are everything.
    let range = if pages > MAX_PAGES {
        [0, u64::MAX]
    } else {
        [first_page, pages << 12]
    };
    fence(REMOTE_FENCE, cpus, range);
}

/// Makes earlier writes visible to the instruction fetches of all harts.
pub(super) fn publish_code() {
    instructions::publish_code();
    fence(REMOTE_FENCE_CODE, u64::MAX, [0; 2]);
}
