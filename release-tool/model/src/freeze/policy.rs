//! `[freeze]` of `vrel.toml`.

use crate::{CommitType, PathGlob};
use serde::{Deserialize, Serialize};

/// What may land on a frozen branch without an exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FreezeConfig {
    /// Types of commits. A breaking change never is among them.
    pub allow: Vec<CommitType>,
    /// Commits of any type that change nothing but such paths.
    pub allow_paths: Vec<PathGlob>,
}

impl Default for FreezeConfig {
    /// What mends, explains, tests or takes back.
    fn default() -> Self {
        let parse = |text: &str| text.parse().unwrap_or_else(|_| unreachable!());
        Self {
            allow: ["fix", "docs", "test", "ci", "revert"].map(parse).to_vec(),
            allow_paths: Vec::new(),
        }
    }
}
