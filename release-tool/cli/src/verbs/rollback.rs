//! `vrel rollback`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::moves::{Asked, MoveOptions, carry_out};
use crate::session::Session;
use clap::Args;
use vrel_model::{ChannelName, Reason, Version};
use vrel_process::channels::plan_rollback;
use vrel_world::World;

/// Make a channel lead to an older release again.
///
/// Nothing is built or removed: a new pointer, with a higher number, leads to a release that the channel has had before and
/// whose every byte verifies now. Readers see that the channel went back, from what, why and when. The next release must be
/// newer than all that the channel has had, and ends the rollback; so does going back to the newest one. Who did it is
/// recorded in releases/VERSION/rollbacks.toml of the records, where VERSION is the newest release that the channel has had.
/// Without `--to`, the release before the head is proposed and nothing is done.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel rollback stable\n  vrel rollback stable --to 0.6.0 --reason 'loses data on ext4' --dry-run\n  \
                        vrel rollback stable --to 0.6.0 --reason 'loses data on ext4' --yes"
)]
pub(crate) struct Rollback {
    /// The channel.
    channel: ChannelName,
    /// The release that it goes back to.
    #[arg(long, value_name = "VERSION", requires = "reason")]
    to: Option<Version>,
    /// Why, in one line; users see it.
    #[arg(long, value_name = "TEXT")]
    reason: Option<Reason>,
    #[command(flatten)]
    options: MoveOptions,
}

impl Rollback {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let Self {
            channel,
            to,
            reason,
            options,
        } = self;
        let session = Session::open(app, options.release, options.keys, "vrel rollback")?;
        let channels = session.channels();
        channels.refresh()?;
        let (Some(to), Some(reason)) = (to, reason) else {
            return propose(&session, &channel);
        };
        let now = channels.look(std::slice::from_ref(&to), &[])?;
        let plan = plan_rollback(&now.facts, &channel, &to, &reason, app.world.now());
        let asked = Asked {
            verb: "rollback",
            message: format!("chore(release): {channel} goes back to {to}"),
            already: format!("{channel} leads to {to} already"),
            question: format!("Roll {channel} back to {to}?"),
            agree: &options.agree,
        };
        carry_out(app, &session, &now, &plan, &asked)
    }
}

/// Says what the channel could go back to.
fn propose(session: &Session<'_>, channel: &ChannelName) -> Outcome {
    let now = session.channels().look(&[], &[])?;
    let Some(head) = now.facts.head(channel) else {
        let message = format!("there is no release in a channel {channel}");
        return Err(Failure::new(FailureKind::Policy, message).hint("see `vrel channel list`"));
    };
    let message = "say what to go back to with `--to`, and why with `--reason`";
    let failure = Failure::new(FailureKind::Usage, message);
    Err(match now.facts.previous_good(channel) {
        Some(good) => failure.hint(format!(
            "the release before {}: `vrel rollback {channel} --to {good} --reason …`",
            head.release
        )),
        None => failure.hint(format!(
            "{} is the only good release of {channel}: there is nothing to go back to",
            head.release
        )),
    })
}
