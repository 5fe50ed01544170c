//! The published tree: writing it, and verifying it against everything that can be done to it.

mod attacks;
mod fixture;
mod local;
mod verify;
mod worlds;
