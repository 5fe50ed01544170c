//! Keys and signatures against the real file system and the stock `minisign`; envelopes, statements and bills of materials
//! against strangers' programs.

mod differential;
mod envelopes;
mod files;
mod keys;
mod pointer;
mod provenance;
mod ring;
mod sbom;
mod schemas;
mod statements;
mod stock;
mod strangers;
