//! A build graph: nodes named by the digest of what goes into them, their cache, and their execution.
//!
//! A [`Node`] says which [`Packer`] makes which files from which inputs. Its key is the digest of everything that can
//! change those files: the packer and its version, the parameters, and the *content* of the inputs. What was made under
//! a key is kept in a [`Cache`], so that a node runs again exactly when its key is new; and because inputs count by
//! content, a node that runs and makes the same bytes as before stops the rebuild there.
//!
//! Nothing is handed out unchecked: an object of the cache is hashed before a packer reads it and while it is placed
//! under its final name. One that is not what it should be is dropped and its node is built again.
//!
//! - [`run`] makes what is wanted, [`run_and_place`] also gives the files their final names.
//! - [`explain`] says what a node is made of, whether it is up to date, and why it is not.
//! - [`prune`] keeps the cache from growing for ever.
//!
//! A packer sees no clock and no randomness of this crate, and the names of its files are no part of its key.

mod action;
mod build;
mod cache;
mod error;
mod executor;
mod explain;
mod explain_text;
mod graph;
mod listing;
mod lookup;
mod names;
mod node;
mod objects;
mod observer;
mod packer;
mod place;
mod prune;
mod record;
mod report;
mod run;
mod schedule;
mod sources;
mod why;
mod workspace;

pub use action::{Action, ActionInput, InputKind, Recipe, RecipeInput};
pub use cache::Cache;
pub use error::{Damage, GraphError};
pub use executor::{Executor, LocalExecutor};
pub use explain::{ExplainedInput, ExplainedNode, Explanation, State, explain};
pub use graph::Graph;
pub use node::{Cost, Input, Node};
pub use observer::{Event, Observer, Silent, Warning};
pub use packer::{Job, Packer, PackerError, Packers};
pub use place::Placed;
pub use prune::{Keep, Pruned, Usage, prune, usage};
pub use record::CachedFile;
pub use report::{NodeReport, Outcome, Report};
pub use run::{Placement, run, run_and_place};
pub use schedule::Budget;
pub use vrel_model::canonical_json;
pub use why::Why;
pub use workspace::Workspace;
