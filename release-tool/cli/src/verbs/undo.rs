//! `vrel undo`.

use crate::app::App;
use crate::exit::Outcome;
use crate::output;
use crate::secrets::KeyOptions;
use crate::session::{ReleaseOptions, Session};
use clap::Args;

/// Take back a release that was not pushed yet.
///
/// Removes what it made: the tag, what lies in the origin without a pointer to it, the release branch if it was made for
/// this release, and the work directory. The journal is kept beside the others under another name. Once the push was
/// begun, the release can only be finished.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel undo")]
pub(crate) struct Undo {
    #[command(flatten)]
    release: ReleaseOptions,
    #[command(flatten)]
    keys: KeyOptions,
}

impl Undo {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let session = Session::open(app, self.release, self.keys, "vrel undo")?;
        let journal = session.open_journal()?;
        let version = journal.plan().version.clone();
        session.take_back(journal)?;
        if app.global.json {
            output::print_json(&serde_json::json!({"undone": version}))
        } else {
            output::print(&format!("{version} was taken back.\n"))
        }
    }
}
