//! What a release consists of: `artifacts/*.toml`, one file per kind.

use crate::{Arch, ChannelName, Pattern};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The packers that exist; an artifact policy names the one that makes its artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArtifactKind {
    /// The kernel as an ELF file, stamped with its identity.
    Kernel,
    /// The initial RAM disk, a ustar archive.
    Initrd,
    /// A hybrid ISO 9660 image: UEFI CD and UEFI USB stick.
    Iso,
    /// A raw GPT disk image with an EFI system partition.
    Disk,
    /// The tagged source tree, `tar.zst`.
    Source,
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kernel => "kernel",
            Self::Initrd => "initrd",
            Self::Iso => "iso",
            Self::Disk => "disk",
            Self::Source => "source",
        })
    }
}

/// One file of `artifacts/`: what the artifact is, for which architectures and channels, how it is tested, how big it
/// may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ArtifactPolicy {
    /// The packer.
    pub kind: ArtifactKind,
    /// One line for people, shown in the notes' download table.
    pub description: String,
    /// The published file's name. Uses `{arch}` exactly when `arches` is not empty.
    pub name: Pattern,
    /// For which architectures it is made; empty when it has none, like a source tarball.
    #[serde(default)]
    pub arches: Vec<Arch>,
    /// The channels whose releases carry it.
    pub channels: Vec<ChannelName>,
    /// The release fails when the artifact is larger.
    pub max_size: ByteSize,
    /// The media of `os/machines/*.toml` from which the artifact must boot before it is published.
    #[serde(default)]
    pub boot: Vec<String>,
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
