//! The rules of backports: what may be nominated, and who may still change what was decided.

mod decisions;
mod facts;

pub use decisions::{Decision, decide, short};
pub use facts::{LineChanges, Nominee, Present, check_nominee};
