//! `vrel completions`.

use crate::args::Cli;
use crate::exit::Outcome;
use crate::output;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a completion script for a shell.
///
/// For bash: `vrel completions bash > /etc/bash_completion.d/vrel`. With `--name veridian-release` the script completes
/// the tool under its long name.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel completions bash > ~/.local/share/bash-completion/completions/vrel\n  \
                        vrel completions zsh > ~/.zfunc/_vrel\n  vrel completions fish > ~/.config/fish/completions/vrel.fish"
)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
    /// The name under which the tool is called.
    #[arg(long, default_value = "vrel")]
    name: String,
}

impl Completions {
    /// Runs the verb.
    pub(crate) fn run(self) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), self.name, &mut script);
        output::print(&String::from_utf8_lossy(&script))
    }
}
