//! `vrel cut-rc`.

use crate::agree::confirm;
use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::secrets::KeyOptions;
use crate::session::{ReleaseOptions, Session};
use crate::verbs::plan::{already_done, describe, warn};
use clap::Args;
use vrel_engine::Journal;
use vrel_model::{Arch, Version};
use vrel_process::{Finding, plan_cut_rc};
use vrel_world::World;

/// Cut a release candidate: build, boot, sign, publish, tag, announce.
///
/// Shows the plan, asks on a terminal, and follows it under a journal. Everything is checked before anything changes.
/// After an interruption of any kind `vrel resume` goes on; until the push `vrel undo` takes everything back.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel cut-rc 0.6.0-rc1\n  vrel cut-rc 0.6.0-rc1 --init-origin   # the very first release\n  \
                        vrel cut-rc 0.6.0-rc2 --yes --json --password-file /run/keys/release.pass"
)]
pub(crate) struct CutRc {
    /// The candidate's version, for example 0.6.0-rc1.
    version: Version,
    /// Publish without this architecture of tier 2 at first, where the channel lets it lag; `vrel status` says until
    /// when it may follow. Can be given several times.
    #[arg(long, value_name = "ARCH")]
    without: Vec<Arch>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Start a new origin where `publish.origin` in vrel.toml has none yet.
    #[arg(long)]
    init_origin: bool,
    #[command(flatten)]
    release: ReleaseOptions,
    #[command(flatten)]
    keys: KeyOptions,
}

impl CutRc {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let command = format!("vrel cut-rc {}", self.version);
        let session = Session::open(app, self.release, self.keys, &command)?.init_origin(self.init_origin);

        let snapshot = session.complete_snapshot(&self.version)?;
        let outcome = plan_cut_rc(&snapshot, &self.version, &self.without, app.world.now());
        if let Some(commit) = outcome.already_done {
            return Err(already_done(&self.version, &commit));
        }
        let question = format!("Cut {}?", self.version);
        carry_out(app, &session, outcome, &question, self.yes)
    }
}

/// Shows a plan, asks whether to follow it, and does.
pub(crate) fn carry_out(
    app: &App,
    session: &Session<'_>,
    outcome: vrel_process::Outcome,
    question: &str,
    agreed: bool,
) -> Outcome {
    warn(&outcome.findings);
    // Every finding at once, and nothing has changed yet.
    if outcome.findings.iter().any(Finding::is_fatal) {
        return Err(Failure::from_findings(&outcome.findings));
    }
    let plan = outcome
        .plan
        .ok_or_else(|| Failure::new(FailureKind::Bug, "there is neither a plan nor a finding"))?;

    if !app.global.json {
        output::say(&describe(&plan));
    }
    // A person sees what becomes public before it does; a machine says so beforehand.
    if !agreed {
        confirm(question)?;
    }

    // The password is asked for before the journal starts: a wrong one leaves nothing behind.
    let signers = session.signers(&plan)?;
    session.prepare_origin()?;
    let mut journal = Journal::start(&app.world, session.site(), plan)?;
    session.follow(&mut journal, &signers)
}
