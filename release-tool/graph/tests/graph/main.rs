//! The build graph as its users see it: graphs of toy packers over real files.

mod budget;
mod crash;
mod damage;
mod explain;
mod failures;
mod incremental;
mod place;
mod prune;
mod random;
mod sharing;
mod toys;
