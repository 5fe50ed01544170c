//! `vrel man`.

use crate::args::Cli;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::{Args, CommandFactory};
use std::path::PathBuf;

/// Write the man pages.
///
/// Without a directory the page of the tool itself goes to standard output; with one, a page for every verb is written
/// there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel man | man -l -\n  vrel man --dir /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// The directory that the pages are written to; made when missing.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Man {
    /// Runs the verb.
    pub(crate) fn run(self) -> Outcome {
        let failed = |what: String| {
            move |error: std::io::Error| {
                Failure::new(FailureKind::Environment, format!("cannot write {what}: {error}"))
            }
        };
        let command = Cli::command();
        let Some(dir) = self.dir else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command)
                .render(&mut page)
                .map_err(failed("the page".into()))?;
            return output::print(&String::from_utf8_lossy(&page));
        };
        let name = dir.display().to_string();
        std::fs::create_dir_all(&dir).map_err(failed(name.clone()))?;
        clap_mangen::generate_to(command, &dir).map_err(failed(name))
    }
}
