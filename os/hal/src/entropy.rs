//! Random bytes from hardware or firmware, to seed a generator with.

use crate::Architecture;
use crate::arch::Machine;
use crate::sync::Lock;

/// How many bytes there are at a time.
pub const SEED_LEN: usize = 32;

/// What firmware has left in the device tree; used once.
static SEED: Lock<Option<[u8; SEED_LEN]>> = Lock::new(None);

/// Remembers firmware's seed, when it is long enough to be one.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn use_device_tree(tree: &kcore::fdt::Fdt<'_>) {
    let found = crate::device_tree::property(tree, "chosen", "rng-seed");
    *SEED.lock() = found.and_then(|seed| seed.first_chunk().copied());
}

/// Random bytes: from the CPU when it has a generator, else, and once, firmware's seed. `None` when there are none.
pub fn entropy() -> Option<[u8; SEED_LEN]> {
    let mut seed = [0; SEED_LEN];
    for part in seed.chunks_exact_mut(8) {
        match Machine::random() {
            Some(word) => part.copy_from_slice(&word.to_le_bytes()),
            None => return SEED.lock().take(),
        }
    }
    Some(seed)
}
