//! Manual pages: naming, dating, tidying and presenting them. Rendering is `mandoc`'s work.
//!
//! Pages are written in mdoc, or come from the command line's own description (man(7) by `clap_mangen`). Neither knows
//! which release it will be part of; [`Page::stamp`] says so in them.

mod commands;
mod name;
mod page;
mod stamp;

pub use name::PageName;
pub use page::{contents, page, plain};
pub use stamp::{Page, Stamp};
