//! What people and programs see of freezes.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::verbs::plan::short;
use vrel_engine::freeze::{FreezePlan, FreezeReport, LandedReport};
use vrel_engine::records::RecordsState;
use vrel_model::Line;
use vrel_model::freeze::{FreezeState, FreezeWindow};

/// Prints a plan.
///
/// # Errors
/// When standard output cannot be written; so for all that print.
pub(super) fn plan(app: &App, plan: &FreezePlan) -> Outcome {
    if app.global.json {
        output::print_json(&serde_json::json!({"plan": plan}))
    } else {
        output::print(&describe(plan))
    }
}

/// The answer to starting what stands already.
pub(super) fn nothing(plan: &FreezePlan) -> Failure {
    let message = format!("{} {} already", plan.line, period(&plan.window, plan.state));
    Failure::new(FailureKind::NothingToDo, message)
}

/// The plan as a person reads it.
pub(super) fn describe(plan: &FreezePlan) -> String {
    let rows: Vec<_> = plan
        .steps
        .iter()
        .map(|step| {
            let done = if step.done { "(done)" } else { "" };
            vec![step.object.clone(), step.what.clone(), done.to_owned()]
        })
        .collect();
    let table = output::table(&rows, &[]);
    let steps: String = table.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "{} {}\n{}\n{steps}",
        plan.line,
        period(&plan.window, plan.state),
        about(&plan.window)
    )
}

/// Prints what was started.
pub(super) fn started(app: &App, plan: &FreezePlan) -> Outcome {
    if app.global.json {
        return output::print_json(&serde_json::json!({"freeze": plan}));
    }
    let draft = plan.steps.last().map_or("", |step| step.object.as_str());
    let mut text = format!(
        "{} {}.\n  announcement  {draft}\n  exceptions    vrel freeze except {} COMMIT …\n",
        plan.line,
        period(&plan.window, plan.state),
        plan.line
    );
    if plan.state == FreezeState::Announced {
        text += &format!(
            "  on that day   vrel freeze start {} makes the release branch\n",
            plan.line
        );
    }
    output::print(&text)
}

/// Since when and until when.
fn period(window: &FreezeWindow, state: FreezeState) -> String {
    let until = window
        .over_since()
        .map_or_else(String::new, |end| format!(" until {end}"));
    match state {
        FreezeState::Announced => format!("will be frozen from {}{until}", window.starts),
        FreezeState::Frozen => format!("is frozen since {}{until}", window.starts),
        FreezeState::Over => {
            let over = window
                .over_since()
                .map_or_else(String::new, |end| format!(" to {end}"));
            format!("is not frozen; it was from {}{over}", window.starts)
        }
    }
}

fn about(window: &FreezeWindow) -> String {
    let branches: Vec<_> = window.branches.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "  branches  {}\n  by        {}\n  reason    {}\n",
        branches.join(", "),
        window.by,
        window.reason
    );
    if let Some(commit) = &window.commit {
        text += &format!("  from      {}\n", short(commit));
    }
    if let Some(end) = &window.end {
        text += &format!("  ended     by {} on {}: {}\n", end.by, end.at, end.reason);
    }
    text
}

/// Prints how freezes stand.
pub(super) fn status(
    app: &App,
    line: Option<Line>,
    reports: &[FreezeReport],
    records: &RecordsState,
) -> Outcome {
    if app.global.json {
        return output::print_json(&serde_json::json!({"freezes": reports, "records": records}));
    }
    let mut text = String::new();
    if reports.is_empty() {
        text += &match line {
            Some(line) => format!("{line} was never frozen.\n"),
            None => "No line was ever frozen.\n".to_owned(),
        };
    }
    for report in reports {
        text += &describe_report(report);
    }
    match (&records.tip, records.time) {
        (Some(tip), Some(time)) => {
            let pushed = if records.pushed {
                ""
            } else {
                ", not on the remote yet"
            };
            text += &format!(
                "As of {time} (records at {}{pushed}); `--fetch` asks the remote.\n",
                short(tip)
            );
        }
        _ => text += "There are no records here; `--fetch` asks the remote.\n",
    }
    output::print(&text)
}

fn describe_report(report: &FreezeReport) -> String {
    let mut text = format!(
        "{} {}\n{}",
        report.line,
        period(&report.window, report.state),
        about(&report.window)
    );
    if report.branch_due {
        text += &format!(
            "  due       the release branch: run `vrel freeze start {}`\n",
            report.line
        );
    }
    for one in &report.exceptions {
        let exception = &one.exception;
        let state = if one.expired { "expired" } else { "holds" };
        text += &format!(
            "  exception {} {state} until {}: {} ({} risk, {}: {})\n",
            one.number, exception.until, exception.what, exception.risk, exception.approver, exception.reason
        );
        for commit in &one.used_by {
            text += &format!("      used by {}\n", short(commit));
        }
    }
    if let Some(landed) = &report.landed {
        text += &describe_landed(landed);
    }
    text
}

fn describe_landed(landed: &LandedReport) -> String {
    let parts = [
        (landed.fixes, "fixes"),
        (landed.paths, "in open paths"),
        (landed.exceptions, "by exceptions"),
        (landed.merges, "merges"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let landed_so_far = if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(", ")
    };
    let mut text = format!("  landed    {landed_so_far}\n");
    for refusal in &landed.against {
        text += &format!(
            "  AGAINST THE RULE {} {} ({}): {}\n",
            short(&refusal.commit),
            refusal.subject,
            refusal.author,
            refusal.why
        );
    }
    text
}
