//! A plan: everything that a command would do, as a value. What `vrel plan` prints, what `vrel cut-rc` asks about, what
//! the journal starts with and what applying it follows. Making one needs no key, token or network.

use crate::canonical::canonical_json;
use crate::freeze::FreezeException;
use crate::{
    Arch, ArtifactKind, ArtifactName, ByteSize, ChannelName, Edition, KeyRole, LaggingArch, Line, Packer,
    Sha256Digest, UtcTime, Version,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Everything that cutting a release would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this format: 1.
    pub schema: u32,
    /// The command, for example `cut-rc`.
    pub command: String,
    /// The product's name for people.
    pub product_name: String,
    /// The product's id.
    pub product: String,
    /// The release.
    pub version: Version,
    /// The channel that it is published to.
    pub channel: ChannelName,
    /// The commit that it is built from, 40 hexadecimal digits.
    pub commit: String,
    /// The commit's time, in seconds since 1970: the time inside every archive and file system.
    pub source_date_epoch: i64,
    /// When the plan was made: the time in every document and signature of the release.
    pub created: UtcTime,
    /// The release before it (by version, not by topology), or none.
    pub previous: Option<Version>,
    /// The name of the git remote that refs are pushed to.
    pub remote: String,
    /// The origin, as the configuration names it.
    pub origin: String,
    /// The staging origin, likewise; `None` where the release is not staged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staging: Option<String>,
    /// The role of the key that signs artifacts and manifests.
    pub key_role: KeyRole,
    /// The role of the key that signs the pointer.
    pub pointer_role: KeyRole,
    /// Git refs, in the order in which they change.
    pub refs: Vec<PlannedRef>,
    /// The artifacts, sorted by name.
    pub artifacts: Vec<PlannedArtifact>,
    /// The documents that speak of them, sorted by name; none in plans of tools that did not know them.
    #[serde(default)]
    pub documents: Vec<PlannedDocument>,
    /// The architectures that the release is published without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lagging: Vec<LaggingArch>,
    /// What the plan adds to, where it adds architectures to a published release; `artifacts` and `documents` are then what
    /// is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill: Option<PlannedBackfill>,
    /// The candidate that the final release is made of; `None` for anything but a final release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<PlannedCandidate>,
    /// What is new since the candidate before, oldest first; empty for anything but a later candidate of a series.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub news: Vec<PlannedNews>,
    /// What may land on the line's branch although it is or was frozen for this release; shown to who releases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<FreezeException>,
    /// The objects that appear in the origin, in publishing order; the pointer is not among them.
    pub objects: Vec<PlannedObject>,
    /// How the pointer moves.
    pub pointer: PlannedPointer,
    /// Texts written for people to send.
    pub messages: Vec<PlannedMessage>,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
}

/// What architectures are added to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedBackfill {
    /// The edition that is made.
    pub edition: Edition,
    /// The architectures that are added.
    pub arches: Vec<Arch>,
    /// SHA-256 of the manifest of the edition before.
    pub manifest_sha256: Sha256Digest,
    /// SHA-256 of what the compiler of the release says of itself.
    pub toolchain: Sha256Digest,
}

/// The accepted candidate of a final release: the final differs from it only where the version stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCandidate {
    /// Its version.
    pub version: Version,
    /// SHA-256 of its newest public manifest.
    pub manifest_sha256: Sha256Digest,
}

/// A commit that is new since the candidate before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedNews {
    /// Its id, 40 hexadecimal digits.
    pub commit: String,
    /// The first line of its message.
    pub subject: String,
}

/// A change to one git ref.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedRef {
    /// The full name, for example `refs/tags/v0.6.0-rc1`.
    pub name: String,
    /// What happens to it.
    pub change: RefChange,
    /// Whether it is pushed to the remote.
    pub push: bool,
}

