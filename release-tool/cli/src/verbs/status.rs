//! `vrel status`.

use crate::app::App;
use crate::exit::Outcome;
use crate::output;
use crate::verbs::plan::short;
use clap::Args;
use serde::Serialize;
use vrel_engine::freeze::all_freezes;
use vrel_engine::records::Records;
use vrel_engine::{EngineError, Journal, JournalState, load_all, origin_facts};
use vrel_model::freeze::FreezeState;
use vrel_model::{Arch, Day, Edition, LaggingArch, UtcTime, Version};
use vrel_world::World;

/// Say how the releases of this repository stand.
///
/// Lists every release that was started here, from its journal, the heads of the origin's channels, and the exceptions to
/// freezes that are open: the number, what may land, until when, and who approved it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel status\n  vrel status --json")]
pub(crate) struct Status {}

#[derive(Debug, Serialize)]
struct Row {
    version: Version,
    channel: String,
    commit: String,
    /// Which edition of the release was made.
    edition: Edition,
    /// The architectures that it added to the release.
    added: Vec<Arch>,
    since: UtcTime,
    #[serde(flatten)]
    state: JournalState,
    undo_possible: bool,
    lagging: Vec<Lagging>,
}

/// By what something may land on a frozen line that is no fix.
#[derive(Debug, Serialize)]
struct OpenException {
    /// The line, `0.6`.
    line: String,
    /// The exception's number on it, from 1, as `vrel freeze status` counts.
    number: usize,
    /// Which commits.
    what: String,
    risk: String,
    approver: String,
    /// The last day on which it holds.
    until: Day,
}

/// An architecture that a release does not have yet.
#[derive(Debug, Serialize)]
struct Lagging {
    #[serde(flatten)]
    arch: LaggingArch,
    /// Whether its time is over.
    late: bool,
}

impl Status {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let mut rows: Vec<Row> = load_all(&app.world, &site)?
            .iter()
            .map(|journal| row(journal, app.world.now()))
            .collect();
        forget_what_came(&mut rows);
        let origin = origin_facts(&app.world, &site)?;
        let records = Records::new(&app.world, &site, &policies.config);
        let exceptions = open_exceptions(&records, app.world.now())?;
        if app.global.json {
            let (heads, editions) = (&origin.heads, &origin.editions);
            let origin = serde_json::json!({
                "path": site.origin(), "exists": origin.exists, "pointer": origin.pointer_version, "heads": heads,
                "editions": editions,
            });
            return output::print_json(&serde_json::json!({
                "releases": rows, "origin": origin, "freeze_exceptions": exceptions,
            }));
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
                    describe(row) + &describe_lagging(row),
                ]
            });
            output::table(&std::iter::once(head).chain(lines).collect::<Vec<_>>(), &[])
        };
        match origin.pointer_version {
            None => text += &format!("Origin {}: nothing published.\n", site.origin().display()),
            Some(version) => {
                text += &format!("Origin {}: pointer {version}\n", site.origin().display());
                for (channel, head) in &origin.heads {
                    let edition = origin.editions.get(head);
                    let edition = edition.map_or_else(String::new, |edition| format!(", edition {edition}"));
                    text += &format!("  {channel}: {head}{edition}\n");
                }
            }
        }
        if !exceptions.is_empty() {
            text += "Open exceptions to freezes:\n";
        }
        for one in &exceptions {
            text += &format!(
                "  {} exception {}: {}, until {}, approved by {} ({} risk)\n",
                one.line, one.number, one.what, one.until, one.approver, one.risk
            );
        }
        output::print(&text)
    }
}

/// The exceptions to freezes that are not over, by which something may land that is no fix. Nothing is asked of the remote.
fn open_exceptions(records: &Records<'_>, now: UtcTime) -> Result<Vec<OpenException>, EngineError> {
    let mut open = Vec::new();
    for freezes in all_freezes(&records.view()?)? {
        let newest = freezes.file.windows.last();
        let Some(window) = newest.filter(|window| window.state(now) != FreezeState::Over) else {
            continue;
        };
        for (at, exception) in window.exceptions.iter().enumerate() {
            if exception.until.end() > now {
                open.push(OpenException {
                    line: freezes.line.to_string(),
                    number: at + 1,
                    what: exception.what.to_string(),
                    risk: exception.risk.to_string(),
                    approver: exception.approver.to_string(),
                    until: exception.until,
                });
            }
        }
    }
    Ok(open)
}

