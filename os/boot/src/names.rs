//! Names of disks where the firmware has no random numbers.

/// 128 bits that depend on every byte of every part, for a name that need not be secret: FNV-1a.
///
/// Source: "The FNV Non-Cryptographic Hash Algorithm", draft-eastlake-fnv.
pub fn derived(parts: &[&[u8]]) -> [u8; 16] {
    const PRIME: u128 = 0x0100_0000_0000_0000_0000_013b;
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for part in parts {
        // The length keeps neighbouring parts apart.
        for &byte in (part.len() as u64).to_le_bytes().iter().chain(*part) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(PRIME);
        }
    }
    hash.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_matters() {
        let name = derived(&[b"disk", b"time"]);
        assert_eq!(name, derived(&[b"disk", b"time"]));
        for other in [
            derived(&[b"disk", b"timf"]),
            derived(&[b"diskt", b"ime"]),
            derived(&[b"disk"]),
            derived(&[b"time", b"disk"]),
        ] {
            assert_ne!(name, other);
        }
    }
}
