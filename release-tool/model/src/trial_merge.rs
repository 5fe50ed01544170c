//! What would come of merging two commits.

use serde::{Deserialize, Serialize};

/// The outcome of a merge that was tried and not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum TrialMerge {
    /// It goes without a person.
    Clean,
    /// These files have to be resolved by a person, sorted.
    Conflicts {
        /// The files.
        paths: Vec<String>,
    },
    /// The commits have no history in common.
    Unrelated,
}
