//! `vrel.toml`, the file that names the product and where its parts are.

use crate::freeze::FreezeConfig;
use crate::{
    Arch, ArtifactKind, BranchName, ByteSize, ChannelName, CiConfig, ForgeConfig, Pattern, Stage, Tier,
    Version,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The whole file. Paths are relative to the repository's root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// What is released.
    pub product: ProductConfig,
    /// Branches, tags and remotes.
    pub git: GitConfig,
    /// Where releases are published.
    pub publish: PublishConfig,
    /// What is built.
    pub os: OsConfig,
    /// What it is built with.
    pub toolchain: ToolchainConfig,
    /// The living plan.
    pub plan: PlanConfig,
    /// What a backport has to pass before it lands.
    #[serde(default)]
    pub backport: BackportConfig,
    /// `[freeze]`: what may land on a frozen branch.
    #[serde(default)]
    pub freeze: FreezeConfig,
    /// `[tiers]`: how firmly each architecture is promised.
    #[serde(default)]
    pub tiers: BTreeMap<Arch, Tier>,
    /// `[ci]`: what runs by itself.
    #[serde(default)]
    pub ci: CiConfig,
    /// `[forge]`: the service that hosts the repository; `None` where none is asked.
    #[serde(default)]
    pub forge: Option<ForgeConfig>,
}

impl Config {
    /// The tier of an architecture: the first when the file does not say.
    #[must_use]
    pub fn tier(&self, arch: Arch) -> Tier {
        self.tiers.get(&arch).copied().unwrap_or(Tier::One)
    }
}

/// `[backport]`: what a new commit has to pass on a line before it lands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BackportConfig {
    /// The artifacts that are built of it, for every architecture.
    pub build: Vec<ArtifactKind>,
    /// The programs that are run in its files, each with its arguments.
    pub check: Vec<Vec<String>>,
}

impl Default for BackportConfig {
    fn default() -> Self {
        let tests = "cargo test --locked --manifest-path os/Cargo.toml --package abi --package boot --package bootinfo \
                     --package kcore";
        Self {
            build: ["kernel", "initrd"]
                .iter()
                .flat_map(|kind| kind.parse())
                .collect(),
            check: vec![tests.split_whitespace().map(str::to_owned).collect()],
        }
    }
}

/// `[product]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProductConfig {
    /// The name for people, which the booted system prints too.
    pub name: String,
    /// The name in file names and signatures: lower-case letters, digits and hyphens.
    pub id: ChannelName,
}

/// `[git]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GitConfig {
    /// The remote that branches and tags are pushed to.
    pub remote: String,
    /// The development branch, which holds the living plan.
    pub main: String,
    /// The release branches' name; uses `{line}`.
    pub release_branch: Pattern,
    /// The branch of what people decided: freezes, backports, release records. It has a history of its own.
    #[serde(default = "default_records_branch")]
    pub records_branch: BranchName,
    /// Where the repository is for the public, an address; guides, bills of materials and provenance name it.
    pub public_url: Option<String>,
    /// Where issue numbers lead, for links in the notes; `{number}` is not a placeholder here: the number is appended.
    pub issue_url: Option<String>,
}

fn default_records_branch() -> BranchName {
    "records".parse().unwrap_or_else(|_| unreachable!())
}

/// `[publish]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PublishConfig {
    /// The origin: a directory.
    pub origin: PathBuf,
    /// The origin that a release goes to first, for tests of what will be published: a directory. `None`: releases are not
    /// staged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staging: Option<PathBuf>,
    /// The channel that release candidates go to.
    pub candidate_channel: ChannelName,
    /// The channel that nightlies go to.
    #[serde(default = "default_nightly_channel")]
    pub nightly_channel: ChannelName,
    /// The channel that final releases go to.
    #[serde(default = "default_final_channel")]
    pub final_channel: ChannelName,
    /// The channel that final releases of long-term support lines go to.
    #[serde(default = "default_lts_channel")]
    pub lts_channel: ChannelName,
    /// How long a pointer may be trusted after it was issued, in days.
    pub pointer_lifetime_days: u32,
    /// Who builds: a URI that provenance names. A release that a person builds and one that hosted CI builds have
    /// different ones.
    #[serde(default = "default_builder")]
    pub builder: String,
    /// Where readers fetch the origin from, for links in notes and announcements.
    pub public_url: String,
}

impl PublishConfig {
    /// The channel that versions of this stage go to, unless their line has long-term support.
    #[must_use]
    pub fn channel_of(&self, version: &Version) -> &ChannelName {
        match version.stage() {
            Stage::Nightly { .. } => &self.nightly_channel,
            Stage::Candidate { .. } => &self.candidate_channel,
            Stage::Final => &self.final_channel,
        }
    }
}

fn default_nightly_channel() -> ChannelName {
    ChannelName::nightly()
}

fn default_final_channel() -> ChannelName {
    ChannelName::stable()
}

/// The figures are numbers of instructions, which hardly differ from one boot to the next.
const fn default_max_slowdown() -> u32 {
    5
}

fn default_lts_channel() -> ChannelName {
    ChannelName::lts()
}

fn default_builder() -> String {
    "https://github.com/veridianos/veridianos/blob/main/docs/src/file-formats/provenance.md#by-hand"
        .to_owned()
}

/// `[os]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OsConfig {
    /// The operating system's source directory.
    pub source: PathBuf,
    /// The image description that is released, a file in its `images` directory without `.toml`.
    pub image: String,
    /// Size of the EFI system partition.
    pub esp_size: ByteSize,
    /// By how many percent a figure of the system's speed may be worse than in the release before.
    #[serde(default = "default_max_slowdown")]
    pub max_slowdown: u32,
}

/// `[toolchain]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ToolchainConfig {
    /// The oldest Rust version that builds the system, for example `1.95`.
    pub rust: String,
    /// zstd level of compressed artifacts, 1 to 19.
    pub zstd_level: i32,
    /// zstd worker threads; part of the compressed bytes, so it is policy and not taken from the machine.
    pub zstd_workers: u32,
}

/// `[plan]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlanConfig {
    /// The living plan.
    pub file: PathBuf,
    /// Whether the commit that updates it is pushed; otherwise it waits on the local branch for a person.
    pub push: bool,
}
