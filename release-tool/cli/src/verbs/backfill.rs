//! `vrel backfill`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::secrets::KeyOptions;
use crate::session::{ReleaseOptions, Session};
use crate::verbs::cut_rc::carry_out;
use clap::Args;
use vrel_model::{Arch, Version};
use vrel_process::plan_backfill;
use vrel_world::World;

/// Add architectures that lagged to a published release, at the same commit.
///
/// Builds what is missing from the sources of the release's commit with the release's compiler, boots it, and publishes it
/// beside what is there as a second edition: nothing that was published changes. Shows the plan, asks on a terminal, and
/// follows it under a journal; `vrel resume` goes on after any interruption, and until the pointer moves `vrel undo` takes
/// it back. When no architecture is missing, there is nothing to do (exit code 10).
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel backfill 0.6.0-nightly.20261122\n  vrel backfill 0.6.0-rc1 --arch riscv64\n  \
                        vrel backfill 0.6.0-rc1 --yes --json --password-file /run/keys/release.pass"
)]
pub(crate) struct Backfill {
    /// The release, which is published.
    version: Version,
    /// Add only this architecture [default: all that lag]. Can be given several times.
    #[arg(long, value_name = "ARCH")]
    arch: Vec<Arch>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    release: ReleaseOptions,
    #[command(flatten)]
    keys: KeyOptions,
}

impl Backfill {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let command = format!("vrel backfill {}", self.version);
        let session = Session::open(app, self.release, self.keys, &command)?;
        let facts = session.backfill_facts(&self.version)?;
        let channel = facts
            .published
            .as_ref()
            .map(|there| there.manifest.channel.clone());
        let session = session.for_channel(channel);
        let snapshot = session.complete_snapshot(&self.version)?;
        let outcome = plan_backfill(&snapshot, &facts, &self.version, &self.arch, app.world.now());
        if outcome.already_done.is_some() {
            return Err(nothing_missing(&self.version));
        }
        let question = format!("Add this to {}?", self.version);
        carry_out(app, &session, outcome, &question, self.yes)
    }
}

/// The answer to adding to a release that has everything.
pub(crate) fn nothing_missing(version: &Version) -> Failure {
    let message = format!("{version} lacks no architecture that was asked for; see `vrel status`");
    Failure::new(FailureKind::NothingToDo, message)
}
