//! How a command ends: one table of exit codes, and errors folded into it.

use std::process::ExitCode;
use vrel_engine::EngineError;
use vrel_process::{Finding, Severity};
use vrel_world::{ErrorKind, WorldError};

/// Why a command ended without doing what it was asked. The number is the exit code; docs/src/exit-codes.md has the
/// same table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// A defect of this program.
    Bug = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// The project's rules, a policy file or the state of the repository forbid it.
    Policy = 3,
    /// This machine lacks something, or failed.
    Environment = 4,
    /// What was verified is not genuine.
    NotGenuine = 5,
    /// The end state held already.
    NothingToDo = 10,
    /// A person stopped it.
    Interrupted = 130,
}

/// The end of a command that did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Which kind.
    pub(crate) kind: FailureKind,
    /// What happened, each on lines of its own.
    pub(crate) messages: Vec<String>,
    /// What to do about it.
    pub(crate) hints: Vec<String>,
}

impl Failure {
    /// A failure of one message.
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            messages: vec![message.into()],
            hints: Vec::new(),
        }
    }

    /// Adds a remedy.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// From the findings that forbid going on: rules before machine, because a machine can be mended for nothing.
    pub(crate) fn from_findings(findings: &[Finding]) -> Self {
        let fatal = || findings.iter().filter(|finding| finding.is_fatal());
        let policy = fatal().any(|finding| finding.severity == Severity::Policy);
        let mut hints: Vec<String> = Vec::new();
        for hint in fatal().filter_map(|finding| finding.hint.clone()) {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        Self {
            kind: if policy {
                FailureKind::Policy
            } else {
                FailureKind::Environment
            },
            messages: fatal().map(ToString::to_string).collect(),
            hints,
        }
    }

    /// A failure that was explained already, as part of the result.
    pub(crate) fn told(kind: FailureKind) -> Self {
        Self {
            kind,
            messages: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.kind as u8)
    }
}

fn world_kind(kind: ErrorKind) -> FailureKind {
    match kind {
        ErrorKind::Interrupted => FailureKind::Interrupted,
        ErrorKind::Rejected => FailureKind::Policy,
        _ => FailureKind::Environment,
    }
}

impl From<WorldError> for Failure {
    fn from(error: WorldError) -> Self {
        let failure = Self::new(world_kind(error.kind), error.to_string());
        match error.kind {
            ErrorKind::NoSpace => failure.hint("make room on that file system, then run the command again"),
            ErrorKind::ReadOnly | ErrorKind::Denied => failure.hint("check who may write there"),
            _ => failure,
        }
    }
}

impl From<Finding> for Failure {
    fn from(finding: Finding) -> Self {
        Self::from_findings(&[finding])
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let hint = error.hint().map(str::to_owned);
        let kind = match &error {
            EngineError::World(inner) => return inner.clone().into(),
            EngineError::Step { conflict: false, .. }
            | EngineError::Broken { .. }
            | EngineError::Locked { .. } => FailureKind::Environment,
            EngineError::NotConfirmed { .. } => FailureKind::Bug,
            EngineError::Toml(_)
            | EngineError::Policy { .. }
            | EngineError::Interface(_)
            | EngineError::Journal { .. }
            | EngineError::NoReturn { .. }
            | EngineError::Refused { .. }
            | EngineError::Step { .. } => FailureKind::Policy,
        };
        let failure = Self::new(kind, error.to_string());
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// The result of a verb.
pub(crate) type Outcome = Result<(), Failure>;
