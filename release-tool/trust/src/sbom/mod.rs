//! The bill of materials of a release, in two forms: CycloneDX 1.6 and SPDX 2.3, both as JSON.
//!
//! It lists every artifact with its digest, what is compiled into it, and everything that this needs in turn, so that
//! somebody who learns of a flaw in a library can tell which downloads have it. The packages of the release tool are
//! listed as well, as what built it. Both forms are written from the same [`Component`]s.

mod component;
mod cyclonedx;
mod facts;
mod licence;
mod read;
mod role;
mod spdx;
mod workspace;

pub use component::Sbom;
pub use facts::{Contents, ForeignComponent, SbomArtifact, SbomFacts};
pub use read::{cyclonedx_subjects, spdx_subjects};
pub use role::Role;
pub use workspace::Workspace;

use crate::FactProblem;

/// Why a bill of materials cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SbomProblem {
    /// A fact of the release that cannot stand in it.
    #[error("bill of materials: {0}")]
    Fact(#[from] FactProblem),
    /// `cargo metadata` said something that is not understood.
    #[error("cargo metadata of the workspace `{directory}`: {reason}")]
    Metadata {
        /// The workspace.
        directory: String,
        /// What is wrong.
        reason: String,
    },
    /// A lock file that is not understood.
    #[error("lock file of the workspace `{directory}`: {reason}")]
    LockFile {
        /// The workspace.
        directory: String,
        /// What is wrong.
        reason: String,
    },
    /// A package from somewhere else.
    #[error(
        "the package `{package}` comes from `{found}`; expected the workspace itself or the public registry"
    )]
    Source {
        /// The package.
        package: String,
        /// Where it is from.
        found: String,
    },
    /// A package whose content nothing pins.
    #[error("the lock file has no SHA-256 for the package `{package}`")]
    Unlocked {
        /// Its name and version.
        package: String,
    },
    /// A licence that is not an SPDX expression.
    #[error("the licence of `{package}` is `{licence}`, expected an SPDX expression: {reason}")]
    Licence {
        /// The package.
        package: String,
        /// What it says.
        licence: String,
        /// What is wrong with that.
        reason: String,
    },
    /// An artifact is said to contain something that is not there, or that could be several things.
    #[error("{what} names `{name}`, which is {count} of the packages and foreign components, expected one")]
    Unknown {
        /// Who names it.
        what: String,
        /// The name.
        name: String,
        /// How many have it.
        count: usize,
    },
    /// Two components that could not be told apart.
    #[error("the component `{reference}` stands there twice")]
    Doubled {
        /// What would name both.
        reference: String,
    },
    /// Not a document of the known form.
    #[error("bill of materials: {0}")]
    Malformed(String),
}
