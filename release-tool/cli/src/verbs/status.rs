//! `vrel status`.

use crate::app::App;
use crate::exit::Outcome;
use crate::output;
use crate::verbs::plan::short;
use clap::Args;
use serde::Serialize;
use vrel_engine::{Journal, JournalState, load_all, origin_facts};
use vrel_model::{UtcTime, Version};

/// Say how the releases of this repository stand.
///
/// Lists every release that was started here, from its journal, and the heads of the origin's channels.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel status\n  vrel status --json")]
pub(crate) struct Status {}

#[derive(Debug, Serialize)]
struct Row {
    version: Version,
    channel: String,
    commit: String,
    since: UtcTime,
    #[serde(flatten)]
    state: JournalState,
    undo_possible: bool,
}

impl Status {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, _) = app.site()?;
        let rows: Vec<Row> = load_all(&app.world, &site)?.iter().map(row).collect();
        let origin = origin_facts(&app.world, &site)?;
        if app.global.json {
            let heads = &origin.heads;
            let origin = serde_json::json!({
                "path": site.origin(), "exists": origin.exists, "pointer": origin.pointer_version, "heads": heads,
            });
            return output::print_json(&serde_json::json!({"releases": rows, "origin": origin}));
        }
        let mut text = if rows.is_empty() {
            "No release was started in this repository.\n".to_owned()
        } else {
            let head = ["release", "channel", "commit", "started", "state"]
                .map(str::to_owned)
                .to_vec();
            let lines = rows.iter().map(|row| {
                let commit = short(&row.commit).to_owned();
                vec![
                    row.version.to_string(),
                    row.channel.clone(),
                    commit,
                    row.since.to_string(),
                    describe(row),
                ]
            });
            output::table(&std::iter::once(head).chain(lines).collect::<Vec<_>>(), &[])
        };
        match origin.pointer_version {
            None => text += &format!("Origin {}: nothing published.\n", site.origin().display()),
            Some(version) => {
                text += &format!("Origin {}: pointer {version}\n", site.origin().display());
                for (channel, head) in &origin.heads {
                    text += &format!("  {channel}: {head}\n");
                }
            }
        }
        output::print(&text)
    }
}

fn row(journal: &Journal) -> Row {
    let plan = journal.plan();
    let reached = plan
        .steps
        .iter()
        .any(|step| !step.reversible && journal.was_begun(&step.name));
    Row {
        version: plan.version.clone(),
        channel: plan.channel.to_string(),
        commit: plan.commit.clone(),
        since: plan.created,
        state: journal.state(),
        undo_possible: journal.is_open() && !reached,
    }
}

fn describe(row: &Row) -> String {
    let undo = if row.undo_possible { " or `vrel undo`" } else { "" };
    match &row.state {
        JournalState::Finished => "published".to_owned(),
        JournalState::Undone => "taken back".to_owned(),
        JournalState::Undoing => "being taken back: run `vrel undo`".to_owned(),
        JournalState::Unfinished { step, failure: None } => {
            format!("stopped before `{step}`: run `vrel resume`{undo}")
        }
        JournalState::Unfinished {
            step,
            failure: Some(why),
        } => {
            format!("failed at `{step}`: run `vrel resume`{undo} ({why})")
        }
    }
}
