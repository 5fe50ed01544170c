//! What the upgrade guide tells besides.

use serde::{Deserialize, Serialize};
use vrel_model::Version;

/// What an upgrade to a release brings with it.
///
/// The lists' items are Markdown for the items of a list: what comes from people was made so by [`crate::markdown::block`]
/// with an indent of 2. `vrel-notes` has them for a release's notes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Upgrade {
    /// The release before; `None` when there is none.
    pub previous: Option<Version>,
    /// What users have to adapt to.
    #[serde(default)]
    pub breaking: Vec<String>,
    /// What will go away.
    #[serde(default)]
    pub deprecations: Vec<String>,
    /// What does not work.
    #[serde(default)]
    pub known_issues: Vec<String>,
    /// What the release does not do.
    #[serde(default)]
    pub limitations: Vec<String>,
    /// What to do for this release in particular.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// What the template sees.
pub(super) struct UpgradeView {
    pub(super) previous: Option<String>,
    pub(super) breaking: Vec<String>,
    pub(super) deprecations: Vec<String>,
    pub(super) known_issues: Vec<String>,
    pub(super) limitations: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl UpgradeView {
    pub(super) fn of(upgrade: &Upgrade) -> Self {
        Self {
            previous: upgrade.previous.as_ref().map(ToString::to_string),
            breaking: upgrade.breaking.clone(),
            deprecations: upgrade.deprecations.clone(),
            known_issues: upgrade.known_issues.clone(),
            limitations: upgrade.limitations.clone(),
            notes: upgrade.notes.clone(),
        }
    }
}
