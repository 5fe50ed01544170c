//! Short names that people choose: of gates, of people, of their roles.

/// Why a text is not such a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not {what}: lower-case letters, digits and hyphens, starting with a letter, for example `{example}`",
    text.escape_debug()
)]
pub struct IdentifierError {
    /// The text.
    pub text: String,
    /// What it should name.
    pub what: &'static str,
    /// A good one.
    pub example: &'static str,
}

/// A type of names: lower-case ASCII letters, digits and hyphens, starting with a letter, at most 32 bytes.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $what:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::IdentifierError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if crate::channel::is_identifier(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(crate::IdentifierError {
                        text: text.to_owned(),
                        what: $what,
                        example: $example,
                    })
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use identifier;
