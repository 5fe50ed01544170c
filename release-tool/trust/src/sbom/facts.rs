//! What a bill of materials is made from.

use super::Workspace;
use crate::{ReleaseFacts, Subject};

/// Everything that a bill of materials is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SbomFacts {
    /// The release.
    pub release: ReleaseFacts,
    /// The licence of the product as an SPDX expression.
    pub licence: String,
    /// The workspaces: the system's and the release tool's.
    pub workspaces: Vec<Workspace>,
    /// The package that is the release tool.
    pub tool: String,
    /// What comes from elsewhere than cargo.
    pub foreign: Vec<ForeignComponent>,
    /// The release's artifacts; their order does not matter.
    pub artifacts: Vec<SbomArtifact>,
}

/// Something inside artifacts that cargo does not know: the core libraries of the compiler, or a boot loader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignComponent {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is, in one line.
    pub description: String,
    /// Its licence as an SPDX expression; `None` when it is not known.
    pub licence: Option<String>,
    /// SHA-256, where it is one file.
    pub sha256: Option<vrel_model::Sha256Digest>,
}

/// A published file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SbomArtifact {
    /// Its name and digest.
    pub file: Subject,
    /// What it is, in one line.
    pub description: String,
    /// What is in it.
    pub contents: Contents,
}

/// What an artifact contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Machine code of these packages of the workspaces, and of these foreign components, by name.
    Compiled(Vec<String>),
    /// The sources of every package of the workspaces.
    Sources,
    /// The sources of every package of the registry. Those that only other platforms need, which
    /// [`Workspace::parse`] may not have been told of, are not listed.
    Crates,
    /// Text that was written for it.
    Documents,
}
