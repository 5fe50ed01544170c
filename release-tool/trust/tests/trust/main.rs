//! Keys and signatures against the real file system and the stock `minisign`.

mod differential;
mod files;
mod keys;
mod pointer;
mod ring;
mod statements;
mod stock;
