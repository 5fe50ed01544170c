//! The identity stamp: which system this is.
//!
//! The kernel has a section of [`IDENTITY_LEN`] bytes that the release tool overwrites after linking. It holds
//! [`IDENTITY_MAGIC`], then `key=value` lines, then zeros. The text part is what `system_info` returns.

use core::fmt;

/// Size of the stamp in bytes.
pub const IDENTITY_LEN: usize = 256;

/// The first bytes of the stamp.
pub const IDENTITY_MAGIC: &[u8; 16] = b"VERIDIAN-IDENT1\n";

/// Which system this is. Unknown keys are skipped, so that a newer stamp stays readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Name of the product.
    pub name: &'a str,
    /// Version, in the project's form.
    pub version: &'a str,
    /// Commit as 40 hexadecimal digits.
    pub commit: &'a str,
    /// Architecture.
    pub arch: &'a str,
}

/// Why a stamp is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityError {
    /// It does not begin with [`IDENTITY_MAGIC`].
    Magic,
    /// The text is not UTF-8.
    Text,
    /// A line is not `key=value`.
    Line,
    /// A key that every stamp has is missing.
    Missing(&'static str),
}

impl fmt::Display for IdentityError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => out.write_str("identity stamp: the magic is missing"),
            Self::Text => out.write_str("identity stamp: the text is not UTF-8"),
            Self::Line => out.write_str("identity stamp: a line is not key=value"),
            Self::Missing(key) => write!(out, "identity stamp: no line {key}=…"),
        }
    }
}

impl<'a> Identity<'a> {
    /// The text part of a stamp.
    ///
    /// # Errors
    /// When the magic is missing or the rest is not UTF-8.
    pub fn text(stamp: &'a [u8; IDENTITY_LEN]) -> Result<&'a str, IdentityError> {
        let rest = stamp.strip_prefix(IDENTITY_MAGIC).ok_or(IdentityError::Magic)?;
        let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
        core::str::from_utf8(&rest[..end]).map_err(|_| IdentityError::Text)
    }

    /// Reads the text part.
    ///
    /// # Errors
    /// When a line is not `key=value` or one of the four keys is missing.
    pub fn parse(text: &'a str) -> Result<Self, IdentityError> {
        let (mut name, mut version, mut commit, mut arch) = (None, None, None, None);
        for line in text.lines() {
            let (key, value) = line.split_once('=').ok_or(IdentityError::Line)?;
            match key {
                "name" => name = Some(value),
                "version" => version = Some(value),
                "commit" => commit = Some(value),
                "arch" => arch = Some(value),
                _ => {}
            }
        }
        Ok(Self {
            name: name.ok_or(IdentityError::Missing("name"))?,
            version: version.ok_or(IdentityError::Missing("version"))?,
            commit: commit.ok_or(IdentityError::Missing("commit"))?,
            arch: arch.ok_or(IdentityError::Missing("arch"))?,
        })
    }
}

impl fmt::Display for Identity<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} {} ({}) {}",
            self.name, self.version, self.commit, self.arch
        )
    }
}
