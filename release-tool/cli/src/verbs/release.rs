//! `vrel release`.

use crate::app::App;
use crate::exit::Outcome;
use crate::secrets::KeyOptions;
use crate::session::{ReleaseOptions, Session};
use crate::verbs::cut_rc::carry_out;
use crate::verbs::plan::already_done;
use clap::Args;
use vrel_model::Version;
use vrel_process::plan_release;
use vrel_world::World;

/// Make an accepted candidate final: the same commit, built, proven to be the candidate, signed, published.
///
/// Takes the newest candidate of the version that is no dud, once it was public for as long as its channel asks and if
/// the release branch has nothing beyond it. Before anything is published, the tool proves that the release differs from
/// the published candidate only where the version stands, and refuses otherwise. Everything is checked before anything
/// changes. After an interruption of any kind `vrel resume` goes on; until the push `vrel undo` takes everything back.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel plan release 0.6.0                     # what it would do\n  vrel release 0.6.0\n  vrel release 0.6.0 --candidate 0.6.0-rc2    # leave what came after it for a later release\n  \
                        vrel release 0.6.0 --yes --json --password-file /run/keys/release.pass"
)]
pub(crate) struct Release {
    /// The version, for example 0.6.0.
    version: Version,
    /// Make this candidate final [default: the newest]. What the release branch has beyond it is left out.
    #[arg(long, value_name = "VERSION")]
    candidate: Option<Version>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    release: ReleaseOptions,
    #[command(flatten)]
    keys: KeyOptions,
}

impl Release {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let command = format!("vrel release {}", self.version);
        let session = Session::open(app, self.release, self.keys, &command)?;
        let named = self.candidate.as_ref();
        let (snapshot, facts) = session.release_facts(&self.version, named)?;
        let outcome = plan_release(&snapshot, &facts, &self.version, named, app.world.now());
        if let Some(commit) = outcome.already_done {
            return Err(already_done(&self.version, &commit));
        }
        let question = format!("Release {}?", self.version);
        carry_out(app, &session, outcome, &question, self.yes)
    }
}