/// What happens to a ref.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefChange {
    /// A branch is made at this commit.
    CreateBranch(String),
    /// The branch is there; its tip is this commit and stays.
    Keep(String),
    /// An annotated tag is made on this commit.
    CreateTag(String),
    /// A commit with this subject is added on top.
    Commit(String),
}

/// An artifact to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedArtifact {
    /// File name.
    pub name: ArtifactName,
    /// What it is.
    pub kind: ArtifactKind,
    /// What makes it.
    pub packer: Packer,
    /// For which architecture, or none.
    pub arch: Option<Arch>,
    /// The artifact that it is converted from.
    pub from: Option<ArtifactName>,
    /// One line for people.
    pub description: String,
    /// The largest size allowed.
    pub max_size: ByteSize,
    /// By how many percent it may have grown since the release before.
    pub max_growth: Option<u32>,
    /// The media from which it must boot.
    pub boot: Vec<String>,
    /// What was chosen of what the packer offers, an object.
    pub options: serde_json::Value,
}

/// A document to write when the artifacts are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDocument {
    /// File name.
    pub name: ArtifactName,
    /// What it is.
    pub kind: ArtifactKind,
    /// What makes it.
    pub packer: Packer,
    /// Which of its packer's formats it has; empty when there is just one.
    pub format: String,
    /// One line for people.
    pub description: String,
    /// The largest size allowed.
    pub max_size: ByteSize,
}

/// An object to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedObject {
    /// Path in the origin, with `/`.
    pub path: String,
    /// What it is, in a few words.
    pub what: String,
}

/// How the pointer moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPointer {
    /// Version of the pointer that is there; `None` when the origin is new.
    pub from: Option<u64>,
    /// Version of the pointer that replaces it.
    pub to: u64,
    /// The release whose place this one takes: the channel's head, or the newest of its line where that is an older one.
    pub head_before: Option<Version>,
    /// Whether it becomes the newest release of an older line, and leaves the channel's head what it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub older_line: bool,
    /// From when the new pointer must not be trusted.
    pub expires: UtcTime,
}

/// A message for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMessage {
    /// Where the draft is written, relative to the repository.
    pub path: String,
    /// What it is.
    pub what: String,
}

/// One step of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Its name, for example `push-tag`.
    pub name: String,
    /// What it does, for people.
    pub summary: String,
    /// Whether `vrel undo` can take it back.
    pub reversible: bool,
}

impl Plan {
    /// The line that the release is on.
    #[must_use]
    pub fn line(&self) -> Line {
        self.version.line()
    }

    /// The edition of the release that is made.
    #[must_use]
    pub fn edition(&self) -> Edition {
        self.backfill
            .as_ref()
            .map_or(Edition::FIRST, |backfill| backfill.edition)
    }

    /// The release's directory in the origin, without a slash at the end.
    #[must_use]
    pub fn release_dir(&self) -> String {
        format!("releases/{}", self.version)
    }

    /// SHA-256 of what people approve when they approve the plan: canonical JSON of all of it but what depends on the
    /// moment (times, the pointer's counters) or follows from the rest (refs, objects, messages, steps).
    ///
    /// # Errors
    /// Never for a value of this type; the signature follows `serde_json`.
    pub fn approval_digest(&self) -> Result<Sha256Digest, serde_json::Error> {
        let mut value = serde_json::to_value(self)?;
        if let Some(fields) = value.as_object_mut() {
            for moment in [
                "created", "pointer", "refs", "objects", "messages", "steps", "lagging",
            ] {
                fields.remove(moment);
            }
            let without: Vec<&str> = self.lagging.iter().map(|late| late.arch.as_str()).collect();
            fields.insert("without".to_owned(), without.into());
        }
        let digest = Sha256::digest(canonical_json(&value).as_bytes());
        Ok(Sha256Digest::new(digest.into()))
    }

    /// The text that a correctly booted system prints of itself.
    #[must_use]
    pub fn identity(&self, arch: Arch) -> String {
        format!("{} {} ({}) {arch}", self.product_name, self.version, self.commit)
    }
}
