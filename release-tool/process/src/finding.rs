//! What a check found.

use serde::Serialize;
use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the release may go on.
    Warning,
    /// The rules of the project forbid going on.
    Policy,
    /// This machine lacks something.
    Environment,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check's name, for example `clean-tree`.
    pub check: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was found and what was expected, with the object named.
    pub message: String,
    /// The remedy.
    pub hint: Option<String>,
}

impl Finding {
    /// A breach of the rules.
    #[must_use]
    pub fn policy(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            check,
            severity: Severity::Policy,
            message: message.into(),
            hint: None,
        }
    }

    /// Something that the machine lacks.
    pub(crate) fn environment(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Environment,
            ..Self::policy(check, message)
        }
    }

    /// Something worth knowing.
    pub(crate) fn warning(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::policy(check, message)
        }
    }

    /// Adds the remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether the finding forbids going on.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.severity != Severity::Warning
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.check)
    }
}
