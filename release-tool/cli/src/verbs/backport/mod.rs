//! `vrel backport`.

mod pick;
mod queue;
mod status;

use crate::app::App;
use crate::exit::Outcome;
use clap::{Args, Subcommand};
use vrel_model::Line;

/// Carry fixes of the development branch over to a release line.
///
/// Each line has a queue, `lines/X.Y/backports.toml` on the records branch: somebody nominates a commit, somebody accepts
/// or rejects it, and `pick` carries over what is accepted, with the line that `git cherry-pick -x` adds. A pick that
/// conflicts names the commits that it needs first; each pick is built and tested before it lands.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel backport nominate '#123' --to 0.6 --reason 'crashes on boot'\n  \
                        vrel backport accept 3f2a1c --to 0.6\n  vrel backport pick --all --to 0.6\n  \
                        vrel backport status --to 0.6"
)]
pub(crate) struct Backport {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Put commits into a line's queue.
    Nominate(queue::Nominate),
    /// Say that nominated commits are to be picked.
    Accept(queue::Accept),
    /// Say that commits are not to be picked, and why.
    Reject(queue::Reject),
    /// Carry accepted commits over, check them and land them.
    Pick(pick::Pick),
    /// Show the queue.
    Status(status::Status),
}

/// Which line.
#[derive(Clone, Copy, Debug, Args)]
struct ToLine {
    /// The line, for example 0.6.
    #[arg(long, value_name = "LINE")]
    to: Line,
}

impl Backport {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        match self.action {
            Action::Nominate(verb) => verb.run(app),
            Action::Accept(verb) => verb.run(app),
            Action::Reject(verb) => verb.run(app),
            Action::Pick(verb) => verb.run(app),
            Action::Status(verb) => verb.run(app),
        }
    }
}
