//! `vrel dud`.

use crate::app::App;
use crate::exit::Outcome;
use crate::moves::{Asked, MoveOptions, carry_out};
use crate::session::Session;
use clap::Args;
use std::collections::BTreeMap;
use vrel_model::{AdvisoryId, Reason, Version};
use vrel_process::channels::{DudRequest, plan_dud};
use vrel_world::World;

/// Declare a published release a dud, which nobody may use.
///
/// Its number is burnt: it is never again the head of a channel, no release follows it in notes and comparisons, and whoever
/// verifies or fetches it is told the reason (exit code 5). Its files stay where they are. A release that is the head of a
/// channel becomes a dud only together with a rollback, which is one replacement of the pointer. Who did it is recorded in
/// releases/VERSION/dud.toml of the records. This cannot be taken back.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel dud 0.6.0-rc2 --reason 'does not boot on aarch64'\n  \
                        vrel dud 0.6.1 --reason 'loses data' --advisory CVE-2026-12345 --rollback --dry-run\n  \
                        vrel dud 0.6.1 --reason 'loses data' --rollback-to 0.6.0 --yes"
)]
pub(crate) struct Dud {
    /// The release.
    version: Version,
    /// Why, in one line; users see it.
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
    /// The id of the security advisory that says more.
    #[arg(long, value_name = "ID")]
    advisory: Option<AdvisoryId>,
    /// Let every channel whose head it is go back to the newest good release before it.
    #[arg(long, conflicts_with = "rollback_to")]
    rollback: bool,
    /// Let every channel whose head it is go back to this release.
    #[arg(long, value_name = "VERSION")]
    rollback_to: Option<Version>,
    #[command(flatten)]
    options: MoveOptions,
}

impl Dud {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let Self {
            version,
            reason,
            options,
            ..
        } = &self;
        let session = Session::open(app, options.release.clone(), options.keys.clone(), "vrel dud")?;
        let channels = session.channels();
        channels.refresh()?;
        // Which releases have to be verified depends on what the channels lead to.
        let facts = channels.look(&[], &[])?.facts;
        let mut back = BTreeMap::new();
        for channel in facts.head_of(version) {
            let good = || facts.previous_good(&channel).filter(|_| self.rollback).cloned();
            if let Some(to) = self.rollback_to.clone().or_else(good) {
                back.insert(channel, to);
            }
        }
        let to: Vec<Version> = back.values().cloned().collect();
        let now = channels.look(&to, &[])?;
        let request = DudRequest {
            version,
            reason,
            advisory: self.advisory.as_ref(),
            back: &back,
        };
        let plan = plan_dud(&now.facts, &request, app.world.now());
        let asked = Asked {
            verb: "dud",
            message: format!("chore(release): {version} is a dud"),
            already: format!("{version} is a dud already"),
            question: format!("Declare {version} a dud, for good?"),
            agree: &options.agree,
        };
        carry_out(app, &session, &now, &plan, &asked)
    }
}
