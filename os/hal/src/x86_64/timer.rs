//! The time-stamp counter and the local APIC's timer, measured against the programmable interval timer, whose frequency
//! every PC shares. Source: Intel SDM volume 3A, section 12.5.4 "APIC Timer".

use core::arch::asm;
use core::arch::x86_64::__cpuid;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::cpu::{msr, read_port, time_stamp, write_msr, write_port};
use super::interrupts::{MASKED, TIMER_VECTOR, read, register, write};

/// Frequency of the interval timer in Hz.
const PIT_HZ: u64 = 1_193_182;

/// Length of the measurement in counts of the interval timer: 20 ms.
const PIT_COUNT: u16 = 23_864;

/// How often the interval timer's output is looked at before it counts as broken.
const PATIENCE: u32 = 50_000_000;

const DIVIDE_BY_16: u32 = 3;
const DEADLINE: u32 = 2 << 17;

const GATE: u16 = 0x61;
const GATE_ON: u8 = 1;
const SPEAKER_ON: u8 = 2;
const OUTPUT: u8 = 1 << 5;

/// Whether the timer compares itself with the time-stamp counter.
static HAS_DEADLINE: AtomicBool = AtomicBool::new(false);

/// Counts of the local APIC's timer in a count of the time-stamp counter, in units of 2^-32.
static SCALE: AtomicU64 = AtomicU64::new(0);

/// Measures the counters. Returns the frequency of the time-stamp counter.
pub(super) fn init_clock() -> Result<u64, &'static str> {
    HAS_DEADLINE.store(__cpuid(1).ecx & 1 << 24 != 0, Ordering::Relaxed);
    write(register::DIVIDE, DIVIDE_BY_16);
    write(register::TIMER, MASKED);
    let (apic_hz, tsc_hz) = measure()?;
    if apic_hz == 0 || tsc_hz == 0 {
        return Err("the local APIC's timer or the time-stamp counter does not count");
    }
    let scale = (u128::from(apic_hz) << 32) / u128::from(tsc_hz);
    SCALE.store(u64::try_from(scale).unwrap_or(u64::MAX), Ordering::Relaxed);
    init();
    Ok(tsc_hz)
}

/// Sets this CPU's timer up, disarmed.
pub(super) fn init() {
    write(register::DIVIDE, DIVIDE_BY_16);
    if HAS_DEADLINE.load(Ordering::Relaxed) {
        write(register::TIMER, TIMER_VECTOR | DEADLINE);
        // SAFETY: orders the write above, to memory, before writes of the deadline.
        unsafe { asm!("mfence", options(nostack, preserves_flags)) };
    } else {
        write(register::TIMER, TIMER_VECTOR);
    }
    arm(None);
}

/// See `Architecture::arm_timer`.
pub(super) fn arm(counts: Option<u64>) {
    if HAS_DEADLINE.load(Ordering::Relaxed) {
        let deadline = counts.map_or(0, |counts| time_stamp().saturating_add(counts));
        // SAFETY: the CPU has the register; the interrupt has a handler.
        unsafe { write_msr(msr::TSC_DEADLINE, deadline) };
        return;
    }
    let count = counts.map_or(0, |counts| {
        let count = (u128::from(counts) * u128::from(SCALE.load(Ordering::Relaxed))) >> 32;
        // One more, because the division rounds down, and 0 would stop the timer.
        u32::try_from(count + 1).unwrap_or(u32::MAX)
    });
    write(register::INITIAL_COUNT, count);
}

/// Frequencies of the local APIC's timer and of the time-stamp counter.
fn measure() -> Result<(u64, u64), &'static str> {
    // SAFETY: the ports are those of the interval timer's channel 2 and of its gate, which nobody else drives.
    unsafe {
        write_port(GATE, read_port(GATE) & !(GATE_ON | SPEAKER_ON));
        // Channel 2, low byte then high byte, mode 0: the output rises when the count is over.
        write_port(0x43, 0xb0);
        write_port(0x42, PIT_COUNT as u8);
        write_port(0x42, (PIT_COUNT >> 8) as u8);
        write(register::INITIAL_COUNT, u32::MAX);
        write_port(GATE, read_port(GATE) | GATE_ON);
        let start = time_stamp();
        if !(0..PATIENCE).any(|_| read_port(GATE) & OUTPUT != 0) {
            return Err("the interval timer does not count");
        }
        let (apic, tsc) = (u32::MAX - read(register::CURRENT_COUNT), time_stamp() - start);
        write(register::INITIAL_COUNT, 0);
        let per_second = |counts: u64| counts * PIT_HZ / u64::from(PIT_COUNT);
        Ok((per_second(u64::from(apic)), per_second(tsc)))
    }
}
