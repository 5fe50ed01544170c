//! The living plan, `RELEASE_TODO.md`: what a release needs to know from it, and what a release writes into it.
//!
//! People edit the same file, so nothing here renders it anew. Reading finds headings and line shapes in the text;
//! writing changes the few lines that a release concerns and keeps every other byte. The structure that is relied on is
//! described in docs/src/file-formats/release-todo.md.
//!
//! Nothing here touches a file: text goes in, text comes out.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let plan = "## Roadmap\n- [ ] **v0.6.0** (2026 Q3)\n\n## Next release\n- **Version**: v0.6.0\n\
//!             - **Status**: in development\n\n## Blocking issues\n- None\n";
//! let text = vrel_todo::Todo::parse(plan)?.record_release(&vrel_todo::Released {
//!     version: &"0.6.0-rc1".parse()?,
//!     channel: &"beta".parse()?,
//!     date: "2026-11-21T03:00:00Z".parse()?,
//!     commit: "0123456789abcdef0123456789abcdef01234567",
//!     notes: "https://releases.veridianos.org/notes.md",
//! })?;
//! assert!(text.contains("- **Status**: v0.6.0-rc1 published to beta on 2026-11-21\n"));
//! # Ok(())
//! # }
//! ```

mod boxes;
mod calendar;
mod check;
mod choice;
mod edit_error;
mod edits;
mod error;
mod head;
mod issues;
mod known;
mod lines;
mod planning;
mod read;
mod record;
mod sections;
mod when;
mod writing;

pub use boxes::{Place, PlanBox};
pub use calendar::{CalendarDrift, DriftKind};
pub use check::{Finding, Tagged, Weight, check};
pub use choice::Wanted;
pub use edit_error::{EditError, Match};
pub use error::TodoError;
pub use known::KnownIssue;
pub use planning::Planned;
pub use read::{BlockingIssue, Goal, Publication, RoadmapRelease, Todo};
pub use record::Released;
pub use when::When;
