//! `vrel explain`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::verbs::plan::{already_done, plan_of, short};
use crate::verbs::promote::planned_promotion;
use clap::Args;
use vrel_model::{Arch, ChannelName, Version};
use vrel_process::{Finding, Severity};

/// Say why a release cannot ship yet, and what to do about each reason.
///
/// Everything that its command would refuse, in the order in which it is best settled: what is wrong with this machine, with
/// the repository and the rules, then gates, time of testing, approvals. Changes nothing. Ends with 0 when it can ship, and with 3
/// otherwise.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel explain 0.6.0\n  vrel explain 1.1.4 --to lts\n  vrel explain 0.6.0-rc2 --json | jq '.obstacles[].remedy'"
)]
pub(crate) struct Explain {
    /// The release, for example 0.6.0.
    version: Version,
    /// The release without this architecture, as `vrel cut-rc --without` makes it. Can be given several times.
    #[arg(long, value_name = "ARCH")]
    without: Vec<Arch>,
    /// The release made of this candidate, as `vrel release --candidate` makes it.
    #[arg(long, value_name = "VERSION")]
    candidate: Option<Version>,
    /// Not the release, but its promotion to this channel, as `vrel promote --to` makes it.
    #[arg(long, value_name = "CHANNEL", conflicts_with_all = ["without", "candidate"])]
    to: Option<ChannelName>,
}

/// What is explained.
struct Explained<'a> {
    /// `0.6.0 can ship` and `0.6.0 cannot ship`.
    can: String,
    cannot: String,
    /// Whither and of which commit, where that is known: ` in the channel stable from commit 0123`.
    whither: String,
    channel: Option<&'a ChannelName>,
    commit: Option<&'a str>,
    findings: &'a [Finding],
    /// Whether there is something that could be done.
    is_planned: bool,
}

/// Where a finding stands among the others: an approval of a plan that is going to change would be given twice.
fn rank(finding: &Finding) -> u8 {
    match (finding.check, finding.severity) {
        ("approvals", _) => 4,
        ("soak", _) => 3,
        ("gates", _) => 2,
        (_, Severity::Environment) => 0,
        _ => 1,
    }
}

impl Explain {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        if let Some(to) = &self.to {
            return self.explain_promotion(app, to);
        }
        let planned = plan_of(app, &self.version, &self.without, self.candidate.as_ref())?;
        if let Some(commit) = &planned.outcome.already_done {
            return Err(already_done(&self.version, commit));
        }
        // The channel of a plan that cannot be drawn up is not known.
        let plan = planned.outcome.plan.as_ref();
        let whither = plan.map(|plan| {
            format!(
                " in the channel {} from commit {}",
                plan.channel,
                short(&plan.commit)
            )
        });
        self.tell(
            app,
            &Explained {
                can: format!("{} can ship", self.version),
                cannot: format!("{} cannot ship", self.version),
                whither: whither.unwrap_or_default(),
                channel: plan.map(|plan| &plan.channel),
                commit: plan.map(|plan| plan.commit.as_str()),
                findings: &planned.outcome.findings,
                is_planned: plan.is_some(),
            },
        )
    }

    fn explain_promotion(&self, app: &App, to: &ChannelName) -> Outcome {
        let (site, policies) = app.site()?;
        let (_, plan) = planned_promotion(app, &site, &policies, &self.version, to, true)?;
        if plan.is_done {
            let message = format!("{} is public in {to} already", self.version);
            return Err(Failure::new(FailureKind::NothingToDo, message));
        }
        let commit = plan.promotion.as_ref().map(|promotion| promotion.commit.as_str());
        let whither = commit.map(|commit| format!(", of commit {}", short(commit)));
        self.tell(
            app,
            &Explained {
                can: format!("{} can be promoted to {to}", self.version),
                cannot: format!("{} cannot be promoted to {to}", self.version),
                whither: whither.unwrap_or_default(),
                channel: Some(to),
                commit,
                findings: &plan.findings,
                is_planned: plan.promotion.is_some(),
            },
        )
    }

    /// Says what stands in the way, and ends as a gate does.
    fn tell(&self, app: &App, explained: &Explained<'_>) -> Outcome {
        let (mut obstacles, warnings): (Vec<&Finding>, Vec<&Finding>) =
            explained.findings.iter().partition(|finding| finding.is_fatal());
        obstacles.sort_by_key(|finding| rank(finding));
        let is_free = obstacles.is_empty() && explained.is_planned;
        if app.global.json {
            let row = |finding: &&Finding| {
                serde_json::json!({
                    "check": finding.check, "severity": finding.severity, "message": finding.message,
                    "remedy": finding.hint,
                })
            };
            output::print_json(&serde_json::json!({
                "version": self.version, "channel": explained.channel, "commit": explained.commit,
                "can-ship": is_free, "obstacles": obstacles.iter().map(row).collect::<Vec<_>>(),
                "warnings": warnings.iter().map(row).collect::<Vec<_>>(),
            }))?;
        } else {
            output::print(&describe(explained, &obstacles, &warnings, is_free))?;
        }
        if is_free {
            Ok(())
        } else {
            Err(Failure::told(FailureKind::Policy))
        }
    }
}

fn describe(
    explained: &Explained<'_>,
    obstacles: &[&Finding],
    warnings: &[&Finding],
    is_free: bool,
) -> String {
    let whither = &explained.whither;
    let mut text = if is_free {
        format!("{}{whither}\n", explained.can)
    } else {
        format!("{}{whither} yet:\n", explained.cannot)
    };
    for (index, finding) in obstacles.iter().enumerate() {
        text += &format!("\n{:>2}. {finding}\n", index + 1);
        if let Some(remedy) = &finding.hint {
            text += &format!("    → {remedy}\n");
        }
    }
    if !warnings.is_empty() {
        text += "\nWorth knowing\n";
    }
    for warning in warnings {
        text += &format!("  {warning}\n");
    }
    text
}
