//! The published tree: writing it, and verifying it against everything that can be done to it.

mod local;
mod worlds;
