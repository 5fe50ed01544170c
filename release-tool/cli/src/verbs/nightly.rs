//! `vrel nightly`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::progress::Reporter;
use crate::secrets::KeyOptions;
use crate::session::{ReleaseOptions, Session};
use crate::verbs::plan::{short, warn};
use clap::Args;
use vrel_engine::{Failing, Health, NightlyOutcome, health, nothing_due};
use vrel_model::Plan;

/// Publish the newest commit of the development branch that passes, once a day.
///
/// Made for a timer: it asks nothing, ends at once with exit code 10 when nothing changed since the last nightly, and goes
/// on after an interrupted run. When the newest commit does not build or boot, it searches for the commit that broke it,
/// says whose it is and since when it fails, and publishes the newest commit before it, or the newest one without an
/// architecture that may lag; the exit code is then 3. Two runs at a time do not overlap: the second is refused.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  git pull --quiet --ff-only && vrel nightly --password-file /run/keys/release.pass\n  \
                        vrel nightly --check   # an alarm when the channel is stale or failing"
)]
pub(crate) struct Nightly {
    /// Make nothing; say how the channel stands, and fail when it is stale or the last run found something broken.
    #[arg(long)]
    check: bool,
    /// Start a new origin where `publish.origin` in vrel.toml has none yet.
    #[arg(long, conflicts_with = "check")]
    init_origin: bool,
    #[command(flatten)]
    release: ReleaseOptions,
    #[command(flatten)]
    keys: KeyOptions,
}

impl Nightly {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        if self.check {
            return check(app);
        }
        let session =
            Session::open(app, self.release, self.keys, "vrel nightly")?.init_origin(self.init_origin);
        let nothing = nothing_due(&app.world, session.site(), session.policies())?;
        let outcome = match nothing {
            Some(outcome) => outcome,
            None => {
                let reporter = Reporter::new(app.global.json, app.global.verbose);
                let outcome = session.nightly(&reporter);
                reporter.clear();
                outcome?
            }
        };
        say(app, outcome)
    }
}

fn say(app: &App, outcome: NightlyOutcome) -> Outcome {
    let nothing = |message: String| Err(Failure::new(FailureKind::NothingToDo, message));
    match outcome {
        NightlyOutcome::Unchanged(head) => nothing(format!(
            "nothing changed since {}: {} is still the newest commit",
            head.version,
            short(&head.commit)
        )),
        NightlyOutcome::MadeToday(head) => nothing(format!(
            "{} is published already; what landed since waits for tomorrow",
            head.version
        )),
        NightlyOutcome::Forbidden(findings) => {
            warn(&findings);
            Err(Failure::from_findings(&findings))
        }
        NightlyOutcome::Published(plan, failing) => {
            published(app, &plan)?;
            failing.map_or(Ok(()), |failing| Err(broken(&failing)))
        }
        NightlyOutcome::Broken(failing) => Err(broken(&failing).hint("nothing was published")),
    }
}

fn published(app: &App, plan: &Plan) -> Outcome {
    if app.global.json {
        let line = serde_json::json!({
            "event": "released", "version": plan.version, "channel": plan.channel, "commit": plan.commit,
            "lagging": plan.lagging,
        });
        return output::print(&format!("{line}\n"));
    }
    let without: String = plan
        .lagging
        .iter()
        .map(|late| format!(", without {} until {}", late.arch, late.until))
        .collect();
    output::print(&format!(
        "{} {} of {} is published in the channel {}{without}.\n",
        plan.product_name,
        plan.version,
        short(&plan.commit),
        plan.channel
    ))
}

/// What is broken, since when, and whose change it was.
fn describe(failing: &Failing) -> Vec<String> {
    let broken = &failing.broken;
    let of = broken
        .arch
        .map_or_else(String::new, |arch| format!(" for {arch}"));
    let mut lines = vec![format!(
        "`{}` fails{of} at {}, since {}",
        broken.check,
        short(&broken.tip),
        failing.since
    )];
    lines.push(match (&broken.first_bad, &broken.last_good) {
        (Some(bad), _) => format!(
            "the first bad commit is {} “{}” by {}",
            short(&bad.commit),
            bad.subject,
            bad.author
        ),
        (None, Some(good)) => format!(
            "the development branch does not come from {}, the last good commit, so none can be blamed",
            short(good)
        ),
        (None, None) => "there was no good nightly before, so no commit can be blamed".to_owned(),
    });
    lines.push(broken.message.clone());
    lines
}

fn broken(failing: &Failing) -> Failure {
    let mut failure = Failure::new(FailureKind::Policy, String::new());
    failure.messages = describe(failing);
    match &failing.broken.first_bad {
        Some(bad) => failure.hint(format!(
            "see it with `git show {}`; mend it or revert it",
            short(&bad.commit)
        )),
        None => failure,
    }
}

fn check(app: &App) -> Outcome {
    let (site, policies) = app.site()?;
    let health = health(&app.world, &site, &policies)?;
    if app.global.json {
        output::print_json(&serde_json::json!(health))?;
    } else {
        output::print(&summary(&health))?;
    }
    let mut messages = Vec::new();
    if let Some(hours) = health.overdue_hours {
        messages.push(format!(
            "the channel {} is stale: its newest release is {hours} h older than its policy allows",
            policies.config.publish.nightly_channel
        ));
        if health.failing.is_none() {
            messages.push("no run has found anything broken: does the timer run?".to_owned());
        }
    }
    if let Some(failing) = &health.failing {
        messages.extend(describe(failing));
    }
    if messages.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::new(FailureKind::Policy, String::new());
    failure.messages = messages;
    Err(failure)
}

fn summary(health: &Health) -> String {
    match (&health.newest, &health.commit, &health.created) {
        (Some(newest), Some(commit), Some(created)) => {
            format!("newest nightly  {newest} of {}, made {created}\n", short(commit))
        }
        _ => "no nightly is published\n".to_owned(),
    }
}
