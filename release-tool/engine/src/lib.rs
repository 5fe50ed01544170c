//! Applies a plan.
//!
//! A command is a table of steps. A step observes the world, acts if its end state does not hold, and observes again.
//! The journal says what was begun and ended, durably, before and after each act; it is what `resume` and `undo` start
//! from, but whether a step is done is always decided by looking at the world.

mod backfill_facts;
pub mod backport;
mod boot_test;
mod building;
pub mod channels;
mod ci;
mod cut_rc;
mod develop;
mod error;
mod facts;
pub mod freeze;
pub mod gates;
mod interface;
mod journal;
mod lock;
pub mod lts;
mod merge;
mod next;
mod nightly;
mod notes;
mod pointer_change;
mod policy_files;
mod progress;
pub mod records;
mod release_facts;
mod release_record;
mod reproduce;
mod run;
mod schedule;
mod site;
mod twin;

pub use backfill_facts::collect_backfill_facts;
pub use boot_test::{BootTest, Lab};
pub use building::{Building, Built, BuiltArtifact};
pub use ci::{CiDrift, ci_drift, ci_files, write_ci_files};
pub use cut_rc::{Release, Signers, steps_of};
pub use develop::{DEVELOPMENT, DevelopmentBuild};
pub use error::EngineError;
pub use facts::{collect_snapshot, duds, look_at_remote, origin_facts, origin_manifest};
pub use interface::{interface_at, interface_changes};
pub use journal::{Event, Journal, JournalState, Record, load_all};
pub use lock::{Locked, take_lock};
pub use merge::{MergeRequest, merge_facts};
pub use next::next_facts;
pub use nightly::{BadCommit, Broken, Failing, Health, Nightly, NightlyOutcome, health, nothing_due};
pub use notes::{Changelog, Edit, NotesRange, changelog, edit_notes, notes_context, published_notes};
pub use pointer_change::{CurrentPointer, PointerChange, PointerReader};
pub use policy_files::{load_at_commit, load_from_work_tree, load_policies_at_commit};
pub use progress::{Progress, ProgressEvent, Silent};
pub use release_facts::collect_release_facts;
pub use release_record::{journal_agrees, read_lessons, read_record, record_lessons};
pub use reproduce::{Ahead, Difference, Rebuild, compare, copy_core_libraries, differing};
pub use run::{Action, Observation, Step, apply, undo};
pub use schedule::collect_schedule;
pub use site::Site;
