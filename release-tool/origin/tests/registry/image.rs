//! A small container image.

use std::collections::BTreeMap;
use std::path::Path;
use vrel_model::{Arch, Version};
use vrel_pack::oci::{Image, RootContent, RootFile, Written, write};
use vrel_world::RealWorld;

pub(crate) fn version() -> Version {
    "0.6.0-rc1".parse().unwrap()
}

/// What `init` of an architecture holds: a few pieces of the size in which blobs are read.
pub(crate) fn init(arch: Arch, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(31).wrapping_add(arch as u32 + 1);
    let mut next = || {
        // Numbers that do not compress (Marsaglia's xorshift).
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    };
    (0..200_000).flat_map(|_| next()).collect()
}

/// Writes an image for all architectures; another seed gives another image.
pub(crate) fn write_image(path: &Path, seed: u32) -> Written {
    let version = version().to_string();
    let image = Image {
        name: "VeridianOS",
        id: "veridianos",
        version: &version,
        commit: "0123456789abcdef0123456789abcdef01234567",
        source: "https://example.org/veridianos",
        licenses: "MIT OR Apache-2.0",
        vendor: "VeridianOS",
        time: "2023-11-14T22:13:20Z".parse().unwrap(),
    };
    let inits = Arch::ALL.map(|arch| (arch, init(arch, seed)));
    let roots: BTreeMap<_, _> = inits
        .iter()
        .map(|(arch, program)| {
            let init = RootFile {
                path: "root",
                mode: 0o755,
                content: RootContent::Bytes(program),
            };
            (*arch, vec![init])
        })
        .collect();
    write(&RealWorld::default(), path, &image, &roots).unwrap()
}
