//! The documents of a release: Markdown as web pages and plain text, guides, manual pages, the front page of the
//! reference; and the files for cron, systemd and hosted CI.
//!
//! Text in, text out: nothing here touches a file, a program or a clock. What takes other programs (rendering manual
//! pages, documenting code) is done by `vrel-build` with what this crate makes.

pub mod ci;
mod error;
pub mod guides;
pub mod manual;
pub mod markdown;
pub mod reference;

pub use error::DocumentError;
