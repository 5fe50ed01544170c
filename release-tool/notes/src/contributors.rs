//! Who made a release.

use std::collections::{BTreeMap, HashSet};
use vrel_documents::markdown::is_blank;

/// People by address and by name: `.mailmap` knows authors, but not those in `Co-authored-by`.
#[derive(Debug, Default)]
pub(crate) struct Contributors {
    /// In lower case: mail hosts do not tell cases apart, people type both.
    addresses: HashSet<String>,
    /// The name as it is printed, by the name in lower case.
    names: BTreeMap<String, String>,
}

impl Contributors {
    /// Adds a person, unless it is a program or is known by the address or the name.
    pub(crate) fn add(&mut self, name: &str, address: &str) {
        // Nearly every commit is by someone who is known already, so nothing is copied before this.
        if self.addresses.contains(address) || is_blank(name) || is_program(name) {
            return;
        }
        if !address.is_empty() && !self.addresses.insert(address.to_lowercase()) {
            return;
        }
        self.names
            .entry(name.to_lowercase())
            .or_insert_with(|| name.to_owned());
    }

    /// The names, alphabetical.
    pub(crate) fn names(self) -> Vec<String> {
        self.names.into_values().collect()
    }
}

/// Whether a name is that of a program, as forges mark them.
fn is_program(name: &str) -> bool {
    name.ends_with("[bot]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_named_once() {
        let mut people = Contributors::default();
        for (name, address) in [
            ("Zoë", "zoe@example.org"),
            ("ada", "ada@example.org"),
            ("Ada L.", "ADA@example.org"),
            ("Ada", "ada@example.com"),
            ("Zoë", ""),
            ("renovate[bot]", "bot@example.org"),
            (" ", "nobody@example.org"),
        ] {
            people.add(name, address);
        }
        assert_eq!(people.names(), ["ada", "Zoë"]);
    }
}
