//! `vrel record`.

use crate::agree::Agree;
use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::verbs::plan::short;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use vrel_engine::channels::promotions_of;
use vrel_engine::records::Records;
use vrel_engine::{journal_agrees, read_lessons, read_record, record_lessons};
use vrel_model::{Promotion, ReleaseRecord, Version};
use vrel_world::World;

/// Show the record of a release, and add what was learned from it.
///
/// The record is a directory of plain files on the branch of records: what was planned, how the gates stood and who waived
/// what, who approved, the evidence, the digests of manifest and journal. The release itself writes it.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  vrel record 0.6.0\n  vrel record 0.6.0 --json\n  vrel record lessons 0.6.0 --file lessons.md"
)]
pub(crate) struct RecordArgs {
    #[command(subcommand)]
    action: Option<Action>,
    /// The release.
    #[arg(required = true)]
    version: Option<Version>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write down what was learned from a release, in the place of what was written before.
    #[command(after_help = "Examples:\n  vrel record lessons 0.6.0 --file lessons.md")]
    Lessons {
        /// The release.
        version: Version,
        /// The text, Markdown.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        agree: Agree,
    },
}

impl RecordArgs {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        match (self.action, self.version) {
            (Some(Action::Lessons { version, file, agree }), _) => lessons(app, &version, &file, agree),
            (None, Some(version)) => show(app, &version),
            (None, None) => {
                Err(Failure::new(FailureKind::Usage, "name a version").hint("see `vrel record --help`"))
            }
        }
    }
}

fn lessons(app: &App, version: &Version, file: &std::path::Path, agree: Agree) -> Outcome {
    let (site, policies) = app.site()?;
    let bytes = app.world.fs().read(file)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::new(
            FailureKind::Policy,
            format!("{} is not UTF-8 text", file.display()),
        )
    })?;
    if text.trim().is_empty() {
        let message = format!("{} has no text", file.display());
        return Err(Failure::new(FailureKind::Usage, message).hint("write down what was learned"));
    }
    let lines = text.lines().count();
    let what = format!(
        "lessons learned from {version}: {lines} lines of {}",
        file.display()
    );
    if agree.dry_run {
        return output::print(&format!("{what}\n"));
    }
    output::say(&what);
    agree.ask("Record this?")?;
    let changed = record_lessons(&app.world, &site, &policies.config, version, &text)?;
    if changed.is_nothing() {
        let message = format!("the record of {version} has this text already");
        return Err(Failure::new(FailureKind::NothingToDo, message));
    }
    output::print(&format!("recorded: lessons learned from {version}\n"))
}

fn show(app: &App, version: &Version) -> Outcome {
    let (site, policies) = app.site()?;
    let records = Records::new(&app.world, &site, &policies.config);
    records.refresh()?;
    let view = records.view()?;
    let Some(record) = read_record(&view, version)? else {
        let message = format!("{version} has no record");
        return Err(Failure::new(FailureKind::Policy, message).hint(
            "a release writes it when it is public; `vrel status` says how releases stand, `vrel records show` what is recorded",
        ));
    };
    let lessons = read_lessons(&view, version)?;
    let promotions = promotions_of(&view, version)?;
    let journal = journal_agrees(&app.world, &site, &record)?;
    if app.global.json {
        return output::print_json(&serde_json::json!({
            "record": record, "lessons": lessons, "promotions": promotions, "journal-agrees": journal,
        }));
    }
    output::print(&describe(&record, journal, &promotions, lessons.as_deref()))
}

fn describe(
    record: &ReleaseRecord,
    journal: Option<bool>,
    promotions: &[Promotion],
    lessons: Option<&str>,
) -> String {
    let journal = match journal {
        None => "not on this machine",
        Some(true) => "here, as recorded",
        Some(false) => "here, and NOT as recorded",
    };
    let approved: Vec<_> = record.approved_by.iter().map(ToString::to_string).collect();
    let approved = match (approved.is_empty(), record.approvals_needed) {
        (true, 0) => "not asked for".to_owned(),
        (true, needed) => format!("by nobody, {needed} asked for"),
        (false, needed) => format!("by {}, {needed} asked for", approved.join(", ")),
    };
    let mut text = format!(
        "{} {} in the channel {}\n  commit    {}\n  planned   {}\n  recorded  {} by {}\n  manifest  sha256 {}\n  plan      \
         sha256 {}\n  journal   {} lines, sha256 {} ({journal})\n  approved  {approved}\n",
        record.product,
        record.version,
        record.channel,
        short(&record.commit),
        record.planned,
        record.recorded,
        record.by,
        record.manifest_sha256,
        record.plan_sha256,
        record.journal.lines,
        record.journal.sha256
    );
    let section = |title: &str, rows: Vec<Vec<String>>| {
        if rows.is_empty() {
            return String::new();
        }
        let lines = output::table(&rows, &[]);
        let lines: String = lines.lines().map(|line| format!("  {line}\n")).collect();
        format!("\n{title}\n{lines}")
    };
    let waived = record.waived();
    text += &section(
        "Waived",
        waived
            .map(|gate| vec![gate.gate.to_string(), gate.title.clone(), gate.detail.clone()])
            .collect(),
    );
    let others = record.gates.iter().filter(|gate| gate.state != "waived");
    text += &section(
        "Gates",
        others
            .map(|gate| vec![gate.gate.to_string(), gate.state.clone(), gate.detail.clone()])
            .collect(),
    );
    text += &section(
        "Evidence",
        record
            .evidence
            .iter()
            .map(|found| {
                vec![
                    found.gate.to_string(),
                    format!("of {}", found.version),
                    found.at.to_string(),
                    found.sha256.to_string(),
                ]
            })
            .collect(),
    );
    text += &section(
        "Exceptions to the freeze",
        record
            .exceptions
            .iter()
            .map(|exception| {
                vec![
                    exception.what.to_string(),
                    exception.approver.to_string(),
                    exception.reason.clone(),
                ]
            })
            .collect(),
    );
    text += &section("Promotions", promotions.iter().map(promoted).collect());
    match lessons {
        Some(lessons) => format!("{text}\nLessons learned\n\n{}\n", lessons.trim_end()),
        None => text,
    }
}

/// A promotion's row.
fn promoted(promotion: &Promotion) -> Vec<String> {
    let approved: Vec<_> = promotion.approved_by.iter().map(ToString::to_string).collect();
    let approved = if approved.is_empty() {
        "approvals were not asked for".to_owned()
    } else {
        format!("approved by {}", approved.join(", "))
    };
    let way = format!("{} to {}", promotion.from, promotion.to);
    vec![
        way,
        promotion.at.to_string(),
        format!("by {}", promotion.by),
        approved,
    ]
}
