//! Who may sign what: `signing/policy.toml`, and the names of keys and roles.

use crate::channel::is_identifier;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A minisign key's 8-byte id. Printed as minisign prints it: 16 upper-case hexadecimal digits of the little-endian
/// number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

/// Why a text is not a key id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a minisign key id; expected 16 upper-case hexadecimal digits")]
pub struct KeyIdError(pub String);

impl KeyId {
    /// From the bytes in the order in which key and signature files hold them.
    #[must_use]
    pub const fn from_file_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The bytes in the order in which key and signature files hold them.
    #[must_use]
    pub const fn file_bytes(&self) -> [u8; 8] {
        self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = text.len() == 16
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
        let number = if plain {
            u64::from_str_radix(text, 16).ok()
        } else {
            None
        };
        number
            .map(|number| Self(number.to_le_bytes()))
            .ok_or_else(|| KeyIdError(text.to_owned()))
    }
}

impl Serialize for KeyId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What a key is for, for example `release` or `pointer`: lower-case ASCII letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyRole(String);

/// Why a text is not a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a key role: lower-case letters, digits and hyphens, for example `release`", .0.escape_debug())]
pub struct KeyRoleError(pub String);

impl KeyRole {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyRole {
    type Err = KeyRoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_identifier(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyRoleError(text.to_owned()))
        }
    }
}

impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for KeyRole {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeyRole {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// `signing/policy.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SigningPolicy {
    /// The role whose key signs the pointer.
    pub pointer_role: KeyRole,
    /// The roles, by name.
    pub roles: BTreeMap<KeyRole, RolePolicy>,
}

/// One role of `signing/policy.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RolePolicy {
    /// What the role's key signs, in one line.
    pub purpose: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_ids_print_as_minisign_prints_them() {
        let id = KeyId::from_file_bytes([0xf1, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x02]);
        assert_eq!(id.to_string(), "023456789ABCDEF1");
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["23456789ABCDEF1", "023456789abcdef1", "+23456789ABCDEF1", ""] {
            assert!(bad.parse::<KeyId>().is_err(), "{bad}");
        }
    }
}
