//! The other CPUs.

use core::sync::atomic::{AtomicU32, Ordering};

use hal::{Event, cpu, timer, tlb};

/// How long a CPU may take to answer, in nanoseconds.
const LIMIT: u64 = 1_000_000_000;

static KICKS: [AtomicU32; cpu::MAX_CPUS] = [const { AtomicU32::new(0) }; cpu::MAX_CPUS];

/// What the other CPUs do: they count kicks; the third one makes them stop.
pub(crate) fn secondary(index: usize) -> ! {
    loop {
        if cpu::wait() == Event::Kick && KICKS[index].fetch_add(1, Ordering::AcqRel) == 2 {
            cpu::stop();
        }
    }
}

/// Starts all CPUs and goes on only when each has answered; once more after it has been stopped. Returns how many CPUs
/// there are.
pub(crate) fn check() -> Result<usize, &'static str> {
    for round in 0..2 {
        for (index, kicks) in KICKS.iter().enumerate().take(cpu::count()).skip(1) {
            // The one that has been kicked three times may not have stopped yet.
            let limit = timer::now() + LIMIT;
            while cpu::runs(index) && timer::now() < limit {}
            cpu::start(index)?;
            kicks.store(0, Ordering::Release);
        }
        for (index, kicks) in KICKS.iter().enumerate().take(cpu::count()).skip(1) {
            for count in 1..=3 - round {
                cpu::kick(index);
                let limit = timer::now() + LIMIT;
                while kicks.load(Ordering::Acquire) != count {
                    if timer::now() > limit {
                        return Err("a CPU does not answer");
                    }
                }
                tlb::flush(0, 0x40_0000, 1, u64::MAX);
            }
        }
    }
    Ok(cpu::count())
}
