//! The published tree: writing it, and verifying it against everything that can be done to it.

mod attacks;
mod duds;
mod editions;
mod fixture;
mod http;
mod local;
mod server;
mod serving;
mod verify;
mod worlds;
