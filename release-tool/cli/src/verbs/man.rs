//! `vrel man`.

use crate::args::Cli;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::{Args, Command, CommandFactory};
use std::collections::BTreeMap;
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
        let Some(dir) = self.dir else {
            let page = render(&Cli::command())?;
            return output::print(&String::from_utf8_lossy(&page));
        };
        std::fs::create_dir_all(&dir).map_err(failed(dir.display().to_string()))?;
        for (name, page) in pages()? {
            let path = dir.join(name);
            std::fs::write(&path, page).map_err(failed(path.display().to_string()))?;
        }
        Ok(())
    }
}

fn render(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .map_err(|error| Failure::new(FailureKind::Bug, format!("cannot write a man page: {error}")))?;
    Ok(page)
}

/// The pages of the tool and of every verb, by file name.
///
/// # Errors
/// Never: they are written into memory.
pub(crate) fn pages() -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let (mut pages, mut open) = (BTreeMap::new(), vec![command]);
    while let Some(command) = open.pop() {
        let name = command.get_display_name().unwrap_or(command.get_name());
        pages.insert(format!("{name}.1"), render(&command)?);
        open.extend(
            command
                .get_subcommands()
                .filter(|verb| !verb.is_hide_set())
                .cloned(),
        );
    }
    Ok(pages)
}
