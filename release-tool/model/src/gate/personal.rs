//! What a person signs: that a gate holds, that it is waived, that a plan may be followed.

use super::GateId;
use crate::{Day, PersonId, Sha256Digest, UtcTime, Version};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a person states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatementKind {
    /// The gate holds.
    SignOff,
    /// The gate need not hold.
    Waiver,
    /// The plan may be followed.
    Approval,
}

impl fmt::Display for StatementKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SignOff => "sign-off",
            Self::Waiver => "waiver",
            Self::Approval => "approval",
        })
    }
}

/// A person's statement about one commit of one release. Its canonical bytes are what the signature covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PersonalStatement {
    /// What is stated.
    pub what: StatementKind,
    /// The product's id.
    pub product: String,
    /// The release.
    pub version: Version,
    /// Its commit, 40 hexadecimal digits.
    pub commit: String,
    /// The gate; none of an approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateId>,
    /// [`crate::Plan::approval_digest`] of what is approved; of an approval only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_sha256: Option<Sha256Digest>,
    /// Who states it.
    pub person: PersonId,
    /// When.
    pub at: UtcTime,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The last day on which it holds; of a waiver only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

impl PersonalStatement {
    /// What is signed: the statement as JSON without white space, in the order of the fields, and a line end.
    ///
    /// # Errors
    /// Never for a value of this type; the signature follows `serde_json`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The one trusted comment that belongs to the statement, given the digest of its bytes. It says to a person with the
    /// stock `minisign` what is signed, and a signature with another one is refused.
    #[must_use]
    pub fn trusted_comment(&self, sha256: &Sha256Digest) -> String {
        format!(
            "timestamp:{} statement:{} product:{} version:{} commit:{} gate:{} person:{} sha256:{sha256}",
            self.at.unix(),
            self.what,
            self.product,
            self.version,
            self.commit,
            self.gate.as_ref().map_or("none", GateId::as_str),
            self.person,
        )
    }

    /// Whether another statement decides the same, whenever and however it says so.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let key = |one: &Self| {
            let about = (one.product.clone(), one.version.clone(), one.commit.clone());
            let what = (one.what, one.gate.clone(), one.plan_sha256, one.until);
            (what, about, one.person.clone())
        };
        key(self) == key(other)
    }
}

/// A statement with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignedStatement {
    /// The text of the `.minisig` file over the statement's bytes.
    pub signature: String,
    /// The statement.
    pub statement: PersonalStatement,
}

/// `releases/VERSION/gates.toml` of the records: what people decided about a release's gates, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignedStatements {
    /// Version of this format: 1.
    pub schema: u32,
    /// What was decided.
    #[serde(default, rename = "decision")]
    pub decisions: Vec<SignedStatement>,
}
