//! Identifiers that other tools draw at random.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use vrel_model::Arch;

/// Identifiers of file systems and disks, derived from what is built, so that building again gives the same
/// ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    seed: String,
}

impl Ids {
    /// The identifiers of a product's version for one architecture. `product` is its id, as in file names.
    #[must_use]
    pub fn new(product: &str, version: impl std::fmt::Display, arch: Arch) -> Self {
        Self {
            seed: format!("{product} {version} {arch}"),
        }
    }

    /// A UUID for one purpose: version 8 of RFC 9562, whose bits are the maker's own, here of a SHA-256.
    #[must_use]
    pub fn uuid(&self, purpose: &str) -> Uuid {
        let digest = Sha256::digest(format!("veridianos release ids\0{}\0{purpose}", self.seed));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// A 32-bit number for one purpose.
    #[must_use]
    pub fn number(&self, purpose: &str) -> u32 {
        self.uuid(purpose).as_fields().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_by_everything_that_goes_in_and_by_nothing_else() {
        let version: vrel_model::Version = "0.6.0-rc1".parse().unwrap();
        let ids = Ids::new("veridianos", &version, Arch::X86_64);
        let disk = ids.uuid("disk");
        assert_eq!(disk, Ids::new("veridianos", &version, Arch::X86_64).uuid("disk"));
        assert_eq!(
            (disk.get_version_num(), disk.get_variant()),
            (8, uuid::Variant::RFC4122)
        );
        let other = "0.6.0-rc2".parse::<vrel_model::Version>().unwrap();
        for different in [
            ids.uuid("esp"),
            Ids::new("veridianos", &version, Arch::Riscv64).uuid("disk"),
            Ids::new("veridianos", &other, Arch::X86_64).uuid("disk"),
            Ids::new("other", &version, Arch::X86_64).uuid("disk"),
        ] {
            assert_ne!(disk, different);
        }
    }
}
