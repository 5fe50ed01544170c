//! The command line's shape. The doc comments are the help texts.

use crate::verbs::{
    agenda, approve, artifacts, backfill, backport, boot, build, calendar, channel, check, ci, completions,
    cut_rc, doctor, dud, explain, freeze, gates, hook, interface, keys, log, lts, man, merge, next, nightly,
    notes, plan, promote, push_image, record, records, release, reproduce, resume, rollback, serve, sign_off,
    status, todo, undo, verify,
};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Release engineering for VeridianOS: plan, build, boot, sign, publish and verify its releases.
///
/// A release is planned first and then applied step by step under a journal: `vrel plan cut-rc 0.6.0-rc1` shows what
/// `vrel cut-rc 0.6.0-rc1` would do, `vrel resume` goes on after any interruption, and `vrel undo` takes it back until
/// it is pushed.
#[derive(Debug, Parser)]
#[command(
    name = "vrel",
    version,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Options that every verb has.
    #[command(flatten)]
    pub(crate) global: Global,
    /// The verb.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 done · 1 defect of vrel · 2 usage · 3 forbidden by the project's rules or the \
                          repository's state · 4 this machine lacks something or failed · 5 what was verified is not \
                          genuine · 10 nothing to do · 130 interrupted";

/// Options that every verb has.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// The repository; found from the current directory when not given.
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(crate) repo: Option<PathBuf>,
    /// Print the result as JSON (long commands: one line per event).
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show what the programs print that are run, too.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

/// What the tool can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Say what this machine lacks for the pipeline, and install it.
    Doctor(doctor::Doctor),
    /// Make and list signing keys.
    Keys(keys::Keys),
    /// Show everything that a command would do, and do nothing.
    Plan(plan::PlanArgs),
    /// Cut a release candidate: build, boot, sign, publish, tag, announce.
    #[command(name = "cut-rc")]
    CutRc(cut_rc::CutRc),
    /// Make an accepted candidate final: the same commit, built, proven to be the candidate, signed, published.
    Release(release::Release),
    /// Add architectures that lagged to a published release, at the same commit.
    Backfill(backfill::Backfill),
    /// Publish the newest commit of the development branch that passes, once a day.
    Nightly(nightly::Nightly),
    /// Show the channels: what each leads to, and what its policy says.
    Channel(channel::Channel),
    /// Make a published release the head of another channel, without building anything.
    Promote(promote::Promote),
    /// Make a channel lead to an older release again.
    Rollback(rollback::Rollback),
    /// Declare a published release a dud, which nobody may use.
    Dud(dud::Dud),
    /// Carry fixes of the development branch over to a release line.
    Backport(backport::Backport),
    /// Say which release lines get long-term support, and until when.
    Lts(lts::Lts),
    /// Say how the releases of this repository stand.
    Status(status::Status),
    /// Show the living plan, and change it in place.
    Todo(todo::Todo),
    /// Write the calendar of releases, as text, Markdown or iCalendar.
    Calendar(calendar::Calendar),
    /// Say what is due this week, and what is late.
    Agenda(agenda::Agenda),
    /// Show a release's journal.
    Log(log::Log),
    /// Go on with a release that was interrupted.
    Resume(resume::Resume),
    /// Take back a release that was not pushed yet.
    Undo(undo::Undo),
    /// Build the system for one or all architectures.
    Build(build::Build),
    /// Build twice in different surroundings, or once more what was published, and compare every byte.
    Reproduce(reproduce::Reproduce),
    /// Boot a build or a published artifact and show its serial line.
    Boot(boot::Boot),
    /// Push the container image of a published release to a registry.
    PushImage(push_image::PushImage),
    /// List what releases consist of, and compare releases.
    Artifacts(artifacts::Artifacts),
    /// Propose the next version, and say why.
    Next(next::NextArgs),
    /// Show what programs rely on, and what changed in it.
    Interface(interface::InterfaceArgs),
    /// Write release notes from the history.
    Notes(notes::Notes),
    /// Verify a published release with public keys only.
    Verify(verify::Verify),
    /// Freeze a line of releases: only fixes may land on its branch.
    Freeze(freeze::Freeze),
    /// Say which gates a release meets, and run those that a machine decides.
    Gates(gates::Gates),
    /// Sign off a gate that no machine can decide.
    #[command(name = "sign-off")]
    SignOff(sign_off::SignOff),
    /// Waive a gate in writing: the release may go on although it does not hold.
    Waive(sign_off::Waive),
    /// Approve the plan of a release with your signature.
    Approve(approve::Approve),
    /// Say why a release cannot ship yet, and what to do about each reason.
    Explain(explain::Explain),
    /// Show the record of a release, and add what was learned from it.
    Record(record::RecordArgs),
    /// Hold commits to the rules of the branch that they would land on.
    Check(check::Check),
    /// Say whether a branch may be merged.
    Merge(merge::Merge),
    /// Write what runs the pipeline by itself: for cron, systemd and hosted CI.
    Ci(ci::Ci),
    /// Let a repository hold pushes to the project's rules.
    Hook(hook::Hook),
    /// Look at what people decided: freezes, exceptions, queues.
    Records(records::RecordsArgs),
    /// Serve an origin over HTTP.
    Serve(serve::Serve),
    /// Print a completion script for a shell.
    Completions(completions::Completions),
    /// Write the man pages.
    Man(man::Man),
}
