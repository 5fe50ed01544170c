//! What a signature says: the trusted comment of every minisign signature that the project makes.
//!
//! minisign signs bytes, not names: file A with its signature verifies just as well when it is served under B's name.
//! So every trusted comment states what the bytes are, in one strict form, and the verifier compares each field with
//! what it asked for. Stock `minisign -V` prints the same line for a person to read.

use crate::{Arch, ArtifactName, ChannelName, Sha256Digest, UtcTime, Version};
use std::fmt;
use std::str::FromStr;

/// The statement. Its text form is the fields in the order in which they are declared, as `name:value`, separated by
/// single blanks; an artifact without an architecture has `arch:any`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// When it was signed; written as seconds since 1970, as the `minisign` tool does.
    pub timestamp: UtcTime,
    /// The file's name, without a directory.
    pub file: ArtifactName,
    /// The product's id.
    pub product: String,
    /// The release.
    pub version: Version,
    /// The channel that the release was cut for.
    pub channel: ChannelName,
    /// The architecture, or none.
    pub arch: Option<Arch>,
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 of the content.
    pub sha256: Sha256Digest,
}

/// Why a trusted comment is not a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("trusted comment `{}`: {reason}", text.escape_debug())]
pub struct StatementError {
    /// The comment.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "timestamp:{} file:{} product:{} version:{} channel:{} arch:{} size:{} sha256:{}",
            self.timestamp.unix(),
            self.file,
            self.product,
            self.version,
            self.channel,
            self.arch.map_or("any", Arch::as_str),
            self.size,
            self.sha256
        )
    }
}

impl FromStr for Statement {
    type Err = StatementError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|reason| StatementError {
            text: text.to_owned(),
            reason,
        })
    }
}

fn parse(text: &str) -> Result<Statement, String> {
    let mut words = text.split(' ');
    let mut field = |name: &str| {
        let word = words
            .next()
            .ok_or_else(|| format!("the field `{name}` is missing"))?;
        let value = word.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
        value.ok_or_else(|| format!("expected the field `{name}` where `{word}` stands"))
    };
    let number = |value: &str| {
        value
            .parse::<u64>()
            .map_err(|_| format!("`{value}` is not a number"))
    };
    let timestamp = number(field("timestamp")?)?;
    let statement = Statement {
        timestamp: i64::try_from(timestamp)
            .ok()
            .and_then(|seconds| UtcTime::from_unix(seconds).ok())
            .ok_or_else(|| format!("`{timestamp}` is not a time"))?,
        file: field("file")?.parse().map_err(display)?,
        product: field("product")?.to_owned(),
        version: field("version")?.parse().map_err(display)?,
        channel: field("channel")?.parse().map_err(display)?,
        arch: match field("arch")? {
            "any" => None,
            arch => Some(arch.parse().map_err(display)?),
        },
        size: number(field("size")?)?,
        sha256: field("sha256")?.parse().map_err(display)?,
    };
    // One text per statement: whatever prints differently (leading zeros, `rc.1`, a further field) is refused.
    if statement.to_string() == text {
        Ok(statement)
    } else {
        Err(format!("expected exactly `{statement}`"))
    }
}

fn display(error: impl fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "timestamp:1795230000 file:os-0.6.0-rc1.iso product:os version:0.6.0-rc1 channel:beta \
                        arch:x86_64 size:12 sha256:00000000000000000000000000000000000000000000000000000000000000ff";

    #[test]
    fn the_strict_form_round_trips() {
        let statement: Statement = GOOD.parse().unwrap();
        assert_eq!(statement.to_string(), GOOD);
        assert_eq!(statement.arch, Some(Arch::X86_64));
    }

    #[test]
    fn every_other_form_is_refused() {
        let cases = [
            (GOOD.replace(" channel:beta", ""), "expected the field `channel`"),
            (GOOD.replace("size:12", "size:012"), "expected exactly"),
            (GOOD.replace("rc1 channel", "rc.1 channel"), "expected exactly"),
            (format!("{GOOD} more:1"), "expected exactly"),
            (format!("{GOOD}\n"), "is not a digest"),
            (GOOD.replace(' ', "  "), "expected the field"),
            (
                GOOD.replace("file:os", "file:../os"),
                "not a publishable file name",
            ),
            (
                GOOD.replace("timestamp:1795230000 ", ""),
                "expected the field `timestamp`",
            ),
            (String::new(), "expected the field `timestamp`"),
        ];
        for (text, reason) in cases {
            let error = text.parse::<Statement>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }
}
