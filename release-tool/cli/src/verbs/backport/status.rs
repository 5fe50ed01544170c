//! `vrel backport status`.

use crate::app::App;
use crate::exit::Outcome;
use crate::output;
use clap::Args;
use std::collections::BTreeSet;
use vrel_engine::backport::BackportQueue;
use vrel_engine::records::Records;
use vrel_model::{Backport, BackportState, Line};
use vrel_process::{Present, short};

/// Show the queue of a line, or of all lines.
///
/// Without asking the remote: what was last fetched counts, and `vrel backport pick` fetches. What is on the line although
/// nobody recorded it, and what was picked here and has not landed, is said too.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel backport status\n  vrel backport status --to 0.6 --json")]
pub(super) struct Status {
    /// Only this line.
    #[arg(long, value_name = "LINE")]
    to: Option<Line>,
}

type Row = (Backport, Option<Present>, bool);

impl Status {
    pub(super) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let config = &policies.config;
        let lines: BTreeSet<Line> = match self.to {
            Some(line) => [line].into(),
            None => Records::new(&app.world, &site, config)
                .list("lines")?
                .iter()
                .filter_map(|path| {
                    path.strip_prefix("lines/")?
                        .strip_suffix("/backports.toml")?
                        .parse()
                        .ok()
                })
                .collect(),
        };
        let mut queues = Vec::new();
        for line in lines {
            let queue = BackportQueue::new(&app.world, &site, config, line);
            let rows = queue.standing(&queue.branches()?)?;
            queues.push((line, rows, queue.open_conflict()?));
        }
        if app.global.json {
            let all: Vec<_> = queues
                .iter()
                .map(|(line, rows, open)| {
                    let rows: Vec<_> = rows.iter().map(as_json).collect();
                    serde_json::json!({"line": line.to_string(), "backports": rows, "open-conflict": open})
                })
                .collect();
            return output::print_json(&all);
        }
        if queues.iter().all(|(_, rows, _)| rows.is_empty()) {
            output::say("no commit was nominated; see `vrel backport nominate --help`");
        }
        for (line, rows, open) in &queues {
            let table: Vec<Vec<String>> = rows.iter().map(|row| as_row(*line, row)).collect();
            output::print(&output::table(&table, &[]))?;
            if let Some(open) = open {
                output::say(&format!(
                    "the conflict of {} waits in {}",
                    short(&open.commit),
                    open.dir.display()
                ));
            }
        }
        Ok(())
    }
}

fn as_json((backport, present, picked_here): &Row) -> serde_json::Value {
    serde_json::json!({
        "commit": backport.commit, "subject": backport.subject, "state": backport.state(),
        "events": backport.events(), "on-line": present, "picked-here": picked_here,
    })
}

fn as_row(line: Line, (backport, present, picked_here): &Row) -> Vec<String> {
    let last = backport.last();
    let needs: Vec<&str> = last.needs.iter().map(|commit| short(commit)).collect();
    let more = match (backport.state(), present) {
        (BackportState::Picked, _) => last
            .commit
            .as_deref()
            .map(|commit| format!("as {}", short(commit))),
        (_, Some(present)) => Some(format!("on the line{}; not recorded", super::queue::how(present))),
        (_, None) if *picked_here => Some("picked here; has not landed".to_owned()),
        (BackportState::Conflict, None) if needs.is_empty() => Some(format!("in {}", last.paths.join(", "))),
        (BackportState::Conflict, None) => Some(format!("needs {} first", needs.join(", "))),
        (_, None) => last.reason.clone(),
    };
    vec![
        line.to_string(),
        short(&backport.commit).to_owned(),
        backport.state().to_string(),
        last.at.date(),
        last.by.clone(),
        backport.subject.clone(),
        more.unwrap_or_default(),
    ]
}
