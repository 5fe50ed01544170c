//! The release manifest: everything that belongs to one release, by digest.

use crate::{
    Arch, ArtifactKind, ArtifactName, Blake2bDigest, ChannelName, LaggingArch, Sha256Digest, UtcTime, Version,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `manifest.json` of a release. Readers ignore fields that they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub schema: u32,
    /// The product's name for people.
    pub product_name: String,
    /// The product's id, as in file names and signatures.
    pub product: String,
    /// The release.
    pub version: Version,
    /// The channel that it was cut for.
    pub channel: ChannelName,
    /// The git commit that it was built from, 40 hexadecimal digits.
    #[schemars(extend("pattern" = "^[0-9a-f]{40}$"))]
    pub commit: String,
    /// The git tag that names the commit; a nightly has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// When the release was cut.
    pub created: UtcTime,
    /// The time that stands in archives and file systems: the commit's, in seconds since 1970.
    pub source_date_epoch: i64,
    /// SHA-256 of what the compiler says of itself (`rustc -vV`).
    pub toolchain: Sha256Digest,
    /// The release before it, or none.
    pub previous: Option<Version>,
    /// The artifacts, sorted by name.
    pub artifacts: Vec<ManifestArtifact>,
    /// The documents, sorted by name: release notes, announcement.
    pub documents: Vec<ManifestDocument>,
    /// Which system was seen to boot from which artifact.
    pub boots: Vec<BootRecord>,
    /// The architectures that the release does not have yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lagging: Vec<LaggingArch>,
}

/// One artifact of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManifestArtifact {
    /// File name, in the release's directory.
    pub name: ArtifactName,
    /// What it is.
    pub kind: ArtifactKind,
    /// For which architecture, or none.
    pub arch: Option<Arch>,
    /// Length in bytes.
    pub length: u64,
    /// SHA-256.
    pub sha256: Sha256Digest,
    /// BLAKE2b-512, which is what its minisign signature signs.
    pub blake2b: Blake2bDigest,
}

/// One document of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManifestDocument {
    /// File name, in the release's directory.
    pub name: ArtifactName,
    /// Length in bytes.
    pub length: u64,
    /// SHA-256.
    pub sha256: Sha256Digest,
}

/// The evidence of one boot test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BootRecord {
    /// The artifact that was booted.
    pub artifact: ArtifactName,
    /// How, for example `iso` or `usb`.
    pub medium: String,
    /// The machine (`os/machines`), for example `qemu-q35`.
    pub machine: String,
    /// The line by which the running system named itself.
    pub identity: String,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// When it is not JSON of this shape or its format is not 1.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        use serde::de::Error as _;
        let manifest: Self = serde_json::from_slice(bytes)?;
        if manifest.schema == 1 {
            Ok(manifest)
        } else {
            Err(serde_json::Error::custom(format!(
                "manifest schema {}, expected 1",
                manifest.schema
            )))
        }
    }

    /// The file's bytes: indented JSON, so that a person can read it and a diff is small.
    ///
    /// # Errors
    /// Never for a value of this type; the signature follows `serde_json`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The lines of `SHA256SUMS`, in the form of `sha256sum --check`, sorted by name.
    #[must_use]
    pub fn sha256sums(&self) -> String {
        let mut artifacts: Vec<_> = self.artifacts.iter().collect();
        artifacts.sort_by(|a, b| a.name.cmp(&b.name));
        artifacts
            .iter()
            .map(|artifact| format!("{}  {}\n", artifact.sha256, artifact.name))
            .collect()
    }
}
