//! How firmly an architecture is promised.

use crate::{Arch, UtcTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The tier of an architecture; `[tiers]` of `vrel.toml` writes its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum Tier {
    /// Every release has it from its first moment.
    One,
    /// A release may be published without it where the channel allows that, and gets it within the channel's time.
    Two,
}

/// Why a number is not a tier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a tier; expected 1 or 2")]
pub struct TierError(pub u32);

impl TryFrom<u32> for Tier {
    type Error = TierError;

    fn try_from(number: u32) -> Result<Self, TierError> {
        match number {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            _ => Err(TierError(number)),
        }
    }
}

impl From<Tier> for u32 {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::One => 1,
            Tier::Two => 2,
        }
    }
}

impl fmt::Display for Tier {
    /// The number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        u32::from(*self).fmt(f)
    }
}

/// An architecture that a release was published without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaggingArch {
    /// The architecture.
    pub arch: Arch,
    /// Until when its artifacts may be added to the release.
    pub until: UtcTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_is_one_or_two() {
        assert_eq!(serde_json::from_str::<Tier>("2").unwrap(), Tier::Two);
        assert_eq!(serde_json::to_string(&Tier::One).unwrap(), "1");
        for bad in ["0", "3"] {
            let error = serde_json::from_str::<Tier>(bad).unwrap_err().to_string();
            assert!(error.contains("is not a tier; expected 1 or 2"), "{error}");
        }
    }
}
