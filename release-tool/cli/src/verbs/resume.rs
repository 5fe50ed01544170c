//! `vrel resume`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::secrets::KeyOptions;
use crate::session::{ReleaseOptions, Session};
use clap::Args;
use vrel_engine::JournalState;

/// Go on with a release that was interrupted.
///
/// Takes no version: at most one release is unfinished at a time. What is done already is looked at, not done again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel resume\n  vrel resume --wait")]
pub(crate) struct Resume {
    #[command(flatten)]
    release: ReleaseOptions,
    #[command(flatten)]
    keys: KeyOptions,
}

impl Resume {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let session = Session::open(app, self.release, self.keys, "vrel resume")?;
        let mut journal = session.open_journal()?;
        if journal.state() == JournalState::Undoing {
            let message = format!("{} is being taken back", journal.plan().version);
            return Err(Failure::new(FailureKind::Policy, message).hint("run `vrel undo` to finish that"));
        }
        let signers = session.signers(journal.plan())?;
        session.follow(&mut journal, &signers)
    }
}
