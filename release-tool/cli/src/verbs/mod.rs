//! The verbs, one file each: arguments whose doc comments are the help, and `run`.

pub(crate) mod agenda;
pub(crate) mod approve;
pub(crate) mod artifacts;
pub(crate) mod backfill;
pub(crate) mod backport;
pub(crate) mod boot;
pub(crate) mod build;
pub(crate) mod calendar;
pub(crate) mod channel;
pub(crate) mod check;
pub(crate) mod ci;
pub(crate) mod completions;
pub(crate) mod cut_rc;
pub(crate) mod doctor;
pub(crate) mod dud;
pub(crate) mod explain;
pub(crate) mod freeze;
pub(crate) mod gates;
pub(crate) mod hook;
pub(crate) mod interface;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod lts;
pub(crate) mod man;
pub(crate) mod merge;
pub(crate) mod next;
pub(crate) mod nightly;
pub(crate) mod notes;
pub(crate) mod plan;
pub(crate) mod promote;
pub(crate) mod push_image;
pub(crate) mod record;
pub(crate) mod records;
pub(crate) mod release;
pub(crate) mod reproduce;
pub(crate) mod resume;
pub(crate) mod rollback;
pub(crate) mod serve;
pub(crate) mod sign_off;
pub(crate) mod status;
pub(crate) mod todo;
pub(crate) mod undo;
pub(crate) mod verify;

use crate::app::App;
use crate::args::{Cli, Verb};
use crate::exit::Outcome;

/// Runs the verb of a parsed command line.
pub(crate) fn run(cli: Cli) -> Outcome {
    let app = App::new(cli.global);
    match cli.verb {
        Verb::Doctor(verb) => verb.run(&app),
        Verb::Keys(verb) => verb.run(&app),
        Verb::Plan(verb) => verb.run(&app),
        Verb::CutRc(verb) => verb.run(&app),
        Verb::Release(verb) => verb.run(&app),
        Verb::Backfill(verb) => verb.run(&app),
        Verb::Nightly(verb) => verb.run(&app),
        Verb::Channel(verb) => verb.run(&app),
        Verb::Promote(verb) => verb.run(&app),
        Verb::Rollback(verb) => verb.run(&app),
        Verb::Dud(verb) => verb.run(&app),
        Verb::Backport(verb) => verb.run(&app),
        Verb::Lts(verb) => verb.run(&app),
        Verb::Status(verb) => verb.run(&app),
        Verb::Todo(verb) => verb.run(&app),
        Verb::Calendar(verb) => verb.run(&app),
        Verb::Agenda(verb) => verb.run(&app),
        Verb::Log(verb) => verb.run(&app),
        Verb::Resume(verb) => verb.run(&app),
        Verb::Undo(verb) => verb.run(&app),
        Verb::Build(verb) => verb.run(&app),
        Verb::Reproduce(verb) => verb.run(&app),
        Verb::Boot(verb) => verb.run(&app),
        Verb::PushImage(verb) => verb.run(&app),
        Verb::Artifacts(verb) => verb.run(&app),
        Verb::Next(verb) => verb.run(&app),
        Verb::Interface(verb) => verb.run(&app),
        Verb::Notes(verb) => verb.run(&app),
        Verb::Verify(verb) => verb.run(&app),
        Verb::Freeze(verb) => verb.run(&app),
        Verb::Gates(verb) => verb.run(&app),
        Verb::SignOff(verb) => verb.run(&app),
        Verb::Waive(verb) => verb.run(&app),
        Verb::Approve(verb) => verb.run(&app),
        Verb::Explain(verb) => verb.run(&app),
        Verb::Record(verb) => verb.run(&app),
        Verb::Check(verb) => verb.run(&app),
        Verb::Merge(verb) => verb.run(&app),
        Verb::Ci(verb) => verb.run(&app),
        Verb::Hook(verb) => verb.run(&app),
        Verb::Records(verb) => verb.run(&app),
        Verb::Serve(verb) => verb.run(&app),
        Verb::Completions(verb) => verb.run(),
        Verb::Man(verb) => verb.run(),
    }
}
