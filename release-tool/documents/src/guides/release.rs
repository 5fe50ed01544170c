//! What the guides tell about a release.

use crate::DocumentError;
use crate::markdown::is_blank;
use serde::{Deserialize, Serialize};
use vrel_model::{Arch, ArtifactName, ChannelName, KeyId, KeyRole, Packer, Sha256Digest, UtcTime, Version};

/// A release, as its guides see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Release {
    /// The product's name, for example `VeridianOS`.
    pub product: String,
    /// The version.
    pub version: Version,
    /// When it was released.
    pub date: UtcTime,
    /// The channel that it was published to.
    pub channel: ChannelName,
    /// The address of the published tree, `http:` or `https:`, without a slash at the end.
    pub public_url: String,
    /// Where the source repository can be read, an address like `public_url`; where it cannot, the guides name none.
    pub repository: Option<String>,
    /// What the address of an issue starts with.
    pub issue_url: Option<String>,
    /// The role of the key that signs releases.
    pub key_role: KeyRole,
    /// The ids of that role's public keys.
    #[serde(default)]
    pub key_ids: Vec<KeyId>,
    /// What the guides ask for.
    #[serde(default)]
    pub tools: Vec<Tool>,
    /// What can be downloaded, in the order in which it is listed.
    #[serde(default)]
    pub files: Vec<GuideFile>,
}

/// A program that a guide asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// The oldest version that was tried.
    pub version: String,
    /// What it is for, in a few words.
    pub purpose: String,
}

/// A published file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GuideFile {
    /// Its name.
    pub name: ArtifactName,
    /// What it is.
    pub packer: Packer,
    /// For which architecture; `None` when for none in particular.
    pub arch: Option<Arch>,
    /// What it is, in one line.
    pub description: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256 digest.
    pub sha256: Sha256Digest,
}

/// The programs of the guides' commands, in the versions of the machine that the project is developed on.
const TRIED: [[&str; 3]; 4] = [
    ["minisign", "0.10", "verifying signatures"],
    ["QEMU", "7.2", "virtual machines"],
    ["zstd", "1.5.4", "unpacking `.tar.zst` files"],
    ["tar", "1.34", "unpacking archives"],
];

impl Tool {
    /// The programs of the guides, in the versions that the project's own tests run with.
    #[must_use]
    pub fn tried() -> Vec<Self> {
        let tool = |[name, version, purpose]: [&str; 3]| Self {
            name: name.to_owned(),
            version: version.to_owned(),
            purpose: purpose.to_owned(),
        };
        TRIED.into_iter().map(tool).collect()
    }
}

impl Release {
    /// Checks that guides made of these values can be read, and that their commands can be pasted into a shell.
    ///
    /// # Errors
    /// Names the first value that is blank, or the address that is none.
    pub fn check(&self) -> Result<(), DocumentError> {
        filled("product", &self.product)?;
        if self.product.contains(char::is_control) {
            let found = self.product.escape_debug();
            return Err(wrong(
                "product",
                format!("is `{found}`: expected a name on one line"),
            ));
        }
        address("public-url", &self.public_url)?;
        if let Some(url) = &self.repository {
            address("repository", url)?;
        }
        if let Some(url) = &self.issue_url {
            address("issue-url", url)?;
        }
        for (index, tool) in self.tools.iter().enumerate() {
            for (key, text) in [
                ("name", &tool.name),
                ("version", &tool.version),
                ("purpose", &tool.purpose),
            ] {
                filled(&format!("tools[{index}].{key}"), text)?;
            }
        }
        for (index, file) in self.files.iter().enumerate() {
            filled(&format!("files[{index}].description"), &file.description)?;
        }
        Ok(())
    }
}

fn filled(field: &str, text: &str) -> Result<(), DocumentError> {
    if is_blank(text) {
        return Err(wrong(field, "is blank: expected a text".to_owned()));
    }
    Ok(())
}

/// The address stands in commands as well, unquoted.
fn address(field: &str, text: &str) -> Result<(), DocumentError> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/._~%+-".contains(&byte);
    let slash = field == "public-url" && text.ends_with('/');
    match rest {
        Some(rest) if !rest.is_empty() && rest.bytes().all(plain) && !slash => Ok(()),
        _ => {
            let expected = "expected an address with http: or https:, of letters, digits and `:/._~%+-`";
            let slash = if slash { ", without a slash at the end" } else { "" };
            let found = text.escape_debug();
            Err(wrong(field, format!("is `{found}`: {expected}{slash}")))
        }
    }
}

fn wrong(field: &str, problem: String) -> DocumentError {
    DocumentError::Field {
        field: field.to_owned(),
        problem,
    }
}
