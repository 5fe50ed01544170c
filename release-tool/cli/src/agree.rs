//! Asking a person whether to go on with what was shown.

use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::Args;
use std::io::{BufRead, IsTerminal};

/// Options of verbs that show what they will do first.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Agree {
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Show what would be done, and do nothing.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
}

impl Agree {
    /// Asks, unless a person agreed beforehand.
    ///
    /// # Errors
    /// When the answer is not `yes`, or there is nobody to ask.
    pub(crate) fn ask(self, question: &str) -> Outcome {
        if self.yes { Ok(()) } else { confirm(question) }
    }
}

/// Asks on the terminal.
///
/// # Errors
/// When the answer is not `yes`, or there is no terminal.
pub(crate) fn confirm(question: &str) -> Outcome {
    if !std::io::stdin().is_terminal() {
        let message = "there is no terminal to ask whether to go on";
        return Err(
            Failure::new(FailureKind::Usage, message).hint("pass `--yes` to agree to the plan beforehand")
        );
    }
    output::say(&format!("{question} Type yes to go on:"));
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        Ok(_) => Err(Failure::new(
            FailureKind::Interrupted,
            "not agreed; nothing was changed",
        )),
        Err(error) => Err(Failure::new(
            FailureKind::Environment,
            format!("cannot read the answer: {error}"),
        )),
    }
}
