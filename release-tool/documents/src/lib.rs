//! The documents of a release: Markdown as web pages and plain text, guides, manual pages, the front page of the
//! reference.
//!
//! Text in, text out: nothing here touches a file, a program or a clock. What takes other programs (rendering manual
//! pages, documenting code) is done by `vrel-build` with what this crate makes.

mod error;
pub mod guides;
pub mod manual;
pub mod markdown;
pub mod reference;

pub use error::DocumentError;
