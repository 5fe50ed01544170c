//! `releases/VERSION/record.toml` of the records: what a release was, in one file.

use crate::freeze::FreezeException;
use crate::{ChannelName, GateId, PersonId, Sha256Digest, UtcTime, Version};
use serde::{Deserialize, Serialize};

/// The record of a release, written when it is public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReleaseRecord {
    /// Version of this format: 1.
    pub schema: u32,
    /// The product's id.
    pub product: String,
    /// The release.
    pub version: Version,
    /// The channel that it was published to.
    pub channel: ChannelName,
    /// The command that made it.
    pub command: String,
    /// Its commit, 40 hexadecimal digits.
    pub commit: String,
    /// When its plan was made.
    pub planned: UtcTime,
    /// When the record was written.
    pub recorded: UtcTime,
    /// Who released it, `Name <mail>`.
    pub by: String,
    /// SHA-256 of its manifest.
    pub manifest_sha256: Sha256Digest,
    /// [`crate::Plan::approval_digest`] of the plan that was followed.
    pub plan_sha256: Sha256Digest,
    /// The journal up to the record.
    pub journal: RecordedJournal,
    /// Who approved the plan.
    #[serde(default)]
    pub approved_by: Vec<PersonId>,
    /// How many approvals the channel asked for.
    #[serde(default)]
    pub approvals_needed: usize,
    /// How each gate of the channel stood.
    #[serde(default, rename = "gate", skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<RecordedGate>,
    /// The evidence of its commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<RecordedEvidence>,
    /// What could land on the line's branch although it was frozen.
    #[serde(default, rename = "exception", skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<FreezeException>,
}

/// The beginning of a journal, which its digest fixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RecordedJournal {
    /// How many lines.
    pub lines: usize,
    /// SHA-256 of these lines with their ends.
    pub sha256: Sha256Digest,
}

/// How a gate stood when the release was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RecordedGate {
    /// The gate.
    pub gate: GateId,
    /// What it asked.
    pub title: String,
    /// How it stood, as `vrel gates --json` says it: `pass`, `waived`.
    pub state: String,
    /// Why, with who and when where a person decided.
    pub detail: String,
}

/// Evidence that there was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RecordedEvidence {
    /// The gate.
    pub gate: GateId,
    /// The release that it was found for: this one, or a candidate of the same commit.
    pub version: Version,
    /// When.
    pub at: UtcTime,
    /// SHA-256 of the file.
    pub sha256: Sha256Digest,
}

impl ReleaseRecord {
    /// The gates that were waived.
    pub fn waived(&self) -> impl Iterator<Item = &RecordedGate> {
        self.gates.iter().filter(|gate| gate.state == "waived")
    }
}
