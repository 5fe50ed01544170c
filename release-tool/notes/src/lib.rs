//! Release notes: from commits to a context that a person may edit, and from there to documents.
//!
//! ```text
//! HistoryCommit… → Collector → NotesContext (⇄ JSON) → render, render_as, render_announcement, upgrade
//! ```
//!
//! What the documents look like is decided by the templates in the top-level `templates/`; what is news by the
//! [`Collector`]; what is safe in Markdown by [`vrel_documents::markdown`]: a template never sees a text that is not escaped yet.
//! Nothing here touches a file, a network or a clock.

mod addition;
mod affected;
mod area;
mod changes;
mod collect;
mod contained;
mod context;
mod contributors;
mod conventional;
mod edited;
mod error;
mod footers;
mod fragment;
mod fragments;
mod freeze;
mod graph;
mod header;
mod history;
mod listing;
mod pulls;
mod references;
mod render;
mod reverts;
mod upgrade;
mod weight;

pub use addition::Addition;
pub use affected::Affected;
pub use collect::{Collector, Facts};
pub use contained::Comparison;
pub use context::{
    Advisory, BreakingChange, CommitCounts, Deprecation, Entry, InterfaceChange, KnownIssue, NotesArtifact,
    NotesContext, NotesKind, Section,
};
pub use conventional::{Conventional, conventional};
pub use edited::{EditedError, check_edited, conflict, draft, render_edited};
pub use error::NotesError;
pub use fragment::{Fragment, FragmentKind, Severity};
pub use freeze::{FreezeAnnouncement, render_freeze_announcement};
pub use history::History;
pub use pulls::brought;
use render::IN_ITEM;
pub use render::{render, render_announcement, render_as, render_changelog};
pub use upgrade::upgrade;
pub use vrel_documents::markdown::Format;
pub use weight::{Scale, Weighed, Weight};
