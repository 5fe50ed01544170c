//! People, as git names them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A person: `Name <mail>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person(String);

/// Why a text names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name a person; expected for example `Ada Lovelace <ada@example.org>`")]
pub struct PersonError(pub String);

impl Person {
    /// The name without the address.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once(" <").map_or(&self.0, |(name, _)| name)
    }
}

impl FromStr for Person {
    type Err = PersonError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let parts = text
            .strip_suffix('>')
            .and_then(|rest| rest.split_once(" <"))
            .filter(|(name, mail)| {
                let clean = |part: &str| !part.contains(['<', '>']) && !part.contains(char::is_control);
                let address = mail
                    .split_once('@')
                    .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
                !name.trim().is_empty() && clean(name) && clean(mail) && address && !mail.contains(' ')
            });
        match parts {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(PersonError(text.to_owned())),
        }
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Person {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Person {
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
    fn a_person_has_a_name_and_an_address() {
        let ada: Person = " Ada Lovelace <ada@example.org> ".parse().unwrap();
        assert_eq!(
            (ada.to_string().as_str(), ada.name()),
            ("Ada Lovelace <ada@example.org>", "Ada Lovelace")
        );
        for bad in [
            "",
            "Ada",
            "ada@example.org",
            "<ada@example.org>",
            "Ada <ada>",
            "Ada <a@b> x",
            "A <@b>",
            "A\nB <a@b>",
        ] {
            assert!(bad.parse::<Person>().is_err(), "{bad}");
        }
    }
}
