//! The operating system of this repository: compiled, packed, examined with other people's tools, and booted.

mod boots;
mod fixture;
mod reproducible;
mod strangers;
