//! Markdown (CommonMark 0.31 with tables and strikethrough): writing people's texts as Markdown, and Markdown as web
//! pages and plain text.
//!
//! What goes into the Markdown may come from anybody, for instance from commit messages. [`inline`], [`cell`] and
//! [`block`] make it harmless when it is written; [`Document`] lets nothing through when it is read, whoever wrote it:
//! HTML is shown instead of being interpreted, addresses lead to web pages and mailboxes only, nothing is loaded from
//! elsewhere.

mod address;
mod escape;
mod format;
mod html;
mod page;
mod read;
mod table;
mod text;
mod tree;
mod wrap;

pub(crate) use escape::is_hidden;
pub use escape::{block, block_after_label, cell, inline, is_blank, opening_fence};
pub use format::Format;
pub(crate) use html::escaped as html_escaped;
pub use tree::Document;
pub use wrap::WIDTH;
