//! `vrel promote`.

use crate::app::App;
use crate::exit::{Failure, Outcome};
use crate::moves::{Asked, MoveOptions, carry_out};
use crate::secrets::key_ring;
use crate::session::{Session, jobs};
use clap::Args;
use std::num::NonZeroUsize;
use vrel_engine::Site;
use vrel_engine::channels::{Channels, ChannelsNow};
use vrel_model::{ChannelName, Version};
use vrel_process::Policies;
use vrel_process::channels::{MovePlan, plan_promotion};
use vrel_world::World;

/// Make a published release the head of another channel, without building anything.
///
/// Every byte of the release is verified as a reader would; then the pointer is replaced by one in which the channel leads
/// to the same digests. The release must be admitted by `stages` of the channel, come out of one of the channels that `from`
/// names, have been tested there for `soak-days`, be whole, be newer than all that the channel has had, and meet the channel's
/// `gates` with as many `approvals` of this promotion (`vrel approve VERSION --to CHANNEL`) as it asks for. Who did it is
/// recorded in releases/VERSION/promotions.toml of the records. When the channel leads there already, there is nothing to do
/// (exit code 10).
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel promote 1.1.4 --to lts --dry-run\n  \
                        vrel promote 1.1.4 --to lts --yes --password-file /run/keys/pointer.pass")]
pub(crate) struct Promote {
    /// The release, which is published.
    version: Version,
    /// The channel that it enters.
    #[arg(long, value_name = "CHANNEL")]
    to: ChannelName,
    #[command(flatten)]
    options: MoveOptions,
}

/// What a promotion would be, as far as can be told without keys; with the newest records where `refresh` says so.
///
/// # Errors
/// When a fact cannot be gathered.
pub(crate) fn planned_promotion(
    app: &App,
    site: &Site,
    policies: &Policies,
    version: &Version,
    to: &ChannelName,
    refresh: bool,
) -> Result<(ChannelsNow, MovePlan), Failure> {
    let ring = key_ring(app, &site.public_keys(), &policies.signing)?;
    let channels = Channels {
        world: &app.world,
        site,
        policies,
        ring: &ring,
        threads: NonZeroUsize::new(jobs(None)).unwrap_or(NonZeroUsize::MIN),
    };
    look_and_plan(app, &channels, version, to, refresh)
}

fn look_and_plan(
    app: &App,
    channels: &Channels<'_>,
    version: &Version,
    to: &ChannelName,
    refresh: bool,
) -> Result<(ChannelsNow, MovePlan), Failure> {
    if refresh {
        channels.refresh()?;
    }
    let now = channels.look(std::slice::from_ref(version), std::slice::from_ref(to))?;
    let plan = plan_promotion(&now.facts, version, to, app.world.now());
    Ok((now, plan))
}

impl Promote {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let Self { version, to, options } = self;
        let session = Session::open(app, options.release, options.keys, "vrel promote")?;
        let (now, plan) = look_and_plan(app, &session.channels(), &version, &to, true)?;
        let asked = Asked {
            verb: "promote",
            message: format!("chore(release): {version} is promoted to {to}"),
            already: format!("{version} is the head of {to} already"),
            question: format!("Promote {version} to {to}?"),
            agree: &options.agree,
        };
        carry_out(app, &session, &now, &plan, &asked)
    }
}
