//! Where a release comes from: an in-toto statement (v1) whose predicate is SLSA provenance (v1).
//!
//! `docs/src/file-formats/provenance.md` describes the build type and every parameter.

mod read;
mod write;

pub use read::{AskedProvenance, Provenance, ProvenanceMismatch};
pub use write::{BuildTool, Builder, ProvenanceFacts, provenance_statement};

use crate::FactProblem;
use crate::subject::{Subject, doubled};

/// What the builds of this project are, as SLSA's `buildType`. Its number changes when a parameter changes its meaning.
pub const BUILD_TYPE: &str =
    "https://github.com/veridianos/veridianos/blob/main/docs/src/file-formats/provenance.md#build-type-1";

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";

/// Why a provenance statement cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProvenanceProblem {
    /// A fact of the release that cannot stand in it.
    #[error("provenance: {0}")]
    Fact(#[from] FactProblem),
    /// No subject, or one that stands there twice.
    #[error("provenance: {0}")]
    Subjects(String),
    /// Not a statement of the known form.
    #[error("provenance: {0}")]
    Malformed(String),
    /// Another type of document.
    #[error("provenance: {what} is `{}`, expected `{expected}`", found.escape_debug())]
    Kind {
        /// Which of the types.
        what: &'static str,
        /// The known one.
        expected: &'static str,
        /// The document's.
        found: String,
    },
}

fn no_doubles(subjects: &[Subject]) -> Result<(), ProvenanceProblem> {
    match doubled(subjects) {
        None => Ok(()),
        Some(name) => Err(ProvenanceProblem::Subjects(format!(
            "the subject `{name}` stands there twice"
        ))),
    }
}
