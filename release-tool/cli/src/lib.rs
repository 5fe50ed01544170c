//! The command line of the release tool: one file per verb, each a thin layer over the libraries.

mod agree;
mod app;
mod args;
mod exit;
mod moves;
mod origins;
mod output;
mod progress;
mod secrets;
mod session;
mod supervise;
mod verbs;

use crate::exit::{Failure, FailureKind};
use clap::Parser;
use std::process::ExitCode;

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(code) = supervise::run_if_asked() {
        return code;
    }
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results, mistakes are not; clap knows which stream is which.
            drop(error.print());
            let code = if error.use_stderr() {
                FailureKind::Usage as u8
            } else {
                0
            };
            return ExitCode::from(code);
        }
    };
    let json = cli.global.json;
    match verbs::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure, json);
            failure.code()
        }
    }
}

fn report(failure: &Failure, json: bool) {
    let nothing_to_do = failure.kind == FailureKind::NothingToDo;
    let word = if nothing_to_do { "nothing to do" } else { "error" };
    for message in &failure.messages {
        output::say(&format!("{word}: {message}"));
    }
    for hint in &failure.hints {
        output::say(&format!(" hint: {hint}"));
    }
    if failure.kind == FailureKind::Bug {
        output::say(" hint: this is a defect of vrel; please report it with the output above");
    }
    // A result that tells of the failure is the one value that a program reads.
    if json && !failure.messages.is_empty() && !output::has_json_result() {
        let error = serde_json::json!({
            "error": {"kind": format!("{:?}", failure.kind), "messages": failure.messages, "hints": failure.hints}
        });
        drop(output::print(&format!("{error}\n")));
    }
}
