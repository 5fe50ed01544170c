//! `vrel log`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::Args;
use vrel_engine::{Event, Journal, Site, load_all};
use vrel_model::{Edition, Version};

/// Show a release's journal.
///
/// The journal is hash-chained: a line that was changed afterwards is found, and reported, when it is read. Without a
/// version, the journal of the release that was started last is shown.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel log\n  vrel log 0.6.0-rc1 --json\n  vrel log 0.6.0-rc1 --edition 1"
)]
pub(crate) struct Log {
    /// The release.
    version: Option<Version>,
    /// The journal of this edition: 1 is the release itself, 2 what was first added to it [default: the newest]
    #[arg(long, value_name = "N", requires = "version")]
    edition: Option<Edition>,
}

impl Log {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, _) = app.site()?;
        let journal = match &self.version {
            Some(version) => self.load(app, &site, version)?,
            None => load_all(&app.world, &site)?
                .into_iter()
                .max_by_key(|journal| journal.plan().created),
        };
        let journal = journal.ok_or_else(|| {
            let which = self
                .version
                .as_ref()
                .map_or_else(|| "any release".to_owned(), ToString::to_string);
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

impl Log {
    /// The journal of the edition that was asked for, or of the newest that has one.
    fn load(&self, app: &App, site: &Site, version: &Version) -> Result<Option<Journal>, Failure> {
        if let Some(edition) = self.edition {
            return Ok(Journal::load_edition(&app.world, site, version, edition)?);
        }
        for edition in Edition::all().rev() {
            if let Some(journal) = Journal::load_edition(&app.world, site, version, edition)? {
                return Ok(Some(journal));
            }
        }
        Ok(None)
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
