//! `vrel log`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::Args;
use vrel_engine::{Event, Journal, load_all};
use vrel_model::Version;

/// Show a release's journal.
///
/// The journal is hash-chained: a line that was changed afterwards is found, and reported, when it is read. Without a
/// version, the journal of the release that was started last is shown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel log\n  vrel log 0.6.0-rc1 --json")]
pub(crate) struct Log {
    /// The release.
    version: Option<Version>,
}

impl Log {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, _) = app.site()?;
        let journal = match &self.version {
            Some(version) => Journal::load(&app.world, &site, version)?,
            None => load_all(&app.world, &site)?
                .into_iter()
                .max_by_key(|journal| journal.plan().created),
        };
        let journal = journal.ok_or_else(|| {
            let which = self
                .version
                .map_or_else(|| "any release".to_owned(), |version| version.to_string());
            Failure::new(
                FailureKind::Policy,
                format!("there is no journal of {which} in this repository"),
            )
            .hint("`vrel status` lists the releases that were started here")
        })?;
        if app.global.json {
            return output::print_json(&journal.records());
        }
        let rows: Vec<_> = journal
            .records()
            .iter()
            .map(|record| {
                let (what, detail) = describe(&record.event);
                vec![record.seq.to_string(), record.time.to_string(), what, detail]
            })
            .collect();
        output::print(&output::table(&rows, &[0]))
    }
}

fn describe(event: &Event) -> (String, String) {
    match event {
        Event::Started { plan } => (
            "started".into(),
            format!("{} {} at {}", plan.command, plan.version, plan.commit),
        ),
        Event::Begun { step } => (format!("{step} …"), String::new()),
        Event::Done { step, note } => (format!("{step} done"), note.clone()),
        Event::Failed { step, message } => (format!("{step} failed"), message.clone()),
        Event::Finished => ("finished".into(), String::new()),
        Event::UndoStarted => ("undo".into(), String::new()),
        Event::StepUndone { step } => (format!("{step} undone"), String::new()),
        Event::Undone => ("undone".into(), String::new()),
    }
}
