//! Release channels: `channels/*.toml`, one file per channel, whose name is the file's.

use crate::{GateId, KeyRole, PersonRole, Stage, SupportPolicy, Version};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A channel's name: lower-case ASCII letters, digits and hyphens, starting with a letter, at most 32 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelName(String);

/// Why a text is not a channel's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a channel name: lower-case letters, digits and hyphens, for example `beta`", .0.escape_debug())]
pub struct ChannelNameError(pub String);

impl ChannelName {
    /// The channel that nightlies go to where nothing else is said.
    #[must_use]
    pub fn nightly() -> Self {
        Self("nightly".to_owned())
    }

    /// The channel that final releases go to where nothing else is said.
    #[must_use]
    pub fn stable() -> Self {
        Self("stable".to_owned())
    }

    /// The channel that final releases of long-term support lines go to where nothing else is said.
    #[must_use]
    pub fn lts() -> Self {
        Self("lts".to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text is a short lower-case identifier: what channel and role names are.
pub(crate) fn is_identifier(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= 32 && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(plain)
}

impl FromStr for ChannelName {
    type Err = ChannelNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_identifier(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ChannelNameError(text.to_owned()))
        }
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for ChannelName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ChannelName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Which kind of version a channel takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageName {
    /// `X.Y.Z-nightly.YYYYMMDD`.
    Nightly,
    /// `X.Y.Z-rcN`.
    Candidate,
    /// `X.Y.Z`.
    Final,
}

/// One file of `channels/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChannelPolicy {
    /// For whom the channel is, in one line.
    pub description: String,
    /// What may enter it.
    pub stages: Vec<StageName>,
    /// The channels out of which a release may be promoted into this one; none where this is not said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<ChannelName>,
    /// The role of the key that signs its artifacts and manifests.
    pub key_role: KeyRole,
    /// Whether a release is built a second time in other surroundings, and published only if every byte is the same.
    #[serde(default)]
    pub double_build: bool,
    /// For how many days a release may lack its architectures of tier 2; 0 when it must have them from the start.
    #[serde(default, rename = "tier-2-lag-days")]
    pub tier_2_lag_days: u32,
    /// How many of the newest releases are kept at least; all where this is not said. Read for nightlies.
    #[serde(default)]
    pub keep_last: Option<u32>,
    /// For how many days a release is kept at least, whatever `keep_last` says. Read for nightlies.
    #[serde(default)]
    pub keep_days: u32,
    /// After how many hours without a new release the channel is stale; never where this is not said.
    #[serde(default)]
    pub stale_after_hours: Option<u32>,
    /// After how many days the next release is due while one is prepared or built every day; `None` when nothing says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cadence_days: Option<u32>,
    /// For how many days a candidate is tested before the final release may come; `None` when nothing says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak_days: Option<u32>,
    /// The gates that must be met before a release enters, files of `gates/`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<GateId>,
    /// How many people have to approve a release's plan.
    #[serde(default)]
    pub approvals: usize,
    /// The roles of those who may approve; of no meaning while `approvals` is 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<PersonRole>,
    /// What is promised of long-term support; of the channel `lts` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support: Option<SupportPolicy>,
}

impl ChannelPolicy {
    /// Whether a release must meet gates or be approved before it enters.
    #[must_use]
    pub fn asks(&self) -> bool {
        !self.gates.is_empty() || self.approvals > 0
    }

    /// Whether a version of this stage may enter the channel.
    #[must_use]
    pub fn admits(&self, version: &Version) -> bool {
        let stage = match version.stage() {
            Stage::Nightly { .. } => StageName::Nightly,
            Stage::Candidate { .. } => StageName::Candidate,
            Stage::Final => StageName::Final,
        };
        self.stages.contains(&stage)
    }
}
