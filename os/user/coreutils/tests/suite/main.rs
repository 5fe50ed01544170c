//! The commands against the GNU tools of the machine, and what these do not have.
//!
//! Each case is run twice, by this crate's program and by the machine's, in directories with the same files; standard
//! output, exit status, the emptiness of standard error, and the files afterwards have to be the same.

mod arbitrary;
mod files;
mod grep;
mod harness;
mod help;
mod man_pages;
mod own;
mod text;
mod values;
