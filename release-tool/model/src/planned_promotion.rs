//! A promotion, as people approve it.

use crate::canonical::canonical_json;
use crate::{ChannelName, Sha256Digest, Version};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A published release that is to enter another channel. What depends on the moment is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPromotion {
    /// The product's id.
    pub product: String,
    /// The release.
    pub version: Version,
    /// The commit that it was built from.
    pub commit: String,
    /// SHA-256 of its first manifest, which names every byte of it.
    pub manifest_sha256: Sha256Digest,
    /// The channel that it enters.
    pub to: ChannelName,
}

impl PlannedPromotion {
    /// What an approval signs: SHA-256 of the promotion as canonical JSON, in an object with the one key `promotion`, which
    /// no plan of a release is.
    ///
    /// # Errors
    /// Never for a value of this type; the signature follows `serde_json`.
    pub fn approval_digest(&self) -> Result<Sha256Digest, serde_json::Error> {
        let value = serde_json::json!({"promotion": serde_json::to_value(self)?});
        let digest = Sha256::digest(canonical_json(&value).as_bytes());
        Ok(Sha256Digest::new(digest.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_differs_is_another_promotion() {
        let one = PlannedPromotion {
            product: "veridianos".to_owned(),
            version: "1.1.4".parse().unwrap(),
            commit: "1".repeat(40),
            manifest_sha256: Sha256Digest::new([7; 32]),
            to: ChannelName::lts(),
        };
        let digest = |promotion: &PlannedPromotion| promotion.approval_digest().unwrap();
        // `printf '%s' '{"promotion":{…}}' | sha256sum`, keys sorted, without white space.
        let text = format!(
            r#"{{"promotion":{{"commit":"{}","manifest_sha256":"{}","product":"veridianos","to":"lts","version":"1.1.4"}}}}"#,
            one.commit, one.manifest_sha256
        );
        let expected = Sha256Digest::new(Sha256::digest(text.as_bytes()).into());
        assert_eq!(digest(&one), expected);
        let others: [fn(&mut PlannedPromotion); 5] = [
            |other| other.product = "other".to_owned(),
            |other| other.version = "1.1.5".parse().unwrap(),
            |other| other.commit = "2".repeat(40),
            |other| other.manifest_sha256 = Sha256Digest::new([8; 32]),
            |other| other.to = ChannelName::stable(),
        ];
        for change in others {
            let mut other = one.clone();
            change(&mut other);
            assert_ne!(digest(&other), digest(&one), "{other:?}");
        }
    }
}
