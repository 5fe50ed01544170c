//! Telling somebody how a run goes.

use crate::{Damage, Why};
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use vrel_model::Sha256Digest;

/// Something that a person should know, though the run goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "warning")]
pub enum Warning {
    /// A file in the cache is not what it should be. It has been dropped, and its node is built again.
    Damaged {
        /// The node that made it.
        node: String,
        /// The output.
        output: String,
        /// The object.
        path: PathBuf,
        /// What is wrong with it.
        damage: Damage,
    },
    /// A record in the cache cannot be read. It is not used, and its node is built again.
    Record {
        /// The node.
        node: String,
        /// The record.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Building again from the same inputs gave other bytes.
    NotReproducible {
        /// The node.
        node: String,
        /// The output.
        output: String,
        /// What it was.
        before: Sha256Digest,
        /// What it is now.
        now: Sha256Digest,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged {
                node,
                output,
                path,
                damage,
            } => write!(
                f,
                "{}: the output `{output}` of {node} is damaged in the cache: {damage}; it is built again",
                path.display()
            ),
            Self::Record { node, path, reason } => {
                write!(f, "{}: {reason}; {node} is built again", path.display())
            }
            Self::NotReproducible {
                node,
                output,
                before,
                now,
            } => write!(
                f,
                "{node}: the output `{output}` had the SHA-256 {before} before, and has {now} now, from the same inputs"
            ),
        }
    }
}

/// What happens in a run.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The run begins.
    Planned {
        /// How many nodes are looked at.
        nodes: usize,
    },
    /// What the node would make is in the cache.
    Reused {
        /// The node.
        node: &'a str,
    },
    /// The node's packer starts.
    Started {
        /// The node.
        node: &'a str,
        /// Why it has to.
        why: &'a [Why],
    },
    /// The node's packer says something.
    Line {
        /// The node.
        node: &'a str,
        /// What it says.
        line: &'a str,
    },
    /// The node is built.
    Built {
        /// The node.
        node: &'a str,
        /// How long it took.
        duration: Duration,
    },
    /// The node could not be built. The run returns the first such failure; from now on nothing is started.
    Failed {
        /// The node.
        node: &'a str,
        /// Why.
        error: &'a crate::GraphError,
    },
    /// Something that a person should know.
    Warned(&'a Warning),
}

/// Is told what happens, from any thread, and one thing at a time unless it is a [`Event::Line`].
pub trait Observer: Sync {
    /// Something happens.
    fn event(&self, event: Event<'_>);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: Event<'_>) {}
}
