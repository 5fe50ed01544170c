//! `releases/VERSION/evidence/GATE.json` of the records: what a machine found out about a gate.

use super::GateId;
use crate::{Sha256Digest, UtcTime, Version};
use serde::{Deserialize, Serialize};

/// What a machine found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceOutcome {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// The machine lacks what it takes to find out.
    NotAvailable,
}

/// A log that the machine kept, compressed, under its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptLog {
    /// SHA-256 of what was printed.
    pub sha256: Sha256Digest,
    /// Its length in bytes.
    pub length: u64,
}

/// What a machine found out about a gate, of one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Version of this format: 1.
    pub schema: u32,
    /// The gate.
    pub gate: GateId,
    /// The release that it was found for.
    pub version: Version,
    /// The commit that it is about, 40 hexadecimal digits.
    pub commit: String,
    /// What was found.
    pub outcome: EvidenceOutcome,
    /// That in one line.
    pub summary: String,
    /// When.
    pub at: UtcTime,
    /// Who ran it or handed it in, `Name <mail>`.
    pub by: String,
    /// What the tools said of their versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// SHA-256 of the report or manifest that it was decided from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Sha256Digest>,
    /// What was printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<KeptLog>,
}

impl Evidence {
    /// Reads evidence.
    ///
    /// # Errors
    /// When it is not JSON of this shape or its format is not 1.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        use serde::de::Error as _;
        let evidence: Self = serde_json::from_slice(bytes)?;
        if evidence.schema == 1 {
            Ok(evidence)
        } else {
            Err(serde_json::Error::custom(format!(
                "evidence schema {}, expected 1",
                evidence.schema
            )))
        }
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// Never for a value of this type; the signature follows `serde_json`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
