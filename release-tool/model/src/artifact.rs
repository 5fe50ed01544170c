//! What a release consists of: `artifacts/*.toml`, one file per kind.

use crate::{Arch, ChannelName, Pattern};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What an artifact is, which is the name of its file in `artifacts/`: lower-case letters, digits and hyphens, starting
/// with a letter, at most 32 bytes, for example `iso`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactKind(String);

/// Why a text is not an artifact's kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an artifact's kind: lower-case letters, digits and hyphens, for example `iso`", .0.escape_debug())]
pub struct ArtifactKindError(pub String);

impl ArtifactKind {
    /// The kind's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ArtifactKind {
    type Err = ArtifactKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if crate::channel::is_identifier(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ArtifactKindError(text.to_owned()))
        }
    }
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for ArtifactKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ArtifactKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What makes an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packer {
    /// The kernel as an ELF file, stamped with its identity, without debugging information.
    Kernel,
    /// The kernel as a flat image, as it lies in memory.
    KernelFlat,
    /// The initial RAM disk, a ustar archive.
    Initrd,
    /// A hybrid ISO 9660 image that boots as a CD and as a USB stick, and installs.
    Iso,
    /// A raw GPT disk image with an EFI system partition.
    Disk,
    /// A raw disk as a QEMU copy-on-write image, version 3.
    Qcow2,
    /// A raw disk as a VirtualBox disk image.
    Vdi,
    /// A raw disk as a fixed virtual hard disk, which Azure imports.
    Vhd,
    /// A raw disk as a stream-optimised VMDK, which AWS and VMware import.
    Vmdk,
    /// A virtual machine for VirtualBox: a stream-optimised VMDK with its description.
    Ova,
    /// A raw disk of whole GiB in a sparse tar archive, which Google Cloud imports.
    Gcp,
    /// The documents with which AWS imports a disk.
    AwsImport,
    /// A container image for all architectures, as an OCI archive.
    Oci,
    /// The tagged source tree, `tar.zst`.
    Source,
    /// The sources of every crate that the lock files name, `tar.zst`.
    Vendor,
    /// Debugging information found by build id, `tar.zst`.
    Symbols,
    /// Manual pages of the tool and of the system's programs, `tar.zst`.
    ManPages,
    /// The reference of the system's public libraries and system calls, `tar.zst`.
    ApiDocs,
    /// The release notes.
    ReleaseNotes,
    /// The installation guide.
    InstallationGuide,
    /// The upgrade guide.
    UpgradeGuide,
    /// The JSON Schema of the release manifest.
    ManifestSchema,
    /// The software bill of materials in CycloneDX's form.
    #[serde(rename = "cyclonedx")]
    CycloneDx,
    /// The software bill of materials in SPDX's form.
    Spdx,
    /// The provenance: a signed in-toto statement with a SLSA predicate.
    Provenance,
}

/// When and for what a [`Packer`] works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackerScope {
    /// An artifact of one architecture.
    Arch,
    /// An artifact for all architectures.
    Portable,
    /// A document that speaks of the artifacts, made when they are there.
    Document,
}

impl Packer {
    /// When and for what it works.
    #[must_use]
    pub fn scope(self) -> PackerScope {
        match self {
            Self::Kernel
            | Self::KernelFlat
            | Self::Initrd
            | Self::Iso
            | Self::Disk
            | Self::Qcow2
            | Self::Vdi
            | Self::Vhd
            | Self::Vmdk
            | Self::Ova
            | Self::Gcp
            | Self::AwsImport
            | Self::Symbols => PackerScope::Arch,
            Self::Oci | Self::Source | Self::Vendor | Self::ManPages | Self::ApiDocs => PackerScope::Portable,
            Self::ReleaseNotes
            | Self::InstallationGuide
            | Self::UpgradeGuide
            | Self::ManifestSchema
            | Self::CycloneDx
            | Self::Spdx
            | Self::Provenance => PackerScope::Document,
        }
    }

    /// What it converts: the packers whose artifact it can be made `from`; empty when it takes what was compiled.
    #[must_use]
    pub fn converts(self) -> &'static [Self] {
        match self {
            Self::Qcow2 | Self::Vdi | Self::Vhd | Self::Vmdk | Self::Ova => &[Self::Disk],
            Self::AwsImport => &[Self::Disk, Self::Vmdk, Self::Vhd],
            _ => &[],
        }
    }

    /// Whether its one file holds what is compiled for every architecture, so that it has to wait for the last of them.
    #[must_use]
    pub fn needs_every_arch(self) -> bool {
        self == Self::Oci
    }

    /// Whether its document is written for what is added to a published release, too: whoever gets an added file needs to
    /// know its checksum, what is in it and where it comes from. What the other documents say does not depend on it.
    #[must_use]
    pub fn tells_of_additions(self) -> bool {
        matches!(
            self,
            Self::ReleaseNotes | Self::CycloneDx | Self::Spdx | Self::Provenance
        )
    }

    /// Whether its documents come in several formats, so that their `name` uses `{format}`.
    #[must_use]
    pub fn formats(self) -> &'static [&'static str] {
        match self {
            Self::ReleaseNotes | Self::InstallationGuide | Self::UpgradeGuide => &["md", "html", "txt"],
            _ => &[],
        }
    }
}

impl fmt::Display for Packer {
    /// As policy files write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => f.pad(&name),
            _ => Err(fmt::Error),
        }
    }
}

