//! What the records keep of moves of the pointer, under `releases/VERSION/`: `promotions.toml` of the release that was
//! promoted, `rollbacks.toml` of the release that a channel went back from, `dud.toml` of a dud.

use crate::{ChannelName, Dud, PersonId, Reason, UtcTime, Version};
use serde::{Deserialize, Serialize};

/// `promotions.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotions {
    /// Every promotion of the release, oldest first.
    #[serde(default, rename = "promotion")]
    pub promotions: Vec<Promotion>,
}

/// That a release became the head of another channel than the one it was made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Promotion {
    /// The channel that it was in.
    pub from: ChannelName,
    /// The channel that it entered.
    pub to: ChannelName,
    /// Who, `Name <mail>`.
    pub by: String,
    /// Who approved it with a signature; files of `signing/people`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved_by: Vec<PersonId>,
    /// When.
    pub at: UtcTime,
    /// The version of the pointer that says so.
    pub pointer: u64,
}

/// `rollbacks.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollbacks {
    /// Every time that a channel went back from the release, oldest first.
    #[serde(default, rename = "rollback")]
    pub rollbacks: Vec<RecordedRollback>,
}

/// That a channel went back to an older release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RecordedRollback {
    /// The channel.
    pub channel: ChannelName,
    /// The release that it went back to.
    pub to: Version,
    /// Why.
    pub reason: Reason,
    /// Who, `Name <mail>`.
    pub by: String,
    /// When.
    pub at: UtcTime,
    /// The version of the pointer that says so.
    pub pointer: u64,
}

/// `dud.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DudRecord {
    /// Who declared it, `Name <mail>`.
    pub by: String,
    /// The version of the pointer that says so.
    pub pointer: u64,
    /// Why, and since when.
    #[serde(flatten)]
    pub dud: Dud,
}
