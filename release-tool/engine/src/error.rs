//! What stops a release.

use std::path::PathBuf;
use vrel_model::Arch;
use vrel_model::toml_file::TomlError;
use vrel_world::WorldError;

/// Why the engine stopped.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The machine failed an effect.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A policy file is wrong.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// A policy file or directory that must be there is not.
    #[error("{}: {reason}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Sources of the interface that programs rely on are missing, or cannot be understood.
    #[error(transparent)]
    Interface(#[from] vrel_interface::InterfaceError),
    /// The journal is not what this program wrote.
    #[error("the journal {} is damaged at line {line}: {reason}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Somebody else is at work.
    #[error("another release command is at work here: {holder}")]
    Locked {
        /// What the other says of itself.
        holder: String,
    },
    /// A step failed.
    #[error("step `{step}`: {message}")]
    Step {
        /// The step.
        step: String,
        /// What happened, with the object named.
        message: String,
        /// The remedy, where there is one.
        hint: Option<String>,
        /// Whether it is the world that is not as the plan says (and not a fault of the machine).
        conflict: bool,
    },
    /// What is released does not compile, does not fit together or does not boot: its sources are at fault as far as
    /// anybody can tell.
    #[error("step `{step}`: {message}")]
    Broken {
        /// The step that found it.
        step: String,
        /// The architecture, where it is that of one.
        arch: Option<Arch>,
        /// What happened, with the object named.
        message: String,
        /// The remedy, where there is one.
        hint: Option<String>,
    },
    /// A step acted, but the world does not show it.
    #[error("step `{step}` ended without an error, but its result is not there: {missing}")]
    NotConfirmed {
        /// The step.
        step: String,
        /// What is missing.
        missing: String,
    },
    /// What was decided before, or the state of the repository, forbids it.
    #[error("{message}")]
    Refused {
        /// What forbids it, with who and when where somebody decided it.
        message: String,
        /// The remedy, where there is one.
        hint: Option<String>,
    },
    /// `undo` after the point of no return.
    #[error("{version} cannot be taken back: `{step}` was reached, and it is public")]
    NoReturn {
        /// The release.
        version: String,
        /// The irreversible step.
        step: String,
    },
}

impl EngineError {
    /// Whether a person asked the program to stop.
    #[must_use]
    pub fn is_interrupt(&self) -> bool {
        matches!(self, Self::World(error) if error.kind == vrel_world::ErrorKind::Interrupted)
    }

    /// The same error, said of an architecture where what is released is broken.
    #[must_use]
    pub(crate) fn of_arch(mut self, of: Arch) -> Self {
        if let Self::Broken { arch, .. } = &mut self {
            *arch = Some(of);
        }
        self
    }

    /// The same error, said of another step, where it is one's.
    #[must_use]
    pub(crate) fn of_step(mut self, of: &str) -> Self {
        if let Self::Broken { step, .. } | Self::Step { step, .. } = &mut self {
            of.clone_into(step);
        }
        self
    }

    /// The remedy, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Toml(error) => error.hint.as_deref(),
            Self::Step { hint, .. } | Self::Refused { hint, .. } | Self::Broken { hint, .. } => {
                hint.as_deref()
            }
            Self::Locked { .. } => Some("wait for it, or pass --wait to do so automatically"),
            Self::NoReturn { .. } => {
                Some("finish it with `vrel resume`; a bad release is withdrawn by a newer one")
            }
            _ => None,
        }
    }
}