fn row(journal: &Journal, now: UtcTime) -> Row {
    let plan = journal.plan();
    let reached = plan
        .steps
        .iter()
        .any(|step| !step.reversible && journal.was_begun(&step.name));
    Row {
        version: plan.version.clone(),
        channel: plan.channel.to_string(),
        commit: plan.commit.clone(),
        edition: plan.edition(),
        added: plan
            .backfill
            .iter()
            .flat_map(|backfill| backfill.arches.clone())
            .collect(),
        since: plan.created,
        state: journal.state(),
        undo_possible: journal.is_open() && !reached,
        lagging: lagging(&plan.lagging, now),
    }
}

/// What was added to a release meanwhile is missing in none of its rows.
fn forget_what_came(rows: &mut [Row]) {
    let came: Vec<(Version, Vec<Arch>)> = rows
        .iter()
        .filter(|row| row.state == JournalState::Finished)
        .map(|row| (row.version.clone(), row.added.clone()))
        .collect();
    for row in rows {
        let has = |arch| {
            came.iter()
                .any(|(version, arches)| *version == row.version && arches.contains(&arch))
        };
        row.lagging.retain(|late| !has(late.arch.arch));
    }
}

fn lagging(arches: &[LaggingArch], now: UtcTime) -> Vec<Lagging> {
    let lagging = arches.iter().map(|&arch| Lagging {
        arch,
        late: arch.until < now,
    });
    lagging.collect()
}

/// Which architectures are missing, and until when they may follow.
fn describe_lagging(row: &Row) -> String {
    let missing = row.lagging.iter().map(|one| {
        let LaggingArch { arch, until } = one.arch;
        if one.late {
            format!("; without {arch}, LATE since {until}")
        } else {
            format!("; without {arch} until {until}")
        }
    });
    missing.collect()
}

fn describe(row: &Row) -> String {
    let undo = if row.undo_possible { " or `vrel undo`" } else { "" };
    match &row.state {
        JournalState::Finished if !row.added.is_empty() => {
            let arches: Vec<_> = row.added.iter().map(ToString::to_string).collect();
            format!("published with {} added", arches.join(", "))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_architecture_is_late_when_its_time_is_over() {
        let until: UtcTime = "2026-11-24T03:00:00Z".parse().unwrap();
        let arches = [LaggingArch {
            arch: Arch::Riscv64,
            until,
        }];
        let row = |now: &str| Row {
            version: "0.6.0-rc1".parse().unwrap(),
            channel: "beta".to_owned(),
            commit: "1".repeat(40),
            edition: Edition::FIRST,
            added: Vec::new(),
            since: until,
            state: JournalState::Finished,
            undo_possible: false,
            lagging: lagging(&arches, now.parse().unwrap()),
        };
        assert_eq!(
            describe_lagging(&row("2026-11-24T03:00:00Z")),
            "; without riscv64 until 2026-11-24T03:00:00Z"
        );
        let late = row("2026-11-24T03:00:01Z");
        assert_eq!(
            describe_lagging(&late),
            "; without riscv64, LATE since 2026-11-24T03:00:00Z"
        );
        let mut rows = [late, row("2026-11-24T03:00:01Z")];
        rows[1].edition = Edition::FIRST.next().unwrap();
        rows[1].added = vec![Arch::Riscv64];
        rows[1].lagging.clear();
        rows[1].state = JournalState::Undoing;
        forget_what_came(&mut rows);
        assert_eq!(rows[0].lagging.len(), 1, "it is not there before it is public");
        rows[1].state = JournalState::Finished;
        assert_eq!(describe(&rows[1]), "published with riscv64 added");
        forget_what_came(&mut rows);
        assert!(rows[0].lagging.is_empty());
        let late = row("2026-11-24T03:00:01Z");
        let json = serde_json::to_value(&late).unwrap();
        assert_eq!(
            json["lagging"],
            serde_json::json!([{"arch": "riscv64", "until": until, "late": true}])
        );
    }
}
