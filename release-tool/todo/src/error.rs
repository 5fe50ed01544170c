//! What can be wrong with a living plan, or with what is to be recorded in it.

use vrel_model::Version;

/// Why a living plan cannot be read, or a release not be recorded in it. The message names the line but not the file,
/// which only the caller knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TodoError {
    /// A code block or comment never ends, so that everything after it counts as part of it.
    #[error("line {line}: expected an end of the code block or comment that starts here, found none")]
    Unclosed {
        /// Line of its start, from 1.
        line: usize,
    },
    /// A section that releases rely on is not there.
    #[error("expected a section `## {section}`, found none")]
    NoSection {
        /// The heading's text.
        section: &'static str,
    },
    /// A section is there twice, so that nothing says which one counts.
    #[error(
        "line {line}: expected one section `## {section}`, found a second one; the first is on line {first}"
    )]
    SecondSection {
        /// Line of the second heading, from 1.
        line: usize,
        /// Line of the first heading, from 1.
        first: usize,
        /// The heading's text.
        section: &'static str,
    },
    /// The section about the next release lacks a field.
    #[error("line {line}: expected `- **{field}**: …` in this section, found none")]
    NoField {
        /// Line of the section's heading, from 1.
        line: usize,
        /// The field's name.
        field: &'static str,
    },
    /// The section about the next release has a field twice.
    #[error("line {line}: expected one `- **{field}**: …`, found a second one; the first is on line {first}")]
    SecondField {
        /// Line of the second, from 1.
        line: usize,
        /// Line of the first, from 1.
        first: usize,
        /// The field's name.
        field: &'static str,
    },
    /// The roadmap lists no release.
    #[error("line {line}: expected releases in this section, found none")]
    EmptyRoadmap {
        /// Line of the section's heading, from 1.
        line: usize,
    },
    /// A release is in the roadmap twice.
    #[error(
        "line {line}: expected {version} once in the roadmap, found it again; the first is on line {first}"
    )]
    SecondEntry {
        /// Line of the second entry, from 1.
        line: usize,
        /// Line of the first entry, from 1.
        first: usize,
        /// The release.
        version: Version,
    },
    /// A line has not the shape that its section asks for.
    #[error("line {line}: expected {expected}, found `{found}`")]
    Shape {
        /// The line, from 1.
        line: usize,
        /// The shape.
        expected: &'static str,
        /// The text in its place.
        found: String,
        /// How to put it right.
        remedy: &'static str,
    },
    /// The plan has the release already, with another commit.
    #[error("line {line}: expected {version} with commit {expected}, found it with commit {found}")]
    OtherCommit {
        /// The line, from 1.
        line: usize,
        /// The release.
        version: Version,
        /// The commit that was released.
        expected: String,
        /// The commit in the plan.
        found: String,
    },
    /// A fact about the release cannot be written into the plan.
    #[error("the release's {fact}: expected {expected}, found `{}`", found.escape_debug())]
    Fact {
        /// Which fact.
        fact: &'static str,
        /// What it has to be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
}

impl TodoError {
    /// The line of the plan that is wrong, from 1; `None` when something is missing from the whole.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::NoSection { .. } | Self::Fact { .. } => None,
            Self::Unclosed { line }
            | Self::SecondSection { line, .. }
            | Self::NoField { line, .. }
            | Self::SecondField { line, .. }
            | Self::EmptyRoadmap { line }
            | Self::SecondEntry { line, .. }
            | Self::Shape { line, .. }
            | Self::OtherCommit { line, .. } => Some(*line),
        }
    }

    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unclosed { .. } => "close it with a line of the same backticks or tildes, or with `-->`",
            Self::NoSection { .. } => {
                "add the heading at the start of a line, outside code blocks and comments; \
                 docs/src/file-formats/release-todo.md shows the structure"
            }
            Self::SecondSection { .. } => "merge the two sections, or rename one",
            Self::NoField { .. } => "add the line; docs/src/file-formats/release-todo.md lists the fields",
            Self::SecondField { .. } => "remove one of the two lines",
            Self::EmptyRoadmap { .. } => "add a line such as `- [ ] **v0.6.0** (2026 Q3): theme`",
            Self::SecondEntry { .. } => "merge the two entries",
            Self::Shape { remedy, .. } => remedy,
            Self::OtherCommit { .. } => "the tag tells which is right: correct the line, or remove it",
            Self::Fact { .. } => "this is a mistake of the caller, not of the plan",
        }
    }
}
