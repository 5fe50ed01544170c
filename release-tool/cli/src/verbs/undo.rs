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
/// this release, and the work directory. Of a `vrel backfill`, only what it added. The journal is kept beside the others under another name. Once the push was
/// begun (the pointer, for `vrel backfill`), the release can only be finished.
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
        let (version, edition) = (journal.plan().version.clone(), journal.plan().edition());
        session.take_back(journal)?;
        if app.global.json {
            output::print_json(&serde_json::json!({"undone": version, "edition": edition}))
        } else if !edition.is_first() {
            output::print(&format!("What was being added to {version} was taken back.\n"))
        } else {
            output::print(&format!("{version} was taken back.\n"))
        }
    }
}
