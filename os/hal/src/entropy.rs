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

/// The generator, once there is what it is made of.
static RANDOM: Lock<Option<(Random, Source)>> = Lock::new(None);

/// Makes the generator, of all randomness that there is before devices are known.
///
/// # Safety
/// The record tells the truth, and memory is mapped at its own address.
pub(crate) unsafe fn collect(record: &BootInfo) {
    let mut given = None;
    if record.has_seed != 0 {
        add(&mut given, &record.seed);
    }
    #[cfg(not(target_arch = "x86_64"))]
    if record.dtb != 0 {
        // SAFETY: the boot contract maps the tree at its own address.
        let tree = unsafe { crate::device_tree::at(record.dtb) };
        for name in ["rng-seed", "kaslr-seed"] {
            let found = crate::device_tree::property(&tree, "chosen", name);
            if let Some(seed) = found.filter(|seed| seed.len() >= 8) {
                add(&mut given, seed);
            }
        }
    }
    *RANDOM.lock() = Some(new(given));
}

/// Adds to what firmware has given.
fn add(seed: &mut Option<Seed>, bytes: &[u8]) {
    let all = seed.get_or_insert_default();
    for (index, byte) in bytes.iter().enumerate() {
        all[index / 8 % all.len()] ^= u64::from(*byte) << (index % 8 * 8);
    }
}

/// A generator of what firmware has given, and of what there is without it.
fn new(given: Option<Seed>) -> (Random, Source) {
    let mut random = Random::new([0; 4]);
    for reading in 0..READINGS {
        random.mix([Machine::counter(), reading, 0, 0]);
    }
    let mut source = Source::Clock;
    if let Some(seed) = given {
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

/// A random number below `limit`, while this crate has the generator.
pub(crate) fn below(limit: u64) -> u64 {
    RANDOM
        .lock()
        .as_mut()
        .map_or(0, |(random, _)| random.number() % limit.max(1))
}

/// A generator that is like no other, as far as there is randomness, and where that comes from. What this crate has taken
/// from it cannot be computed from it.
pub fn random() -> (Random, Source) {
    let (mut random, source) = RANDOM.lock().take().unwrap_or_else(|| new(None));
    random.mix([Machine::counter(), 0, 0, 0]);
    (random, source)
}
