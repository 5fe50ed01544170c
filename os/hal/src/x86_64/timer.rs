//! The local APIC's timer, measured against the programmable interval timer, whose frequency every PC shares.

use super::cpu::{read_port, time_stamp, write_port};
use super::interrupts::{self, MASKED, TIMER_VECTOR, read, register, write};

/// Frequency of the interval timer in Hz.
const PIT_HZ: u64 = 1_193_182;

/// Length of the measurement in counts of the interval timer: 20 ms.
const PIT_COUNT: u16 = 23_864;

/// How often the interval timer's output is looked at before it counts as broken.
const PATIENCE: u32 = 50_000_000;

const DIVIDE_BY_16: u32 = 3;
const PERIODIC: u32 = 1 << 17;

const GATE: u16 = 0x61;
const GATE_ON: u8 = 1;
const SPEAKER_ON: u8 = 2;
const OUTPUT: u8 = 1 << 5;

/// Starts the interrupt. Returns the frequency of the time-stamp counter.
pub(super) fn start(hz: u32) -> Result<u64, &'static str> {
    interrupts::init();
    write(register::DIVIDE, DIVIDE_BY_16);
    write(register::TIMER, MASKED);
    let (apic_hz, tsc_hz) = measure()?;
    let count = u32::try_from(apic_hz / u64::from(hz.max(1))).unwrap_or(u32::MAX);
    if count == 0 {
        return Err("the local APIC's timer does not count");
    }
    write(register::TIMER, TIMER_VECTOR as u32 | PERIODIC);
    write(register::INITIAL_COUNT, count);
    Ok(tsc_hz)
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
