//! What the engine tells while it works.

use serde::Serialize;

/// One thing worth telling. As JSON these are the lines of `--json` output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum ProgressEvent<'a> {
    /// A step begins.
    StepStarted {
        /// Its name.
        step: &'a str,
        /// What it does.
        summary: &'a str,
        /// Its number, from 1.
        index: usize,
        /// How many there are.
        total: usize,
    },
    /// A step has ended.
    StepFinished {
        /// Its name.
        step: &'a str,
        /// Whether its end state held already, so that nothing was done.
        skipped: bool,
        /// What is there now.
        note: &'a str,
    },
    /// A step failed.
    StepFailed {
        /// Its name.
        step: &'a str,
        /// Why.
        message: &'a str,
    },
    /// A step was taken back.
    StepUndone {
        /// Its name.
        step: &'a str,
    },
    /// How far a step is, in units that mean something to it.
    Advanced {
        /// Its name.
        step: &'a str,
        /// Units done.
        done: u64,
        /// Units in all.
        total: u64,
        /// What was just done.
        what: &'a str,
    },
    /// A line of a program that the step runs.
    Output {
        /// The step.
        step: &'a str,
        /// Which program or artifact it comes from.
        source: &'a str,
        /// The line.
        line: &'a str,
    },
}

/// Takes what the engine tells. Called from several threads.
pub trait Progress: Sync {
    /// Takes one event.
    fn event(&self, event: &ProgressEvent<'_>);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: &ProgressEvent<'_>) {}
}
