//! The operating system of this repository: compiled, packed, examined with other people's tools, and booted.

mod bios;
mod boots;
mod debugger;
mod fixture;
mod formats;
mod install;
mod reproducible;
mod strangers;
mod symbols;
mod typist;
