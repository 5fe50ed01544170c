//! `vrel explain`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::verbs::plan::{Planned, already_done, plan_of, short};
use clap::Args;
use vrel_model::{Arch, Version};
use vrel_process::{Finding, Severity};

/// Say why a release cannot ship yet, and what to do about each reason.
///
/// Everything that its command would refuse, in the order in which it is best settled: what is wrong with this machine, with
/// the repository and the rules, then gates, time of testing, approvals. Changes nothing. Ends with 0 when it can ship, and with 3
/// otherwise.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel explain 0.6.0\n  vrel explain 0.6.0-rc2 --json | jq '.obstacles[].remedy'"
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
        let planned = plan_of(app, &self.version, &self.without, self.candidate.as_ref())?;
        if let Some(commit) = &planned.outcome.already_done {
            return Err(already_done(&self.version, commit));
        }
        let mut obstacles: Vec<&Finding> = planned
            .outcome
            .findings
            .iter()
            .filter(|finding| finding.is_fatal())
            .collect();
        obstacles.sort_by_key(|finding| rank(finding));
        // The channel of a plan that cannot be drawn up is not known.
        let can_ship = obstacles.is_empty() && planned.outcome.plan.is_some();
        if app.global.json {
            self.print_json(&planned, &obstacles, can_ship)?;
        } else {
            output::print(&self.describe(&planned, &obstacles, can_ship))?;
        }
        if can_ship {
            Ok(())
        } else {
            Err(Failure::told(FailureKind::Policy))
        }
    }

    fn print_json(&self, planned: &Planned, obstacles: &[&Finding], can_ship: bool) -> Outcome {
        let plan = planned.outcome.plan.as_ref();
        let row = |finding: &Finding| {
            serde_json::json!({
                "check": finding.check, "severity": finding.severity, "message": finding.message,
                "remedy": finding.hint,
            })
        };
        let warnings = planned.outcome.findings.iter();
        let warnings = warnings.filter(|finding| !finding.is_fatal());
        output::print_json(&serde_json::json!({
            "version": self.version, "channel": plan.map(|plan| &plan.channel), "commit": plan.map(|plan| &plan.commit),
            "can-ship": can_ship, "obstacles": obstacles.iter().map(|finding| row(finding)).collect::<Vec<_>>(),
            "warnings": warnings.map(row).collect::<Vec<_>>(),
        }))
    }

    fn describe(&self, planned: &Planned, obstacles: &[&Finding], can_ship: bool) -> String {
        let version = &self.version;
        let whither = planned.outcome.plan.as_ref().map_or_else(String::new, |plan| {
            format!(
                " in the channel {} from commit {}",
                plan.channel,
                short(&plan.commit)
            )
        });
        let mut text = if can_ship {
            format!("{version} can ship{whither}\n")
        } else {
            format!("{version} cannot ship{whither} yet:\n")
        };
        for (index, finding) in obstacles.iter().enumerate() {
            text += &format!("\n{:>2}. {finding}\n", index + 1);
            if let Some(remedy) = &finding.hint {
                text += &format!("    → {remedy}\n");
            }
        }
        let warnings: Vec<_> = planned
            .outcome
            .findings
            .iter()
            .filter(|finding| !finding.is_fatal())
            .map(|finding| format!("  {finding}\n"))
            .collect();
        if !warnings.is_empty() {
            text += "\nWorth knowing\n";
            text += &warnings.concat();
        }
        text
    }
}
