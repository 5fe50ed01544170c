//! scrypt (RFC 7914) as minisign uses it to protect a secret key with a password.
//!
//! A key file does not hold scrypt's own N, r and p but libsodium's "opslimit" and "memlimit", from which they follow.

use std::fmt;

/// Parameters of scrypt, as a key file records them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scrypt {
    /// libsodium's opslimit: about the number of operations.
    pub opslimit: u64,
    /// libsodium's memlimit, in bytes.
    pub memlimit: u64,
}

/// scrypt's block size in libsodium.
const R: u32 = 8;

/// N = 2^20 with r = 8 takes 1 GiB. A file that asks for more is refused: it was not made by any known tool, and would
/// only make the machine run out of memory.
const MAX_LOG_N: u8 = 20;
const MAX_P: u32 = 16;

impl Scrypt {
    /// What `minisign -G` uses on a machine with enough memory: N = 2^20, r = 8, p = 1, which takes 1 GiB and a few
    /// seconds. The C tool halves it without a word when memory is short, which is why the parameters of every key are
    /// checked.
    pub const STRONG: Self = Self {
        opslimit: 33_554_432,
        memlimit: 1 << 30,
    };

    /// Takes 1 MiB and some milliseconds: protects nothing. For tests and for keys that are thrown away.
    pub const THROWAWAY: Self = Self {
        opslimit: 32_768,
        memlimit: 1 << 24,
    };

    /// libsodium's way from the two limits to log2 N and p (`crypto_pwhash_scryptsalsa208sha256`); `None` when they are
    /// out of every bound.
    fn cost(self) -> Option<(u8, u32)> {
        let opslimit = self.opslimit.max(32_768);
        // The largest power of two that is at most the bound, but at least 2.
        let log_floor = |bound: u64| (1..63).find(|log_n| 1u64 << log_n > bound / 2).unwrap_or(63);
        let (log_n, p) = if opslimit < self.memlimit / 32 {
            (log_floor(opslimit / (u64::from(R) * 4)), 1)
        } else {
            let log_n = log_floor(self.memlimit / (u64::from(R) * 128));
            let rp = (opslimit / 4) >> log_n;
            (log_n, u32::try_from(rp.min(0x3fff_ffff)).ok()? / R)
        };
        let log_n = u8::try_from(log_n).ok()?;
        (log_n <= MAX_LOG_N && (1..=MAX_P).contains(&p)).then_some((log_n, p))
    }

    /// Whether a guess at the password costs at least as much as with the other parameters, in memory and in work.
    /// Parameters that are out of bounds are never enough.
    #[must_use]
    pub fn at_least(self, other: Self) -> bool {
        match (self.cost(), other.cost()) {
            (Some((log_n, p)), Some((other_log_n, other_p))) => {
                log_n >= other_log_n && u64::from(p) << log_n >= u64::from(other_p) << other_log_n
            }
            _ => false,
        }
    }

    /// Fills `out` with bytes derived from the password.
    pub(crate) fn derive(self, password: &[u8], salt: &[u8; 32], out: &mut [u8]) -> Result<(), String> {
        let params = self
            .cost()
            .and_then(|(log_n, p)| scrypt::Params::new(log_n, R, p).ok());
        let params = params.ok_or_else(|| format!("scrypt parameters out of bounds: {self}"))?;
        scrypt::scrypt(password, salt, &params, out).map_err(|error| error.to_string())
    }
}

impl fmt::Display for Scrypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cost() {
            Some((log_n, p)) => write!(
                f,
                "scrypt N=2^{log_n} r={R} p={p} ({} MiB)",
                (1u64 << log_n) >> 10
            ),
            None => write!(f, "scrypt opslimit={} memlimit={}", self.opslimit, self.memlimit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_give_the_parameters_of_libsodium() {
        assert_eq!(Scrypt::STRONG.cost(), Some((20, 1)));
        assert_eq!(Scrypt::STRONG.to_string(), "scrypt N=2^20 r=8 p=1 (1024 MiB)");
        assert_eq!(Scrypt::THROWAWAY.cost(), Some((10, 1)));
        // What the `minisign` crate makes: the memory bound gives N, the rest goes into p.
        assert_eq!(
            Scrypt {
                opslimit: 1_048_576,
                memlimit: 33_554_432
            }
            .cost(),
            Some((15, 1))
        );
    }

    #[test]
    fn weaker_and_absurd_parameters_are_not_enough() {
        let halved = Scrypt {
            memlimit: 1 << 29,
            ..Scrypt::STRONG
        };
        assert!(Scrypt::STRONG.at_least(Scrypt::STRONG));
        assert!(Scrypt::STRONG.at_least(halved));
        assert!(!halved.at_least(Scrypt::STRONG));
        assert!(!Scrypt::THROWAWAY.at_least(Scrypt::STRONG));
        for absurd in [
            Scrypt {
                opslimit: u64::MAX,
                memlimit: u64::MAX,
            },
            Scrypt {
                opslimit: 0,
                memlimit: 0,
            },
        ] {
            assert!(!absurd.at_least(Scrypt::THROWAWAY), "{absurd}");
        }
        let far = Scrypt {
            opslimit: u64::MAX,
            memlimit: u64::MAX,
        };
        assert!(
            far.derive(b"x", &[0; 32], &mut [0; 8])
                .unwrap_err()
                .contains("out of bounds")
        );
    }
}
