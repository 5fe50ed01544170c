//! The living plan, `RELEASE_TODO.md`: what a release needs to know from it, and what a release writes into it.
//!
//! People edit the same file, so nothing here renders it anew. Reading finds headings and line shapes in the text;
//! writing changes the few lines that a release concerns and keeps every other byte. The structure that is relied on is
//! described in docs/src/file-formats/release-todo.md.
//!
//! Nothing here touches a file: text goes in, text comes out.

mod edits;
mod error;
mod head;
mod lines;
mod read;
mod record;
mod sections;

pub use error::TodoError;
pub use read::{BlockingIssue, Goal, RoadmapRelease, Todo};
pub use record::Released;
