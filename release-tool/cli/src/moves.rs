//! What the verbs share that move the pointer without building: show, ask, replace, record.

use crate::agree::Agree;
use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::secrets::KeyOptions;
use crate::session::{ReleaseOptions, Session};
use crate::verbs::plan::warn;
use clap::Args;
use serde_json::json;
use vrel_engine::channels::ChannelsNow;
use vrel_model::Pointer;
use vrel_process::Finding;
use vrel_process::channels::{MovePlan, PointerMove};

/// Options of these verbs.
#[derive(Clone, Debug, Args)]
pub(crate) struct MoveOptions {
    #[command(flatten)]
    pub(crate) agree: Agree,
    #[command(flatten)]
    pub(crate) release: ReleaseOptions,
    #[command(flatten)]
    pub(crate) keys: KeyOptions,
}

/// A move that a person asked for.
pub(crate) struct Asked<'a> {
    /// The verb, for the lock and for `event` in JSON.
    pub(crate) verb: &'static str,
    /// The first line of the commit in the records.
    pub(crate) message: String,
    /// What is said when the pointer says so already.
    pub(crate) already: String,
    /// What is asked before the pointer is replaced.
    pub(crate) question: String,
    /// Whether and how to ask.
    pub(crate) agree: &'a Agree,
}

/// Shows a plan, asks, replaces the pointer, and records it. When the pointer says so already, only what the records lack
/// is written; where they lack nothing, there is nothing to do.
///
/// # Errors
/// When the rules forbid it, nobody agrees, the key cannot be used, somebody else was faster, or the machine fails.
pub(crate) fn carry_out(
    app: &App,
    session: &Session<'_>,
    now: &ChannelsNow,
    plan: &MovePlan,
    asked: &Asked<'_>,
) -> Outcome {
    warn(&plan.findings);
    if plan.findings.iter().any(Finding::is_fatal) {
        return Err(Failure::from_findings(&plan.findings));
    }
    let channels = session.channels();
    let Some(change) = &plan.change else {
        return finish(session, now, asked);
    };
    let before = now.facts.pointer.as_ref();
    if asked.agree.dry_run {
        if app.global.json {
            return output::print_json(&planned_json(asked.verb, before, plan));
        }
        return output::print(&describe(before, plan));
    }
    output::say(describe(before, plan).trim_end());
    asked.agree.ask(&asked.question)?;
    let key = session.pointer_key()?;
    let pointer = channels.apply(now, change, &key, &format!("vrel {}", asked.verb))?;
    let recorded = channels.record(now, &pointer, &asked.message);
    if let Err(error) = recorded {
        let failure = Failure::from(error);
        return Err(failure.hint(format!(
            "pointer {} is public and says so; run the same command again to write the record",
            pointer.version
        )));
    }
    if app.global.json {
        return output::print_json(&as_json("done", asked.verb, pointer.version, change, plan));
    }
    output::print(&format!("Pointer {} is public.\n", pointer.version))
}

/// The pointer says so already: what an interrupted run did not record is recorded.
fn finish(session: &Session<'_>, now: &ChannelsNow, asked: &Asked<'_>) -> Outcome {
    let nothing = || Err(Failure::new(FailureKind::NothingToDo, asked.already.clone()));
    let Some(pointer) = now.facts.pointer.as_ref().filter(|_| !asked.agree.dry_run) else {
        return nothing();
    };
    let changed = session.channels().record(now, pointer, &asked.message)?;
    if changed.is_nothing() {
        return nothing();
    }
    output::say(&format!(
        "{}; an earlier run was interrupted: it is recorded now",
        asked.already
    ));
    Ok(())
}

/// What the plan comes to, as a person reads it.
#[must_use]
pub(crate) fn describe(pointer: Option<&Pointer>, plan: &MovePlan) -> String {
    let number = number(pointer);
    let mut text = format!("pointer {number} is replaced by pointer {}:\n", number + 1);
    for effect in &plan.effects {
        text += &format!("  {effect}\n");
    }
    text
}

fn number(pointer: Option<&Pointer>) -> u64 {
    pointer.map_or(0, |pointer| pointer.version)
}

/// A plan as `vrel plan --json` prints it.
#[must_use]
pub(crate) fn planned_json(verb: &str, pointer: Option<&Pointer>, plan: &MovePlan) -> serde_json::Value {
    let change = plan.change.as_ref();
    change.map_or(serde_json::Value::Null, |change| {
        as_json("planned", verb, number(pointer) + 1, change, plan)
    })
}

fn as_json(
    state: &str,
    verb: &str,
    pointer: u64,
    change: &PointerMove,
    plan: &MovePlan,
) -> serde_json::Value {
    let dud = change
        .dud
        .as_ref()
        .map(|(version, dud)| json!({"version": version, "dud": dud}));
    let published = change
        .published
        .as_ref()
        .map(|(channel, head)| json!({"channel": channel, "head": head}));
    json!({
        "state": state, "verb": verb, "pointer": pointer, "heads": change.heads, "published": published, "dud": dud,
        "effects": plan.effects,
    })
}
