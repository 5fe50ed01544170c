//! Who may speak for a release: `signing/people/*.toml`, one file per person, whose name is the file's.

use crate::identifier::identifier;
use serde::{Deserialize, Serialize};

identifier! {
    /// A person's name in signatures and files.
    PersonId, "a person's name", "ada"
}

identifier! {
    /// What a person may decide, for example `maintainer`.
    PersonRole, "a person's role", "maintainer"
}

/// One file of `signing/people/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signatory {
    /// The name for people.
    pub name: String,
    /// The address, by which the tool finds out who is at work.
    pub email: String,
    /// The public key: the second line of a minisign public key file.
    pub key: String,
    /// What they may decide.
    pub roles: Vec<PersonRole>,
}
