//! Randomness: from the CPU, from firmware, and what the clock gives.

use bootinfo::BootInfo;
use kcore::random::{Random, Seed};

use crate::Architecture;
use crate::arch::Machine;
use crate::sync::Lock;

/// How many readings of the clock are mixed in.
const READINGS: u64 = 256;

/// Where randomness comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A generator in the CPU, and whatever firmware has given as well.
    Cpu,
    /// What firmware has given.
    Firmware,
    /// Nothing but the clock: how long what came before took, which differs a little each time. Whoever knows the machine can
    /// try all of it.
    Clock,
}

impl core::fmt::Display for Source {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str(match self {
            Self::Cpu => "the CPU",
            Self::Firmware => "firmware",
            Self::Clock => "the clock alone: they can be guessed",
        })
    }
}

/// What firmware has given.
static SEED: Lock<Option<Seed>> = Lock::new(None);

/// Adds to what firmware has given.
fn add(bytes: &[u8]) {
    let mut seed = SEED.lock();
    let all = seed.get_or_insert_default();
    for (index, byte) in bytes.iter().enumerate() {
        all[index / 8 % all.len()] ^= u64::from(*byte) << (index % 8 * 8);
    }
}

/// Remembers the boot record's seed.
pub(crate) fn use_record(record: &BootInfo) {
    if record.has_seed != 0 {
        add(&record.seed);
    }
}

/// Remembers the device tree's seeds.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn use_device_tree(tree: &kcore::fdt::Fdt<'_>) {
    for name in ["rng-seed", "kaslr-seed"] {
        let found = crate::device_tree::property(tree, "chosen", name);
        if let Some(seed) = found.filter(|seed| seed.len() >= 8) {
            add(seed);
        }
    }
}

/// A generator of random numbers that is like no other, as far as there is randomness, and where that comes from.
pub fn random() -> (Random, Source) {
    let mut random = Random::new([0; 4]);
    for reading in 0..READINGS {
        random.mix([Machine::counter(), reading, 0, 0]);
    }
    let mut source = Source::Clock;
    if let Some(seed) = SEED.lock().take() {
        random.mix(seed);
        source = Source::Firmware;
    }
    let words = [(); 4].map(|()| Machine::random());
    if let [Some(a), Some(b), Some(c), Some(d)] = words {
        random.mix([a, b, c, d]);
        source = Source::Cpu;
    }
    (random, source)
}
