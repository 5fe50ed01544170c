//! What was seen of a release in staging: the evidence that `vrel` keeps of it, and that gates read.

use crate::{Arch, ArtifactName, ChannelName, Sha256Digest, Version};
use serde::{Deserialize, Serialize};

/// The smoke tests of a release, in the file `smoke.json` of its work directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmokeReport {
    /// Version of this format: 1.
    pub schema: u32,
    /// The release.
    pub release: Version,
    /// SHA-256 of the manifest that lay in staging.
    pub manifest_sha256: Sha256Digest,
    /// The systems that came up, by architecture.
    pub boots: Vec<StagedBoot>,
    /// The disks that the release was installed on, by architecture.
    pub upgrades: Vec<UpgradeTest>,
    /// Figures beside those of the release before.
    pub benchmarks: Vec<Benchmark>,
}

/// An image that was fetched from staging, verified, and booted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedBoot {
    /// The architecture.
    pub arch: Arch,
    /// The image.
    pub artifact: ArtifactName,
    /// How it was booted, for example `disk`.
    pub medium: String,
    /// The machine (`os/machines`).
    pub machine: String,
    /// SHA-256 of the bytes that booted.
    pub sha256: Sha256Digest,
    /// The line by which the running system named itself.
    pub identity: String,
}

/// Whether the release installs over the one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeTest {
    /// The architecture.
    pub arch: Arch,
    /// The release that was on the disk; `None` when there is none.
    pub from: Option<Version>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: UpgradeOutcome,
}

/// What came of an upgrade test. One that fails ends the release and leaves no report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum UpgradeOutcome {
    /// The new installer replaced the old system, and the disk booted the new one.
    Ok {
        /// The installer, an artifact of the release.
        installer: ArtifactName,
        /// SHA-256 of the image of the old system that was on the disk.
        from_sha256: Sha256Digest,
        /// The line by which the upgraded system named itself.
        identity: String,
    },
    /// It was not tried.
    Skipped {
        /// Why not.
        why: String,
    },
}

/// A figure of the release, which is the same whenever it is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benchmark {
    /// What was measured, for example `size of disk`.
    pub name: String,
    /// The architecture, or none.
    pub arch: Option<Arch>,
    /// The figure.
    pub value: u64,
    /// Of what, for example `bytes`.
    pub unit: String,
    /// The same figure of the release before; `None` when it has none.
    pub baseline: Option<u64>,
    /// How it compares.
    pub verdict: Verdict,
}

/// How a figure compares with its baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As the policy allows.
    Within,
    /// Beyond what the policy allows; such a release does not leave staging.
    Exceeded,
    /// There is no release before to compare with.
    NoBaseline,
}

/// The rehearsal of a rollback, in the file `rehearsal.json` of the release's work directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// Version of this format: 1.
    pub schema: u32,
    /// The release.
    pub release: Version,
    /// SHA-256 of its manifest.
    pub manifest_sha256: Sha256Digest,
    /// The channel that was led back and forward.
    pub channel: ChannelName,
    /// The way there and back; `None` when the channel has no release to go back to.
    pub way_back: Option<WayBack>,
}

/// A rollback that was carried out and taken back again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayBack {
    /// The older release.
    pub to: Version,
    /// How many of its files had to be copied into staging.
    pub copied: usize,
    /// Version of staging's pointer that led back.
    pub back: u64,
    /// Version of staging's pointer that led forward again.
    pub forward: u64,
    /// How long moving the pointer and verifying the older release took, in milliseconds.
    pub milliseconds: u64,
}

impl SmokeReport {
    /// Reads `smoke.json`.
    ///
    /// # Errors
    /// When it is not JSON of this shape.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

impl Rehearsal {
    /// Reads `rehearsal.json`.
    ///
    /// # Errors
    /// When it is not JSON of this shape.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}