/// One file of `artifacts/`: what the artifact is made of, for which architectures and channels, how it is tested, how
/// big it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ArtifactPolicy {
    /// What makes it.
    pub packer: Packer,
    /// One line for people, shown in the notes' download table.
    pub description: String,
    /// The published file's name. Uses `{arch}` exactly when `arches` is not empty, and `{format}` exactly when the packer
    /// makes several formats.
    pub name: Pattern,
    /// For which architectures it is made; empty when it has none, like a source tarball.
    #[serde(default)]
    pub arches: Vec<Arch>,
    /// The channels whose releases carry it.
    pub channels: Vec<ChannelName>,
    /// The artifact that it is converted from, of the same architecture.
    pub from: Option<ArtifactKind>,
    /// The release fails when the artifact is larger.
    pub max_size: ByteSize,
    /// The release fails when the artifact has grown by more than so many percent since the release before.
    pub max_growth: Option<u32>,
    /// The media of `os/machines/*.toml` from which the artifact must boot before it is published. `x86_64:bios` is a
    /// medium for one architecture only.
    #[serde(default)]
    pub boot: Vec<BootMedium>,
    /// What the packer lets one choose.
    #[serde(default)]
    pub options: serde_json::Map<String, serde_json::Value>,
}

/// A medium to boot from, on all architectures (`disk`) or on one (`x86_64:bios`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootMedium {
    /// The architecture; `None` for all.
    pub arch: Option<Arch>,
    /// The medium's name in `os/machines/*.toml`.
    pub medium: String,
}

impl FromStr for BootMedium {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (arch, medium) = match text.split_once(':') {
            Some((arch, medium)) => (
                Some(arch.parse::<Arch>().map_err(|error| error.to_string())?),
                medium,
            ),
            None => (None, text),
        };
        if !crate::channel::is_identifier(medium) {
            let expected = "expected a medium of os/machines, such as `disk`, or one for an architecture, such as `x86_64:bios`";
            return Err(format!("`{text}`: {expected}"));
        }
        Ok(Self {
            arch,
            medium: medium.to_owned(),
        })
    }
}

impl fmt::Display for BootMedium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.arch {
            Some(arch) => write!(f, "{arch}:{}", self.medium),
            None => f.write_str(&self.medium),
        }
    }
}

impl Serialize for BootMedium {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BootMedium {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A number of bytes, written as `512 KiB`, `64 MiB` or `2 GiB`, or as plain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

const UNITS: [(&str, u64); 3] = [(" GiB", 1 << 30), (" MiB", 1 << 20), (" KiB", 1 << 10)];

impl fmt::Display for ByteSize {
    /// Prints the largest unit that keeps the number at 1 or above, with one decimal where it is not whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match UNITS.into_iter().find(|(_, unit)| self.0 >= *unit) {
            None => format!("{} B", self.0),
            Some((name, unit)) if self.0.is_multiple_of(unit) => format!("{}{name}", self.0 / unit),
            Some((name, unit)) => {
                let tenths = u128::from(self.0) * 10 / u128::from(unit);
                format!("{}.{}{name}", tenths / 10, tenths % 10)
            }
        };
        f.pad(&text)
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || format!("`{text}` is not a size; expected for example `64 MiB`, `512 KiB` or `4096`");
        let (digits, unit) = UNITS
            .into_iter()
            .find_map(|(name, unit)| text.strip_suffix(name).map(|digits| (digits, unit)))
            .unwrap_or((text, 1));
        let number: u64 = digits.parse().map_err(|_| error())?;
        number.checked_mul(unit).map(Self).ok_or_else(error)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// The file name of something published: ASCII letters, digits and `. _ + -`, not starting with a dot or a hyphen, at
/// most 128 bytes. Such a name is safe as a path segment, in a URL, in `SHA256SUMS` and in a minisign comment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactName(String);

/// Why a text is not a published file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a publishable file name: 1 to 128 ASCII letters, digits, `.`, `_`, `+`, `-`, not starting with `.` or `-`",
    .0.escape_debug()
)]
pub struct ArtifactNameError(pub String);

impl ArtifactName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ArtifactName {
    type Err = ArtifactNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
        let good =
            (1..=128).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with(['.', '-']);
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(ArtifactNameError(text.to_owned()))
        }
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for ArtifactName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ArtifactName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_print() {
        for (text, bytes) in [
            ("64 MiB", 64 << 20),
            ("512 KiB", 512 << 10),
            ("2 GiB", 2 << 30),
            ("7 B", 7),
        ] {
            assert_eq!(ByteSize(bytes).to_string(), text);
            if !text.ends_with(" B") {
                assert_eq!(text.parse(), Ok(ByteSize(bytes)));
            }
        }
        assert_eq!(ByteSize(1_600_000).to_string(), "1.5 MiB");
        for bad in ["", "64MB", "-1", "1.5 MiB", "99999999999 GiB"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_that_could_escape_a_directory_or_a_line_are_refused() {
        assert!("veridianos-0.6.0-rc1-x86_64.iso".parse::<ArtifactName>().is_ok());
        for bad in [
            "",
            "..",
            ".hidden",
            "-rf",
            "a/b",
            "a\\b",
            "a b",
            "a\nb",
            "a\0b",
            "ä",
            &"x".repeat(129),
        ] {
            assert!(bad.parse::<ArtifactName>().is_err(), "{bad:?}");
        }
    }
}
