//! Why a plan cannot be changed as somebody asked.

use crate::TodoError;
use std::fmt;
use vrel_model::Version;

/// A line of the plan that a request could mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Line, from 1.
    pub line: usize,
    /// Its text, as Markdown on one line.
    pub text: String,
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// Why a plan cannot be changed as somebody asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Nothing in the plan is what was asked for.
    #[error("expected a {what} that is `{wanted}`, found none")]
    NoMatch {
        /// What was looked for.
        what: &'static str,
        /// What was asked for.
        wanted: String,
        /// Every line that could have been named.
        there: Vec<Match>,
    },
    /// Several lines are what was asked for.
    #[error("expected one {what} that is `{wanted}`, found {}", matches.len())]
    Ambiguous {
        /// What was looked for.
        what: &'static str,
        /// What was asked for.
        wanted: String,
        /// The lines, in the plan's order.
        matches: Vec<Match>,
    },
    /// The release is not on the roadmap.
    #[error("expected {} on the roadmap, found no entry", version.tag())]
    NoEntry {
        /// The release.
        version: Version,
    },
    /// The release is out, or part of a range: history is not planned.
    #[error("line {line}: expected a release that is still open, found {}", version.tag())]
    NotOpen {
        /// Line of its entry, from 1.
        line: usize,
        /// The release.
        version: Version,
    },
    /// The plan has no such section, or no table in it.
    #[error("expected a section `## {section}`{}, found none", if *table { " with a table" } else { "" })]
    NoSection {
        /// The heading's text.
        section: &'static str,
        /// Whether a table was looked for in it.
        table: bool,
    },
    /// What was given cannot stand in the plan.
    #[error("the {what}: expected {expected}, found `{}`", found.escape_debug())]
    Text {
        /// What it is.
        what: &'static str,
        /// What it has to be.
        expected: &'static str,
        /// What was given.
        found: String,
    },
    /// The plan says something else of the same issue.
    #[error("line {line}: the issue is known already, with {found}")]
    OtherWorkaround {
        /// The line, from 1.
        line: usize,
        /// What the plan has.
        found: String,
    },
    /// With the change the plan could not be read any more.
    #[error("the changed plan could not be read: {0}")]
    Unreadable(TodoError),
}

impl EditError {
    /// What there is to choose from, a line each.
    #[must_use]
    pub fn choices(&self) -> &[Match] {
        match self {
            Self::NoMatch { there, .. } => there,
            Self::Ambiguous { matches, .. } => matches,
            _ => &[],
        }
    }

    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoMatch { .. } => "name it by words that it has, or as `line N`".to_owned(),
            Self::Ambiguous { .. } => "give more of the text, or `line N`".to_owned(),
            Self::NoEntry { version } => format!("add it with `vrel todo plan {version} --when \"2027 Q1\"`"),
            Self::NotOpen { .. } => "what is out stays as it is: choose an open release".to_owned(),
            Self::NoSection { section, .. } => {
                format!("add `## {section}`; docs/src/file-formats/release-todo.md shows its form")
            }
            Self::Text { .. } => "one line of plain Markdown, as it shall stand in the plan".to_owned(),
            Self::OtherWorkaround { line, .. } => format!("edit line {line} by hand"),
            Self::Unreadable(error) => error.hint().to_owned(),
        }
    }
}
