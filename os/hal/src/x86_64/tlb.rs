//! Forgetting translations: by an interrupt, because the CPU has no instruction that reaches others.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::{cpu as instructions, interrupts};
use crate::cpu::{self, Local, MAX_CPUS};
use crate::power;
use crate::tlb::MAX_PAGES;

/// What a CPU asks the others for. It writes the pages and then its bit in each one's `flush_for`; they clear theirs in
/// `pending`.
struct Request {
    first_page: AtomicU64,
    pages: AtomicU64,
    pending: AtomicU32,
}

static REQUESTS: [Request; MAX_CPUS] = [const {
    Request {
        first_page: AtomicU64::new(0),
        pages: AtomicU64::new(0),
        pending: AtomicU32::new(0),
    }
}; MAX_CPUS];

fn forget(first_page: u64, pages: u64) {
    if pages > MAX_PAGES {
        instructions::forget_all();
        return;
    }
    for page in 0..pages {
        instructions::forget_page(first_page.wrapping_add(page << 12));
    }
}

/// See [`crate::tlb::flush`].
pub(super) fn flush(first_page: u64, pages: u64, cpus: u64) {
    let this = cpu::current();
    if cpus >> this & 1 != 0 {
        forget(first_page, pages);
    }
    let request = &REQUESTS[this];
    let others = || {
        let is_asked = move |other: &&Local| {
            other.index() != this && cpus >> other.index() & 1 != 0 && other.online.load(Ordering::Acquire)
        };
        cpu::all().iter().filter(is_asked)
    };
    let mask = others().fold(0, |mask, other| mask | 1_u32 << other.index());
    if mask == 0 {
        return;
    }
    request.first_page.store(first_page, Ordering::Relaxed);
    request.pages.store(pages, Ordering::Relaxed);
    request.pending.store(mask, Ordering::Release);
    for other in cpu::all().iter().filter(|other| mask >> other.index() & 1 != 0) {
        other.flush_for.fetch_or(1 << this, Ordering::AcqRel);
        interrupts::send(other.id.load(Ordering::Relaxed), interrupts::FLUSH_VECTOR);
    }
    while request.pending.load(Ordering::Acquire) != 0 {
        // A CPU that has stopped meanwhile forgets everything when it starts.
        for other in cpu::all()
            .iter()
            .filter(|other| !other.online.load(Ordering::Acquire))
        {
            request
                .pending
                .fetch_and(!(1 << other.index()), Ordering::Relaxed);
        }
        answer(cpu::this());
        power::obey();
        core::hint::spin_loop();
    }
}

/// See `Architecture::answer_flushes`.
#[inline]
pub(super) fn answer(local: &Local) {
    if local.flush_for.load(Ordering::Relaxed) != 0 {
        answer_all(local);
    }
}

fn answer_all(local: &Local) {
    let wanted = local.flush_for.swap(0, Ordering::AcqRel);
    for (index, request) in REQUESTS.iter().enumerate() {
        if wanted >> index & 1 != 0 {
            forget(
                request.first_page.load(Ordering::Relaxed),
                request.pages.load(Ordering::Relaxed),
            );
            request
                .pending
                .fetch_and(!(1 << local.index()), Ordering::Release);
        }
    }
}
